-- Leaves a notice for a person of the tenant; none, if there is no such person. The serving role may not write notices
-- itself. Returns its number in the person's own stream, null where it has none (p_rings false: a code is for nobody's
-- list). Whoever asks for it twice by one id has left it once.
--   p_waits_s    how long the socket has before the next rung, p_rung (core.notices.ladder)
drop function if exists leave_notice(int, uuid, smallint, uuid, smallint, int, bytea, interval);
create or replace function leave_notice(
    p_tenant        int,
    p_id            uuid,
    p_kind          smallint,
    p_person        uuid,
    p_field         smallint,
    p_field_number  int,
    p_sealed        bytea,
    p_lasts         interval,
    p_session       uuid,
    p_facts         jsonb,
    p_rings         boolean,
    p_rung          smallint,
    p_waits_s       int
) returns bigint
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_bell bigint;
    v_waits interval;
begin
    if not exists (select from persons where persons.tenant_id = p_tenant and persons.id = p_person)
        or exists (select from notices where notices.tenant_id = p_tenant and notices.id = p_id)
    then
        return null;
    end if;
    if p_rings then
        insert into bells (tenant_id, person_id, number) values (p_tenant, p_person, 1)
            on conflict (tenant_id, person_id) do update
           set number = bells.number + 1, changed_at = clock_timestamp()
        returning bells.number into v_bell;
    end if;
    select make_interval(secs => coalesce(
               (select ladders.socket_s from ladders where ladders.tenant_id = p_tenant and ladders.kind = p_kind),
               p_waits_s
           ))
      into v_waits;
    insert into notices (
        tenant_id, id, kind, person_id, field, field_number, sealed, expires_at, session_id, facts, bell, rung,
        happened_at, climbs_at
    ) values (
        p_tenant, p_id, p_kind, p_person, p_field, p_field_number, p_sealed, clock_timestamp() + p_lasts, p_session,
        p_facts, v_bell, p_rung, clock_timestamp(), clock_timestamp() + v_waits
    )
        on conflict (tenant_id, id) do nothing;
    if not found then
        -- Somebody left the same one while we waited for the person's bell. Nobody has seen that we had rung it.
        update bells set number = bells.number - 1
         where p_rings and bells.tenant_id = p_tenant and bells.person_id = p_person;
        return null;
    end if;
    return v_bell;
end
$$;
alter function leave_notice owner to payhub_ledger;
revoke all on function leave_notice from public;
grant execute on function leave_notice to payhub_app;

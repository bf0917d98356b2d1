-- Gives somebody a role, or notes that one operator wants it, if the tenant wants two to agree. Outcomes:
--   set
--   asked          another operator has to ask for the same within a week
--   not_found
--   person_closed
--   last_operator  nobody would be left who can operate
-- A new role is a new session: those of before are ended (`ended`), and a merchant's keys and tills for good. `first`: who of the two operators asked first.
create or replace function set_person_role(
    p_tenant  int,
    p_person  uuid,
    p_role    smallint,
    p_by      uuid,
    out outcome  text,
    out before   smallint,
    out first    uuid,
    out ended    uuid[]
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_status  smallint;
    v_second  boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('staff ' || p_tenant, 0));
    select persons.role, persons.status into before, v_status
      from persons
     where persons.tenant_id = p_tenant and persons.id = p_person
       for update;
    if not found then
        outcome := 'not_found';
        return;
    end if;
    if v_status = 2 then
        outcome := 'person_closed';
        return;
    end if;
    if before = p_role then
        outcome := 'set';
        return;
    end if;
    if before = 2 and not exists (
        select from persons where tenant_id = p_tenant and role = 2 and status = 0 and id <> p_person
    ) then
        outcome := 'last_operator';
        return;
    end if;

    -- To take a role away must be quick; to give one among the staff may take two.
    v_second := p_role >= 2 and coalesce(
        (select settings.needs_second_operator from people_settings as settings where settings.tenant_id = p_tenant),
        false
    );
    if v_second then
        select requests.asked_by into first
          from role_requests as requests
          join persons as operators
            on operators.tenant_id = requests.tenant_id and operators.id = requests.asked_by
           and operators.role = 2 and operators.status = 0
         where requests.tenant_id = p_tenant and requests.person_id = p_person and requests.role = p_role
           and requests.asked_by <> p_by and requests.asked_at > clock_timestamp() - interval '7 days';
        if not found then
            insert into role_requests (tenant_id, person_id, role, asked_by, asked_at)
            values (p_tenant, p_person, p_role, p_by, clock_timestamp())
                on conflict (tenant_id, person_id) do update
               set role = excluded.role, asked_by = excluded.asked_by, asked_at = excluded.asked_at;
            outcome := 'asked';
            return;
        end if;
    end if;

    delete from role_requests where role_requests.tenant_id = p_tenant and role_requests.person_id = p_person;
    update persons set role = p_role where persons.tenant_id = p_tenant and persons.id = p_person;
    with over as (
        update sessions
           set revoked_at = clock_timestamp()
         where sessions.tenant_id = p_tenant and sessions.person_id = p_person and sessions.revoked_at is null
        returning sessions.id
    )
    select array_agg(over.id) into ended from over;
    perform end_machines(p_tenant, p_person);
    outcome := 'set';
end
$$;
alter function set_person_role owner to payhub_ledger;
revoke all on function set_person_role from public;
grant execute on function set_person_role to payhub_app;

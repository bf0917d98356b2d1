-- Writes a rule of a set of limits, new or changed. It holds from the next payment on. False: no such limits here.
-- A set has at most 50 rules: each of them is looked at with every payment under it.
create or replace function set_rule(
    p_tenant        int,
    p_asked_by      uuid,
    p_id            int,
    p_limits        int,
    p_name          text,
    p_measure       int,
    p_max           bigint,
    p_action        int,
    p_within_s      int,
    p_night_from    time,
    p_night_to      time,
    p_own_max       bigint,
    p_raise_wait_s  int,
    p_is_on         boolean
) returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_before jsonb;
    v_after  jsonb;
begin
    -- Locked, so that two at once cannot both be the fiftieth.
    perform from limits where limits.tenant_id = p_tenant and limits.id = p_limits for no key update;
    if not found then
        return false;
    end if;
    if (select count(*) from rules where tenant_id = p_tenant and limits = p_limits and id <> p_id) >= 50 then
        raise exception 'These limits have 50 rules.'
        using errcode = 'check_violation', constraint = 'limits_have_at_most_fifty_rules';
    end if;
    select to_jsonb(rules) into v_before from rules where tenant_id = p_tenant and id = p_id for update;
    insert into rules (
        tenant_id, id, limits, name, measure, max, action, within_s, night_from, night_to, own_max, raise_wait_s, is_on
    )
    values (
        p_tenant, p_id, p_limits, p_name, p_measure, p_max, p_action, p_within_s, p_night_from, p_night_to, p_own_max,
        p_raise_wait_s, p_is_on
    )
        on conflict (tenant_id, id) do update
       set limits = excluded.limits, name = excluded.name, measure = excluded.measure, max = excluded.max,
           action = excluded.action, within_s = excluded.within_s, night_from = excluded.night_from,
           night_to = excluded.night_to, own_max = excluded.own_max, raise_wait_s = excluded.raise_wait_s,
           is_on = excluded.is_on, updated_at = now()
    returning to_jsonb(rules) into v_after;
    perform note_change(p_tenant, p_asked_by, 'rule', p_id::text, v_before, v_after);
    return true;
end
$$;
alter function set_rule owner to payhub_ledger;
revoke all on function set_rule from public;
grant execute on function set_rule to payhub_app;

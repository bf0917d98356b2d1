-- What an account's owner allows at most. To lower is at once; a raise waits as long as the rule says, and a new ask
-- starts the wait anew (BCB Res. 142/2021: between 24 and 48 hours). Gives the limit as it stands then; no row: no
-- rule of this measure lets people set their own, or it is above what the rule allows.
create or replace function set_own_limit(
    p_tenant int, p_asked_by uuid, p_account bigint, p_measure int, p_max bigint
) returns table (max bigint, next_max bigint, next_from_us bigint)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_rule   record;
    v_known  own_limits;
    v_now    bigint;
    v_before jsonb;
begin
    -- Between two batches, like every other setting of an account.
    select ruled.max, ruled.own_max, ruled.raise_wait_s
      into v_rule
      from accounts
      join rules as ruled on ruled.tenant_id = p_tenant and ruled.limits = accounts.limits
     where accounts.tenant_id = p_tenant and accounts.id = p_account
       and ruled.measure = p_measure and ruled.own_max is not null and ruled.is_on
     order by ruled.max
     limit 1
       for no key update of accounts;
    if not found or p_max > v_rule.own_max then
        return;
    end if;
    select own_limits.*
      into v_known
      from own_limits
     where own_limits.tenant_id = p_tenant and own_limits.account_id = p_account and own_limits.measure = p_measure;
    v_before := to_jsonb(v_known);
    v_now := case when v_known.next_from <= clock_timestamp() then v_known.next_max else coalesce(v_known.max, v_rule.max) end;
    insert into own_limits (tenant_id, account_id, measure, max, next_max, next_from, asked_by)
    values (
        p_tenant, p_account, p_measure, least(v_now, p_max),
        case when p_max > v_now then p_max end,
        case when p_max > v_now then clock_timestamp() + make_interval(secs => v_rule.raise_wait_s) end,
        p_asked_by
    )
        on conflict (tenant_id, account_id, measure) do update
       set max = excluded.max, next_max = excluded.next_max, next_from = excluded.next_from,
           asked_by = excluded.asked_by, updated_at = now()
    returning own_limits.* into v_known;
    perform note_change(
        p_tenant, p_asked_by, 'own_limit', p_account || '/' || p_measure, v_before, to_jsonb(v_known)
    );
    return query
    select v_known.max, v_known.next_max, (extract(epoch from v_known.next_from) * 1000000)::bigint;
end
$$;
alter function set_own_limit owner to payhub_ledger;
revoke all on function set_own_limit from public;
grant execute on function set_own_limit to payhub_app;

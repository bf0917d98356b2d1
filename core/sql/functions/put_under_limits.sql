-- Puts an account under a set of limits, from its next payment on; null takes it out of any. False: no such account,
-- or no such limits in this tenant. The row lock puts the change between two batches.
create or replace function put_under_limits(p_tenant int, p_asked_by uuid, p_account bigint, p_limits int)
returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_before int;
begin
    if p_limits is not null and not exists (
        select from limits where limits.tenant_id = p_tenant and limits.id = p_limits
    ) then
        return false;
    end if;
    select accounts.limits
      into v_before
      from accounts
     where accounts.tenant_id = p_tenant and accounts.id = p_account and accounts.person_id is not null
       for no key update;
    if not found then
        return false;
    end if;
    update accounts set limits = p_limits where accounts.tenant_id = p_tenant and accounts.id = p_account;
    perform note_change(
        p_tenant, p_asked_by, 'account_limits', p_account::text, to_jsonb(v_before), to_jsonb(p_limits)
    );
    return true;
end
$$;
alter function put_under_limits owner to payhub_ledger;
revoke all on function put_under_limits from public;
grant execute on function put_under_limits to payhub_app;

-- Allows an account's payee beforehand, denies it, or forgets either; account 0: for everybody. To be denied is at
-- once, to be allowed waits. Gives the moment from which it holds, in microseconds; null: there is no such payee.
create or replace function list_payee(
    p_tenant int, p_asked_by uuid, p_account bigint, p_payee bigint, p_listing int, p_wait_s int
) returns bigint
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_before jsonb;
    v_from   timestamptz := clock_timestamp() + make_interval(secs => case when p_listing = 1 then p_wait_s else 0 end);
begin
    if not exists (select from accounts where accounts.tenant_id = p_tenant and accounts.id = p_payee) then
        return null;
    end if;
    perform from accounts where accounts.tenant_id = p_tenant and accounts.id = p_account for no key update;
    select to_jsonb(payees)
      into v_before
      from payees
     where payees.tenant_id = p_tenant and payees.account_id = p_account and payees.payee = p_payee;
    if p_listing is null then
        delete from payees
         where payees.tenant_id = p_tenant and payees.account_id = p_account and payees.payee = p_payee
           and payees.since is null;
        update payees
           set listing = null, listed_from = null
         where payees.tenant_id = p_tenant and payees.account_id = p_account and payees.payee = p_payee;
    else
        insert into payees as known (tenant_id, account_id, payee, listing, listed_from)
        values (p_tenant, p_account, p_payee, p_listing, v_from)
            on conflict (tenant_id, account_id, payee) do update
           set listing = excluded.listing,
               -- Asking again for what was asked already does not start the wait anew.
               listed_from = case when known.listing = excluded.listing then known.listed_from else excluded.listed_from end
        returning listed_from into v_from;
    end if;
    perform note_change(
        p_tenant, p_asked_by, 'payee', p_account || '/' || p_payee, v_before, to_jsonb(p_listing)
    );
    return (extract(epoch from v_from) * 1000000)::bigint;
end
$$;
alter function list_payee owner to payhub_ledger;
revoke all on function list_payee from public;
grant execute on function list_payee to payhub_app;

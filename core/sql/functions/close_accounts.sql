-- Closes the accounts of a person who leaves, and lets nobody pay their open charges any more. Gives back every account
-- with what is on it, under the lock that each payment takes: nothing moves until the caller's transaction ends.
create or replace function close_accounts(p_tenant int, p_person uuid)
returns table (account_id bigint, balance bigint, held bigint)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
#variable_conflict use_column
begin
    perform from accounts
      where accounts.tenant_id = p_tenant and accounts.person_id = p_person
      order by accounts.id
        for update;
    update charges set status = 2   -- core.nouns.ChargeStatus.CANCELLED
      from accounts
     where accounts.tenant_id = p_tenant and accounts.person_id = p_person
       and charges.tenant_id = p_tenant and charges.payee = accounts.id and charges.status = 0;
    return query
    update accounts set status = 2   -- core.nouns.AccountStatus.CLOSED
     where accounts.tenant_id = p_tenant and accounts.person_id = p_person
    returning accounts.id, accounts.balance, accounts.held;
end
$$;
alter function close_accounts owner to payhub_ledger;
revoke all on function close_accounts from public;
grant execute on function close_accounts to payhub_app;

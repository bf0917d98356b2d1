-- The tenants whose accounts do not sum to zero: there must never be one.
create or replace function find_unbalanced_tenants()
returns table (tenant_id int, difference numeric)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select accounts.tenant_id, sum(accounts.balance)
      from accounts
     group by accounts.tenant_id
    having sum(accounts.balance) <> 0
$$;
alter function find_unbalanced_tenants owner to payhub_ledger;
revoke all on function find_unbalanced_tenants from public;
grant execute on function find_unbalanced_tenants to payhub_app;

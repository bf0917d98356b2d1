-- Locks every account that a bulk's good lines name, in the order in which all batches lock theirs, so that an atomic
-- bulk, which is posted in several batches of one transaction, waits for others one way only. The tenant's fees
-- account (core.nouns.SystemAccount.FEES) is locked after all others, as everywhere: by the first batch that needs it.
create or replace function lock_bulk_accounts(p_tenant int, p_bulk uuid) returns void
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    perform accounts.id
       from (
           select bulk_lines.payer as id from bulk_lines
            where bulk_lines.tenant_id = p_tenant and bulk_lines.bulk_id = p_bulk and bulk_lines.code is null
           union
           select bulk_lines.payee from bulk_lines
            where bulk_lines.tenant_id = p_tenant and bulk_lines.bulk_id = p_bulk and bulk_lines.code is null
           order by id
       ) as named
      cross join lateral (
           select accounts.id from accounts
            where accounts.tenant_id = p_tenant and accounts.id = named.id
              for no key update
      ) accounts
      where named.id <> 3;
end
$$;
alter function lock_bulk_accounts owner to payhub_ledger;
revoke all on function lock_bulk_accounts from public;
grant execute on function lock_bulk_accounts to payhub_app;

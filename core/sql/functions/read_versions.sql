-- The last event number of each account, in the order given; null where there is no such account.
-- Works across tenants: a hub asks for all the accounts that are followed on it, pair by pair.
create or replace function read_versions(p_tenants int[], p_accounts bigint[])
returns bigint[]
language sql stable security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    select array_agg(accounts.version order by wanted.at)
      from unnest(p_tenants, p_accounts) with ordinality as wanted (tenant_id, id, at)
      left join accounts on accounts.tenant_id = wanted.tenant_id and accounts.id = wanted.id
$$;
alter function read_versions owner to payhub_ledger;
revoke all on function read_versions from public;
grant execute on function read_versions to payhub_app;

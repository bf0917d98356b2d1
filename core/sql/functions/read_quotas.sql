-- What these tenants may ask of the installation, for a hub that serves several. Who has no quota of their own is not told.
create or replace function read_quotas(p_tenants int[])
returns table (tenant_id int, per_second int)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select tenants.id, (tenants.settings ->> 'messages_per_second')::int
      from tenants
     where tenants.id = any (p_tenants) and tenants.settings ? 'messages_per_second'
$$;
alter function read_quotas owner to payhub_ledger;
revoke all on function read_quotas from public;
grant execute on function read_quotas to payhub_app;

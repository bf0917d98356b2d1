-- Ids of the tenants' keys, of all tenants: what a rotation of the master key goes through.
create or replace function list_tenant_keys()
returns table (tenant_id int, id uuid)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select tenant_keys.tenant_id, tenant_keys.id from tenant_keys order by tenant_keys.tenant_id, tenant_keys.id
$$;
alter function list_tenant_keys owner to payhub_keys_keeper;
revoke all on function list_tenant_keys from public;
grant execute on function list_tenant_keys to payhub_keys_app;

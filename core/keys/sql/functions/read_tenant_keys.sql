-- A tenant's keys: the one in use for a purpose, and those with these ids.
create or replace function read_tenant_keys(p_tenant int, p_purpose smallint, p_ids uuid[])
returns table (id uuid, purpose smallint, wrapped bytea, wrapped_by text, is_in_use boolean)
language plpgsql volatile security invoker
set search_path = payhub, pg_temp
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select tenant_keys.id, tenant_keys.purpose, tenant_keys.wrapped, tenant_keys.wrapped_by,
           tenant_keys.retired_at is null
      from tenant_keys
     where tenant_keys.tenant_id = p_tenant
       and (tenant_keys.id = any (p_ids) or tenant_keys.purpose = p_purpose and tenant_keys.retired_at is null);
end
$$;
alter function read_tenant_keys owner to payhub_keys_owner;
revoke all on function read_tenant_keys from public;
grant execute on function read_tenant_keys to payhub_keys_app;

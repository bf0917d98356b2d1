-- Keys of persons that this key of the tenant's wraps.
create or replace function read_keys_wrapped_by(p_tenant int, p_tenant_key uuid, p_limit int)
returns table (person_id uuid, version int, wrapped bytea)
language plpgsql volatile security invoker
set search_path = payhub, pg_temp
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select person_keys.person_id, person_keys.version, person_keys.wrapped
      from person_keys
     where person_keys.tenant_id = p_tenant and person_keys.tenant_key = p_tenant_key
     limit p_limit;
end
$$;
alter function read_keys_wrapped_by owner to payhub_keys_owner;
revoke all on function read_keys_wrapped_by from public;
grant execute on function read_keys_wrapped_by to payhub_keys_app;

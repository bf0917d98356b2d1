-- A tenant's keys for a purpose that are in use no more, and how many keys of persons each still wraps.
create or replace function list_retired_keys(p_tenant int, p_purpose smallint)
returns table (id uuid, wraps bigint)
language plpgsql volatile security invoker
set search_path = payhub, pg_temp
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select tenant_keys.id,
           (select count(*) from person_keys
             where person_keys.tenant_id = p_tenant and person_keys.tenant_key = tenant_keys.id)
      from tenant_keys
     where tenant_keys.tenant_id = p_tenant and tenant_keys.purpose = p_purpose and tenant_keys.retired_at is not null
     order by tenant_keys.retired_at;
end
$$;
alter function list_retired_keys owner to payhub_keys_owner;
revoke all on function list_retired_keys from public;
grant execute on function list_retired_keys to payhub_keys_app;

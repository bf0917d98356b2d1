-- Persons of a tenant who have a key, after one of them.
create or replace function list_holders(p_tenant int, p_after uuid, p_limit int)
returns setof uuid
language plpgsql volatile security invoker
set search_path = payhub, pg_temp
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select holders.person_id from holders
     where holders.tenant_id = p_tenant and holders.person_id > p_after and holders.destroyed_at is null
     order by holders.person_id
     limit p_limit;
end
$$;
alter function list_holders owner to payhub_keys_owner;
revoke all on function list_holders from public;
grant execute on function list_holders to payhub_keys_app;

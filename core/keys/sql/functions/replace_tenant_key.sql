-- Puts a tenant's new key in use for a purpose, in place of the one that is. False: there is none, or another one by now.
create or replace function replace_tenant_key(
    p_tenant int, p_purpose smallint, p_before uuid, p_id uuid, p_wrapped bytea, p_wrapped_by text, p_details jsonb
) returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    update tenant_keys set retired_at = now()
     where tenant_id = p_tenant and id = p_before and purpose = p_purpose and retired_at is null;
    if not found then
        return false;
    end if;
    insert into tenant_keys (tenant_id, id, purpose, wrapped, wrapped_by)
    values (p_tenant, p_id, p_purpose, p_wrapped, p_wrapped_by);
    insert into key_events (tenant_id, what, about, details) values (p_tenant, 'key.rotated', p_id::text, p_details);
    return true;
end
$$;
alter function replace_tenant_key owner to payhub_keys_keeper;
revoke all on function replace_tenant_key from public;
grant execute on function replace_tenant_key to payhub_keys_app;

-- Destroys a key of the tenant's that is in use no more and wraps nothing. False: it is, or does.
create or replace function drop_tenant_key(p_tenant int, p_id uuid, p_details jsonb)
returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    delete from tenant_keys
     where tenant_id = p_tenant and id = p_id and retired_at is not null
       and not exists (select from person_keys where person_keys.tenant_id = p_tenant and tenant_key = p_id);
    if not found then
        return false;
    end if;
    insert into key_events (tenant_id, what, about, details) values (p_tenant, 'key.retired', p_id::text, p_details);
    return true;
end
$$;
alter function drop_tenant_key owner to payhub_keys_keeper;
revoke all on function drop_tenant_key from public;
grant execute on function drop_tenant_key to payhub_keys_app;

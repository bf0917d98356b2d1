-- Adds versions to keys of persons: they open from now on, and seal nothing yet. Who was erased gets none. False: the
-- tenant's key that wrapped them is no longer in use, and nothing was kept.
create or replace function add_person_keys(
    p_tenant int, p_persons uuid[], p_versions int[], p_wrapped bytea[], p_tenant_key uuid
) returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    perform from tenant_keys
      where tenant_keys.tenant_id = p_tenant and tenant_keys.id = p_tenant_key and tenant_keys.retired_at is null
        for share;
    if not found then
        return false;
    end if;
    -- Whoever destroys them waits for this, or comes first.
    perform from holders
      where holders.tenant_id = p_tenant and holders.person_id = any (p_persons) order by holders.person_id for update;
    insert into person_keys (tenant_id, person_id, version, wrapped, tenant_key)
    select p_tenant, added.person_id, added.version, added.wrapped, p_tenant_key
      from unnest(p_persons, p_versions, p_wrapped) as added (person_id, version, wrapped)
      join holders on holders.tenant_id = p_tenant and holders.person_id = added.person_id
     where holders.destroyed_at is null and holders.version < added.version
        on conflict do nothing;
    return true;
end
$$;
alter function add_person_keys owner to payhub_keys_keeper;
revoke all on function add_person_keys from public;
grant execute on function add_person_keys to payhub_keys_app;

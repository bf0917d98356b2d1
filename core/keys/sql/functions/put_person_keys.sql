-- Keeps first keys of persons who have none; who was erased gets none. False: the tenant's key that wrapped them is no
-- longer in use, and nothing was kept.
create or replace function put_person_keys(p_tenant int, p_persons uuid[], p_wrapped bytea[], p_tenant_key uuid)
returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    -- Keeps it from being retired before this commits.
    perform from tenant_keys
      where tenant_keys.tenant_id = p_tenant and tenant_keys.id = p_tenant_key and tenant_keys.retired_at is null
        for share;
    if not found then
        return false;
    end if;

    with made as (
        insert into holders (tenant_id, person_id)
        select p_tenant, wanted.id from unnest(p_persons) as wanted (id) order by wanted.id
            on conflict do nothing
        returning holders.person_id
    ), kept as (
        insert into person_keys (tenant_id, person_id, version, wrapped, tenant_key)
        select p_tenant, made.person_id, 1, given.wrapped, p_tenant_key
          from made
          join unnest(p_persons, p_wrapped) as given (person_id, wrapped) on given.person_id = made.person_id
        returning person_keys.person_id
    )
    insert into key_events (tenant_id, what, about, details)
    select p_tenant, 'key.made', kept.person_id::text, jsonb_build_object('level', 'person', 'version', 1) from kept;
    return true;
end
$$;
alter function put_person_keys owner to payhub_keys_keeper;
revoke all on function put_person_keys from public;
grant execute on function put_person_keys to payhub_keys_app;

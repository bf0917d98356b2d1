-- Whose keys were destroyed, after a (tenant, person), of all tenants: ids and times alone.
create or replace function list_destroyed(p_after_tenant int, p_after_person uuid, p_limit int)
returns table (tenant_id int, person_id uuid, destroyed_at timestamptz)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select holders.tenant_id, holders.person_id, holders.destroyed_at
      from holders
     where holders.destroyed_at is not null
       and (holders.tenant_id, holders.person_id) > (p_after_tenant, p_after_person)
     order by holders.tenant_id, holders.person_id
     limit p_limit
$$;
alter function list_destroyed owner to payhub_keys_keeper;
revoke all on function list_destroyed from public;
grant execute on function list_destroyed to payhub_keys_app;

-- The trail has these.
create or replace function drop_key_events(p_tenants int[], p_ats timestamptz[], p_ids uuid[])
returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    delete from key_events
     using unnest(p_tenants, p_ats, p_ids) as told (tenant_id, at, id)
     where key_events.tenant_id = told.tenant_id and key_events.at = told.at and key_events.id = told.id
$$;
alter function drop_key_events owner to payhub_keys_keeper;
revoke all on function drop_key_events from public;
grant execute on function drop_key_events to payhub_keys_app;

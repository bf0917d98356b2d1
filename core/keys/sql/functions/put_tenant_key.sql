-- Keeps a tenant's first key for a purpose, unless there is one already.
create or replace function put_tenant_key(
    p_tenant int, p_id uuid, p_purpose smallint, p_wrapped bytea, p_wrapped_by text, p_details jsonb
) returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with made as (
        insert into tenant_keys (tenant_id, id, purpose, wrapped, wrapped_by)
        values (p_tenant, p_id, p_purpose, p_wrapped, p_wrapped_by)
            on conflict do nothing
        returning id
    )
    insert into key_events (tenant_id, what, about, details)
    select p_tenant, 'key.made', made.id::text, p_details from made
$$;
alter function put_tenant_key owner to payhub_keys_keeper;
revoke all on function put_tenant_key from public;
grant execute on function put_tenant_key to payhub_keys_app;

-- Puts a tenant's key in place that is wrapped anew, if it is still as it was read.
create or replace function rewrap_tenant_key(
    p_tenant int, p_id uuid, p_before bytea, p_after bytea, p_wrapped_by text, p_details jsonb
) returns boolean
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with done as (
        update tenant_keys set wrapped = p_after, wrapped_by = p_wrapped_by
         where tenant_id = p_tenant and id = p_id and wrapped = p_before
        returning id
    ), told as (
        insert into key_events (tenant_id, what, about, details)
        select p_tenant, 'key.rotated', done.id::text, p_details from done
        returning true
    )
    select exists (select from told)
$$;
alter function rewrap_tenant_key owner to payhub_keys_keeper;
revoke all on function rewrap_tenant_key from public;
grant execute on function rewrap_tenant_key to payhub_keys_app;

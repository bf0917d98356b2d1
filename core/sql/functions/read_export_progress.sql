-- How far exports are, of several tenants: (tenant, export) pair by pair. For hubs that watch them.
create or replace function read_export_progress(p_tenants int[], p_ids uuid[])
returns table (tenant_id int, id uuid, status smallint, total bigint, done bigint, json_size bigint, volumes int)
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    select one.tenant_id, one.id, one.status, one.total, one.done, one.json_size, one.volumes
      from unnest(p_tenants, p_ids) as wanted (tenant_id, id)
      join privacy_exports as one on one.tenant_id = wanted.tenant_id and one.id = wanted.id
$$;
alter function read_export_progress owner to payhub_ledger;
revoke all on function read_export_progress from public;
grant execute on function read_export_progress to payhub_app;

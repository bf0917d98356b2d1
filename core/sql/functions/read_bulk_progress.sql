-- How far bulks are, of several tenants: (tenant, bulk) pair by pair. For hubs that watch them.
create or replace function read_bulk_progress(p_tenants int[], p_ids uuid[])
returns table (
    tenant_id int, id uuid, status smallint, lines int, good int, through int, posted int, refused int
)
language sql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    select bulks.tenant_id, bulks.id, bulks.status, bulks.lines, bulks.good, bulks.through, bulks.posted, bulks.refused
      from unnest(p_tenants, p_ids) as wanted (tenant_id, id)
      join bulks on bulks.tenant_id = wanted.tenant_id and bulks.id = wanted.id
$$;
alter function read_bulk_progress owner to payhub_ledger;
revoke all on function read_bulk_progress from public;
grant execute on function read_bulk_progress to payhub_app;

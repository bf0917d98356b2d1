-- Writes the roots of batches for the log, as their posters found them, pair by pair. The first word stands.
create or replace function note_roots(p_tenants int[], p_batches bigint[], p_roots bytea[])
returns void
language sql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    update batches_unlogged
       set root = told.root
      from unnest(p_tenants, p_batches, p_roots) as told (tenant_id, batch, root)
     where batches_unlogged.tenant_id = told.tenant_id and batches_unlogged.batch = told.batch
       and batches_unlogged.root is null
$$;
alter function note_roots owner to payhub_ledger;
revoke all on function note_roots from public;
grant execute on function note_roots to payhub_app;

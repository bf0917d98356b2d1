-- Gives a worker the export that has waited longest, for so long; all tenants together. Whoever is not ready by then
-- loses it to another worker.
create or replace function claim_export(p_lease interval)
returns table (tenant_id int, id uuid)
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    update privacy_exports as export
       set status = 1, free_at = clock_timestamp() + p_lease
      from (
          select one.tenant_id, one.id
            from privacy_exports as one
           where one.status in (0, 1) and one.free_at <= clock_timestamp()
           order by one.free_at
           limit 1
             for update skip locked
      ) as next
     where export.tenant_id = next.tenant_id and export.id = next.id
    returning export.tenant_id, export.id
$$;
alter function claim_export owner to payhub_ledger;
revoke all on function claim_export from public;
grant execute on function claim_export to payhub_app;

-- Lets claimed schedules wait, with all that they are about: something that is no answer of the ledger is in the way,
-- and others would wait behind it for ever. For who holds their locks.
create or replace function put_off_schedules(p_tenants int[], p_ids uuid[], p_wait interval)
returns void
language sql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    update schedules
       set due_at = clock_timestamp() + p_wait
      from (select * from unnest(p_tenants, p_ids) as one (tenant_id, id) offset 0) as late
     where schedules.tenant_id = late.tenant_id and schedules.id = late.id
$$;
alter function put_off_schedules owner to payhub_ledger;
revoke all on function put_off_schedules from public;
grant execute on function put_off_schedules to payhub_app;

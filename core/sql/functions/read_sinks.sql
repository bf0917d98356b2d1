-- How far each sink was told of each tenant's log: leaves that it has not taken, and the moment of the first of them.
create or replace function read_sinks()
returns table (
    sink text, slug text, number bigint, behind bigint, waits_since timestamptz, last_taken_at timestamptz,
    fails int, failing_since timestamptz, code text
)
language sql stable security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    select one.sink, tenants.slug, one.number, log.size - one.number, next.judged_at, one.last_taken_at,
           one.fails, one.failing_since, one.code
      from sink_cursors as one
      join tenants on tenants.id = one.tenant_id
     cross join lateral (
          select coalesce(max(log_leaves.number) + 1, 0) as size
            from log_leaves
           where log_leaves.tenant_id = one.tenant_id
     ) log
      left join lateral (
          select log_leaves.judged_at
            from log_leaves
           where log_leaves.tenant_id = one.tenant_id and log_leaves.number >= one.number
           order by log_leaves.number
           limit 1
     ) next on true
     order by one.sink, tenants.slug
$$;
alter function read_sinks owner to payhub_ledger;
revoke all on function read_sinks from public;
grant execute on function read_sinks to payhub_app;

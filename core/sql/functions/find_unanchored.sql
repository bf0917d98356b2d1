-- The head of each tenant's log that a place is to take next, if there is a later one than it took last; with the size of
-- that, and the moment of the first head that it does not cover. Of all that were signed up to p_until the last one:
-- every place gets the same heads, whenever it asks. p_until null: the last round moment that has passed and settled.
create or replace function find_unanchored(p_place text, p_until timestamptz, p_stride interval, p_settled interval, p_limit int)
returns table (
    tenant_id int, size bigint, root bytea, sealed_at timestamptz, kid text, signature bytea,
    anchored_size bigint, waits_since timestamptz
)
language sql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
as $$
    select logs.tenant_id, newest.size, newest.root, newest.sealed_at, newest.kid, newest.signature,
           coalesce(taken.size, 0), coalesce(first.sealed_at, newest.sealed_at) as waits_since
      -- 0: the installation's own, of what belongs to no tenant.
      from (select 0 as tenant_id union all select tenants.id from tenants) as logs
      left join lateral (
          select anchors.size, anchors.sealed_at
            from anchors
           where anchors.tenant_id = logs.tenant_id and anchors.place = p_place
          offset 0
     ) taken on true
     cross join lateral (
          select log_heads.*
            from log_heads
           where log_heads.tenant_id = logs.tenant_id
             and log_heads.sealed_at <= coalesce(
                     p_until, date_bin(p_stride, clock_timestamp() - p_settled, timestamptz '2000-01-01 00:00:00Z')
                 )
           order by log_heads.size desc
           limit 1
     ) newest
      left join lateral (
          select log_heads.sealed_at
            from log_heads
           where log_heads.tenant_id = logs.tenant_id and log_heads.size > coalesce(taken.size, 0)
           order by log_heads.size
           limit 1
     ) first on true
     where taken.sealed_at is null or newest.sealed_at > taken.sealed_at
     order by waits_since
     limit p_limit
$$;
alter function find_unanchored owner to payhub_ledger;
revoke all on function find_unanchored from public;
grant execute on function find_unanchored to payhub_app;

-- What the tenant's log is to take next, in the transaction that makes it grow; nothing, if somebody else is at it. Batches
-- of payments with their roots, where the poster has told them; then audit entries, all of them for one leaf.
-- In the order of each account's numbers: of two batches on one account the later one has its number while it holds the
-- account, after the earlier one is committed, so whoever sees it sees both. A batch whose root is awaited is thus not
-- overtaken; what shares no account may come in any order. Each batch is taken once.
create or replace function claim_unlogged(p_tenant int, p_patience interval, p_limit int)
returns table (batch bigint, judged_at timestamptz, size int, root bytea, ids uuid[])
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    -- 7234905512 and the tenant: one process at a time makes a tenant's log grow.
    if not pg_try_advisory_xact_lock(723490551, p_tenant) then
        return;
    end if;
    return query
    select taken.batch, outbox.judged_at, cardinality(outbox.payment_ids), taken.root,
           case when taken.root is null then outbox.payment_ids end
      from (
          select batches_unlogged.batch, batches_unlogged.root
            from batches_unlogged
           where batches_unlogged.tenant_id = p_tenant
             -- Of the same statement, and so of the same moment: what is awaited and what overtakes it are seen together.
             and batches_unlogged.batch < coalesce((
                 select min(awaited.batch)
                   from batches_unlogged as awaited
                  where awaited.tenant_id = p_tenant and awaited.root is null and awaited.created_at >= now() - p_patience
             ), 9223372036854775807)
           order by batches_unlogged.batch
           limit p_limit
      ) as taken
     cross join lateral (
          select outbox.judged_at, outbox.payment_ids
            from outbox
           where outbox.tenant_id = p_tenant and outbox.batch = taken.batch
          offset 0
     ) as outbox
     order by taken.batch;
    return query
    select null::bigint, max(taken.at), count(*)::int, null::bytea, array_agg(taken.id order by taken.at, taken.id)
      from (
          select audit_unlogged.at, audit_unlogged.id
            from audit_unlogged
           where audit_unlogged.tenant_id = p_tenant
           order by audit_unlogged.at, audit_unlogged.id
           limit p_limit
      ) as taken
    having count(*) > 0;
end
$$;
alter function claim_unlogged owner to payhub_ledger;
revoke all on function claim_unlogged from public;
grant execute on function claim_unlogged to payhub_app;

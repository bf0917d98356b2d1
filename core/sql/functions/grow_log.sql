-- Writes what was claimed into the tenant's log: the leaves from p_first on, the nodes they make whole, the signed head.
-- A batch of payments keeps its own ids; those of the audit leaf are given.
create or replace function grow_log(
    p_tenant        int,
    p_first         bigint,
    p_batches       bigint[],
    p_roots         bytea[],
    p_audit_root    bytea,
    p_audit_at      timestamptz,
    p_audit_ids     uuid[],
    p_node_levels   smallint[],
    p_node_numbers  bigint[],
    p_node_hashes   bytea[],
    p_size          bigint,
    p_root          bytea,
    p_sealed_at     timestamptz,
    p_kid           text,
    p_signature     bytea
) returns void
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    insert into log_leaves (tenant_id, number, kind, batch, judged_at, ids, root)
    select p_tenant, p_first + taken.at - 1, 0, taken.batch, outbox.judged_at, outbox.payment_ids, taken.root
      from unnest(p_batches, p_roots) with ordinality as taken (batch, root, at)
     cross join lateral (
          select outbox.judged_at, outbox.payment_ids
            from outbox
           where outbox.tenant_id = p_tenant and outbox.batch = taken.batch
          offset 0
     ) outbox;
    delete from batches_unlogged
     using unnest(p_batches) as taken (batch)
     where batches_unlogged.tenant_id = p_tenant and batches_unlogged.batch = taken.batch;

    if p_audit_root is not null then
        insert into log_leaves (tenant_id, number, kind, batch, judged_at, ids, root)
        values (p_tenant, p_first + cardinality(p_batches), 1, p_first + cardinality(p_batches), p_audit_at, p_audit_ids, p_audit_root);
        -- No later one has come before the latest that was taken: two of one moment are told apart by their ids.
        delete from audit_unlogged
         where audit_unlogged.tenant_id = p_tenant and audit_unlogged.at <= p_audit_at and audit_unlogged.id = any (p_audit_ids);
    end if;

    insert into log_nodes (tenant_id, level, number, hash)
    select p_tenant, made.level, made.number, made.hash
      from unnest(p_node_levels, p_node_numbers, p_node_hashes) as made (level, number, hash);
    insert into log_heads (tenant_id, size, root, sealed_at, kid, signature)
    values (p_tenant, p_size, p_root, p_sealed_at, p_kid, p_signature);
end
$$;
alter function grow_log owner to payhub_ledger;
revoke all on function grow_log from public;
grant execute on function grow_log to payhub_app;

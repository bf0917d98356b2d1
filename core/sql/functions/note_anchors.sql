-- Writes down which heads a place has taken, and what a witness signed of them. It may be told again, and late: a
-- signature stays the first one, and nothing goes back in time.
create or replace function note_anchors(
    p_place       text,
    p_tenants     int[],
    p_sizes       bigint[],
    p_sealed_ats  timestamptz[],
    p_witnesses   text[],
    p_seen_ats    timestamptz[],
    p_signatures  bytea[]
) returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    insert into cosignatures (tenant_id, size, witness, seen_at, signature)
    select taken.tenant_id, taken.size, taken.witness, taken.seen_at, taken.signature
      from unnest(p_tenants, p_sizes, p_witnesses, p_seen_ats, p_signatures)
           as taken (tenant_id, size, witness, seen_at, signature)
     where taken.witness is not null
        on conflict do nothing;

    insert into anchors as known (tenant_id, place, size, sealed_at, anchored_at)
    select taken.tenant_id, p_place, taken.size, taken.sealed_at, clock_timestamp()
      from unnest(p_tenants, p_sizes, p_sealed_ats) as taken (tenant_id, size, sealed_at)
        on conflict (tenant_id, place) do update
       set size = excluded.size, sealed_at = excluded.sealed_at, anchored_at = excluded.anchored_at
     where known.sealed_at < excluded.sealed_at
$$;
alter function note_anchors owner to payhub_ledger;
revoke all on function note_anchors from public;
grant execute on function note_anchors to payhub_app;

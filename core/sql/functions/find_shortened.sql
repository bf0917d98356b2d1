-- Logs that are shorter than a place has seen them: cut off, or out of an old backup. Nothing that Payhub does makes one so.
create or replace function find_shortened(p_place text)
returns table (tenant_id int, size bigint, anchored_size bigint)
language sql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
as $$
    select anchors.tenant_id, coalesce(newest.size, 0), anchors.size
      from anchors
      left join lateral (
          select log_heads.size
            from log_heads
           where log_heads.tenant_id = anchors.tenant_id
           order by log_heads.size desc
           limit 1
     ) newest on true
     where anchors.place = p_place and coalesce(newest.size, 0) < anchors.size
$$;
alter function find_shortened owner to payhub_ledger;
revoke all on function find_shortened from public;
grant execute on function find_shortened to payhub_app;

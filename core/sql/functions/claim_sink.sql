-- Gives a worker logs with something to tell to a sink, each for so long, the longest waiting first; p_slugs null: all
-- tenants'. At most p_limit, and p_out_max with those that are out already. Claims of a sink follow each other, so that
-- two of them do not both count what the other one takes.
create or replace function claim_sink(
    p_sink     text,
    p_slugs    text[],
    p_at       timestamptz,
    p_limit    int,
    p_out_max  int,
    p_lease    interval
) returns table (
    tenant_id int, slug text, currency text, lease uuid, number bigint, taken int, fails int, failing_since timestamptz
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_out int;
begin
    perform pg_advisory_xact_lock(hashtextextended('claim_sink ' || p_sink, 0));
    select count(*)
      into v_out
      from sink_cursors as one
     where one.sink = p_sink and one.leased_until > p_at;
    return query
    with chosen as (
        select one.tenant_id, tenants.slug, tenants.currency
          from sink_cursors as one
          join tenants on tenants.id = one.tenant_id
         where one.sink = p_sink and one.due_at <= p_at and (one.lease is null or one.leased_until <= p_at)
           and (p_slugs is null or tenants.slug = any (p_slugs))
           and exists (
               select from log_leaves
                where log_leaves.tenant_id = one.tenant_id and log_leaves.number >= one.number
           )
         order by one.due_at, one.tenant_id
         limit greatest(least(p_limit, p_out_max - v_out), 0)
    )
    update sink_cursors as one
       set lease = gen_random_uuid(), leased_until = p_at + p_lease
      from chosen
     where one.tenant_id = chosen.tenant_id and one.sink = p_sink
    returning one.tenant_id, chosen.slug, chosen.currency, one.lease, one.number, one.taken, one.fails, one.failing_since;
end
$$;
alter function claim_sink owner to payhub_ledger;
revoke all on function claim_sink from public;
grant execute on function claim_sink to payhub_app;

-- Sets a sink back: a tenant's log is told again from the first leaf on of that moment or later. Returns that leaf's number
-- and how many there are from it on; null: nothing follows that log under this name. For the administrator: execution is
-- granted to nobody. Whatever is under way to the sink counts no more.
create or replace function replay_sink(p_sink text, p_slug text, p_from timestamptz, out number bigint, out leaves bigint)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_tenant  int;
    v_size    bigint;
    v_settled bigint;
begin
    select tenants.id into v_tenant from tenants where tenants.slug = p_slug;
    perform from sink_cursors where tenant_id = v_tenant and sink = p_sink for update;
    if not found then
        return;
    end if;
    select coalesce(max(log_leaves.number) + 1, 0) into v_size from log_leaves where log_leaves.tenant_id = v_tenant;
    -- What a head covers was done before it was signed, but for how far two clocks may be apart; behind it, leaf by leaf.
    select coalesce(max(log_heads.size), 0)
      into v_settled
      from log_heads
     where log_heads.tenant_id = v_tenant and log_heads.sealed_at < p_from - interval '1 minute';
    select log_leaves.number
      into replay_sink.number
      from log_leaves
     where log_leaves.tenant_id = v_tenant and log_leaves.number >= v_settled and log_leaves.judged_at >= p_from
     order by log_leaves.number
     limit 1;
    replay_sink.number := coalesce(replay_sink.number, v_size);
    leaves := v_size - replay_sink.number;
    update sink_cursors as one
       set number = replay_sink.number, taken = 0, due_at = clock_timestamp(), lease = null, leased_until = null
     where one.tenant_id = v_tenant and one.sink = p_sink;
    perform note_audit(
        v_tenant, 'sink.replayed', null, p_sink, null, null, null,
        jsonb_build_object('since', p_from, 'leaf', replay_sink.number)
    );
end
$$;
alter function replay_sink owner to payhub_ledger;
revoke all on function replay_sink from public;

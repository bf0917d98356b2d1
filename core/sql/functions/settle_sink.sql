-- Writes how far a claimed log has been told: the leaf that is next, and how many of its events were taken. False: the
-- claim is somebody else's by now, or none, and nothing was written.
--
-- p_keeps: the claim goes on for so long; null: it ends, and the log is due again at p_due_at. p_code: why nothing was
-- taken; null: all is well.
create or replace function settle_sink(
    p_tenant  int,
    p_sink    text,
    p_lease   uuid,
    p_at      timestamptz,
    p_number  bigint,
    p_taken   int,
    p_keeps   interval,
    p_due_at  timestamptz,
    p_code    text
) returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    -- Lost in a crash, it is told once more. Nobody waits for a disk for that.
    perform set_config('synchronous_commit', 'off', true);
    update sink_cursors as one
       set number = p_number,
           taken = p_taken,
           lease = case when p_keeps is not null then one.lease end,
           leased_until = p_at + p_keeps,
           due_at = coalesce(p_due_at, one.due_at),
           fails = case when p_code is null then 0 else one.fails + 1 end,
           failing_since = case when p_code is not null then coalesce(one.failing_since, p_at) end,
           code = p_code,
           last_taken_at = case when (p_number, p_taken) > (one.number, one.taken) then p_at else one.last_taken_at end
     where one.tenant_id = p_tenant and one.sink = p_sink and one.lease = p_lease;
    return found;
end
$$;
alter function settle_sink owner to payhub_ledger;
revoke all on function settle_sink from public;
grant execute on function settle_sink to payhub_app;

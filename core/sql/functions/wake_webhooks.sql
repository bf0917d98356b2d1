-- Cursors that are told everything and whose accounts have moved since become due. A payment writes nothing for it: an
-- account's version is the number of its last event. One worker at a time; all tenants together. Returns how many.
create or replace function wake_webhooks(p_at timestamptz)
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_count int;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('wake_webhooks', 0)) then
        return 0;
    end if;
    update webhook_cursors as one
       set due_at = p_at
      from accounts
     where one.due_at is null
       and accounts.tenant_id = one.tenant_id and accounts.id = one.account_id and accounts.version > one.number;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
alter function wake_webhooks owner to payhub_ledger;
revoke all on function wake_webhooks from public;
grant execute on function wake_webhooks to payhub_app;

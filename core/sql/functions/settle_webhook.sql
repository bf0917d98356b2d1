-- Writes down what became of the next event of a cursor, if the claim still holds: false if another worker has it, or
-- it was set back or removed meanwhile. p_outcome:
--   taken     the event was taken: the next one
--   passed    events up to p_number are not wanted
--   refused   this event was not taken: again at p_due_at
--   set_aside the same for good: it waits beside the stream for somebody, and the next one says that it is missing
--   failed    nothing is taken now, whatever it is: again at p_due_at, and nobody knocks before p_free_at
--   disabled  nothing is to be brought there any more: p_state
--   given_back nothing was tried: again at p_due_at; null: there is nothing to tell
-- Tries of the two kinds are counted apart: a refusal after an outage is the first one.
-- p_counts: whether a failure is one of the tries after which it is given up; the others only ask whether somebody is
-- back. p_again_at: the next that counts. p_heals: what is known of failures may be wrong now. p_keeps: for so long the
-- worker goes on with the cursor.
create or replace function settle_webhook(
    p_tenant    int,
    p_webhook   uuid,
    p_account   bigint,
    p_only      bigint,
    p_lease     uuid,
    p_at        timestamptz,
    p_outcome   text,
    p_number    bigint,
    p_due_at    timestamptz,
    p_keeps     interval,
    p_counts    boolean,
    p_again_at  timestamptz,
    p_free_at   timestamptz,
    p_state     smallint,
    p_heals     boolean,
    p_event_id  uuid,
    p_event     text,
    p_took_ms   int,
    p_status    smallint,
    p_code      text
) returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_fails int;
    v_tries smallint;
    v_code  text;
begin
    -- The webhook before its cursors, as everybody who changes both.
    if p_heals or p_outcome in ('set_aside', 'failed', 'disabled') then
        select webhooks.fails into v_fails
          from webhooks
         where webhooks.tenant_id = p_tenant and webhooks.id = p_webhook
           for no key update;
    else
        perform from webhooks
          where webhooks.tenant_id = p_tenant and webhooks.id = p_webhook
            for key share;
    end if;
    select one.tries, one.code into v_tries, v_code
      from webhook_cursors as one
     where one.tenant_id = p_tenant and one.webhook_id = p_webhook and one.account_id = p_account
       and one.only_number = p_only and one.lease = p_lease
       for update;
    if not found then
        return false;
    end if;
    if p_code is not null and (v_code = 'refused') <> (p_code = 'refused') then
        v_tries := 0;
    end if;
    if p_event_id is not null and (p_counts or p_outcome <> 'failed') then
        insert into webhook_attempts (tenant_id, webhook_id, account_id, number, event_id, event, at, took_ms, status, code, tries)
        values (p_tenant, p_webhook, p_account, p_number, p_event_id, p_event, p_at, p_took_ms, p_status, p_code, v_tries + 1);
    end if;
    if p_outcome = 'taken' and p_only > 0 then
        delete from webhook_cursors as one
         where one.tenant_id = p_tenant and one.webhook_id = p_webhook and one.account_id = p_account
           and one.only_number = p_only;
    elsif p_outcome in ('taken', 'passed', 'set_aside') and p_only = 0 then
        update webhook_cursors as one
           set number = p_number, tries = 0, failed_at = null, again_at = null, code = null,
               after_gap = p_outcome = 'set_aside' or (p_outcome = 'passed' and one.after_gap),
               due_at = p_due_at, lease = case when p_keeps is not null then one.lease end, leased_until = p_at + p_keeps
         where one.tenant_id = p_tenant and one.webhook_id = p_webhook and one.account_id = p_account
           and one.only_number = 0;
    else
        update webhook_cursors as one
           set tries = v_tries + case when p_counts then 1 else 0 end,
               failed_at = case when p_code is null then one.failed_at else coalesce(one.failed_at, p_at) end,
               again_at = coalesce(p_again_at, one.again_at), code = coalesce(p_code, one.code),
               is_aside = p_outcome = 'set_aside', due_at = p_due_at, lease = null, leased_until = null
         where one.tenant_id = p_tenant and one.webhook_id = p_webhook and one.account_id = p_account
           and one.only_number = p_only;
    end if;
    if p_outcome = 'set_aside' then
        insert into webhook_cursors (tenant_id, webhook_id, account_id, only_number, number, is_aside, due_at, failed_at, code)
        select p_tenant, p_webhook, p_account, p_number, p_number - 1, true, 'infinity', p_at, p_code
         where p_only = 0
            on conflict (tenant_id, webhook_id, account_id, only_number) do update
           set is_aside = true, due_at = 'infinity', code = excluded.code, lease = null, leased_until = null;
        update webhooks
           set asides_in_row = webhooks.asides_in_row + 1
         where webhooks.tenant_id = p_tenant and webhooks.id = p_webhook;
    elsif p_outcome = 'failed' then
        update webhooks
           set fails = webhooks.fails + 1, failing_since = coalesce(webhooks.failing_since, p_at), free_at = p_free_at
         where webhooks.tenant_id = p_tenant and webhooks.id = p_webhook;
    elsif p_outcome = 'disabled' then
        update webhooks
           set state = p_state, changed_at = p_at
         where webhooks.tenant_id = p_tenant and webhooks.id = p_webhook;
        update webhook_cursors as one
           set due_at = 'infinity', lease = null, leased_until = null
         where one.tenant_id = p_tenant and one.webhook_id = p_webhook;
    end if;
    if p_heals then
        update webhooks
           set fails = 0, failing_since = null, free_at = null,
               asides_in_row = case when p_outcome = 'taken' then 0 else webhooks.asides_in_row end,
               last_taken_at = case when p_outcome = 'taken' then p_at else webhooks.last_taken_at end
         where webhooks.tenant_id = p_tenant and webhooks.id = p_webhook;
        -- One failure may be one event's fault. After more, somebody is back, and what waits for them waits no longer.
        if v_fails > 1 then
            update webhook_cursors as one
               set due_at = p_at
             where one.tenant_id = p_tenant and one.webhook_id = p_webhook and one.failed_at is not null
               and one.code <> 'refused' and one.due_at > p_at and one.due_at < 'infinity';
        end if;
    end if;
    return true;
end
$$;
alter function settle_webhook owner to payhub_ledger;
revoke all on function settle_webhook from public;
grant execute on function settle_webhook to payhub_app;

-- Ends the keys and tills of somebody for whom none may speak any more, codes for tills to come, webhooks, and seats: those
-- of their people, and those that they hold themselves. For the functions that end their sessions; nobody else asks.
create or replace function end_machines(p_tenant int, p_person uuid)
returns void
language sql volatile security invoker
set search_path = payhub, pg_temp
as $$
    update api_keys
       set revoked_at = clock_timestamp()
     where api_keys.tenant_id = p_tenant and api_keys.person_id = p_person and api_keys.revoked_at is null;
    update terminals
       set revoked_at = clock_timestamp()
     where terminals.tenant_id = p_tenant and terminals.person_id = p_person and terminals.revoked_at is null;
    update pairing_codes
       set used_at = clock_timestamp()
     where pairing_codes.tenant_id = p_tenant and pairing_codes.person_id = p_person and pairing_codes.used_at is null;
    update webhooks
       set state = 5, changed_at = clock_timestamp()
     where webhooks.tenant_id = p_tenant and webhooks.person_id = p_person and webhooks.state <> 5;
    update webhook_cursors
       set due_at = 'infinity', lease = null, leased_until = null
      from webhooks
     where webhooks.tenant_id = p_tenant and webhooks.person_id = p_person
       and webhook_cursors.tenant_id = p_tenant and webhook_cursors.webhook_id = webhooks.id;
    update seats
       set ended_at = clock_timestamp()
     where seats.tenant_id = p_tenant and seats.ended_at is null
       and (seats.person_id = p_person or seats.holder = p_person and seats.accepted_at is not null);
    -- What they were still invited to waits for nobody, and does not say so.
    update seats
       set declined_at = clock_timestamp()
     where seats.tenant_id = p_tenant and seats.holder = p_person
       and seats.accepted_at is null and seats.declined_at is null and seats.ended_at is null;
$$;
alter function end_machines owner to payhub_ledger;
revoke all on function end_machines from public;

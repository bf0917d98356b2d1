-- The wall: the serving role sees the rows of the tenant that the transaction named, and nothing
-- before one is named. Forced, so that it holds for the tables' owner too.
-- After a local setting ends it reads '' and not null, hence the nullif.
do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'accounts', 'terms', 'payments', 'standings', 'shares', 'charges', 'outbox', 'acknowledgements', 'notices',
        'account_metadata', 'limits', 'rules', 'own_limits', 'payees', 'usages', 'decisions', 'audit_entries',
        'erased_persons', 'persons', 'profiles', 'credentials', 'sessions', 'refresh_tokens', 'devices',
        'factors', 'recovery_codes', 'log_in_tickets', 'spent_challenges', 'throttles', 'security_settings',
        'bulks', 'bulk_lines', 'bulk_words',
        'dispute_profiles', 'disputes', 'dispute_evidence', 'schedules', 'schedule_outcomes',
        'person_fields', 'held_fields', 'contact_codes', 'people_settings', 'role_requests',
        'spent_nonces', 'api_keys', 'terminals', 'pairing_codes', 'seats', 'identity_providers',
        'external_identities', 'webhooks', 'webhook_cursors', 'webhook_attempts', 'sink_cursors',
        'proof_salts', 'log_leaves', 'log_nodes', 'log_heads', 'audit_unlogged', 'batches_unlogged',
        'anchors', 'cosignatures', 'anchor_refusals', 'thinned_logs',
        'privacy_exports', 'privacy_export_pieces', 'consent_purposes', 'consents', 'disclosures', 'erasures',
        'retention_runs', 'incidents', 'incident_persons', 'privacy_requests',
        'bells', 'ladders', 'notice_settings', 'push_devices', 'deliveries', 'news'
    ] loop
        execute format('alter table %I enable row level security', v_table);
        execute format('alter table %I force row level security', v_table);
        execute format('drop policy if exists tenant_wall on %I', v_table);
        execute format($policy$
            create policy tenant_wall on %I for all to payhub_app
            using (tenant_id = (select nullif(current_setting('payhub.tenant_id', true), '')::int))
            with check (tenant_id = (select nullif(current_setting('payhub.tenant_id', true), '')::int))
        $policy$, v_table);
        -- The functions that work across tenants take the tenant as an argument and match it pair by pair.
        execute format('drop policy if exists ledger_works_for_all on %I', v_table);
        execute format($policy$
            create policy ledger_works_for_all on %I for all to payhub_ledger using (true) with check (true)
        $policy$, v_table);
    end loop;

    alter table tenants enable row level security;
    alter table tenants force row level security;
    drop policy if exists tenant_wall on tenants;
    create policy tenant_wall on tenants for select to payhub_app
        using (id = (select nullif(current_setting('payhub.tenant_id', true), '')::int));
    drop policy if exists ledger_works_for_all on tenants;
    create policy ledger_works_for_all on tenants for all to payhub_ledger using (true) with check (true);

    -- Keys belong to the instance, not to a tenant: read by every hub, written by the administrator.
    alter table signing_keys enable row level security;
    alter table signing_keys force row level security;
    drop policy if exists keys_are_read_by_hubs on signing_keys;
    create policy keys_are_read_by_hubs on signing_keys for select to payhub_app using (true);
    drop policy if exists ledger_works_for_all on signing_keys;
    create policy ledger_works_for_all on signing_keys for all to payhub_ledger using (true) with check (true);
end
$$;

-- What thin_heads reads and takes away, of all tenants.
do $$
declare
    v_table text;
begin
    foreach v_table in array array['tenants', 'log_heads', 'cosignatures', 'thinned_logs'] loop
        execute format('drop policy if exists thinner_works_for_all on %I', v_table);
        execute format(
            'create policy thinner_works_for_all on %I for all to payhub_thinner using (true) with check (true)', v_table
        );
    end loop;
end
$$;
grant select on tenants, cosignatures to payhub_thinner;
grant select, delete on log_heads to payhub_thinner;
grant select, insert, update on thinned_logs to payhub_thinner;

-- Money moves through functions alone: on the books the serving role may only look.
grant select on security_settings, limits, rules, own_limits, payees, usages, decisions, audit_entries, erased_persons to payhub_app;
grant select on tenants, signing_keys, accounts, terms, payments, standings, shares, charges, outbox, acknowledgements, notices to payhub_app;
grant select, insert, update, delete on persons, profiles, credentials, sessions, refresh_tokens, devices to payhub_app;
grant select, insert, update, delete on factors, recovery_codes to payhub_app;
-- What is left of a log-in is cleared away by a function.
grant select, insert, update on log_in_tickets, throttles to payhub_app;
grant select, insert on spent_challenges to payhub_app;
-- How somebody stands, and their role, functions say. To lock a row asks for the right to change it.
revoke update on persons from payhub_app;
grant update (tenant_id) on persons to payhub_app;
-- What is known of a person is added to, and never changed.
grant select, insert on person_fields to payhub_app;
grant select, insert, delete on held_fields to payhub_app;
grant select, insert on contact_codes to payhub_app;
grant update (tries_left, used_at) on contact_codes to payhub_app;
grant select on people_settings, role_requests to payhub_app;
-- A charge is asked for by its payee; whether it is paid, functions say.
grant insert (tenant_id, id, payee, amount, description, reference, description_sealed, reference_sealed, is_reusable,
              asked_by, lasts_s, expires_at)
    on charges to payhub_app;
-- A schedule is its payer's; what became of its dates is written by the function that pays them.
grant select, insert, update on schedules to payhub_app;
grant select on schedule_outcomes to payhub_app;
-- Words about an account are its owner's.
grant select, insert, delete on account_metadata to payhub_app;
-- A dispute's row says where an argument stands; evidence is added and never changed.
grant select, insert, update on dispute_profiles, disputes to payhub_app;
grant select, insert on dispute_evidence to payhub_app;
grant select, insert, update on bulks to payhub_app;
-- Lines are taken, marked, and dropped when their file is sent anew; money moves by none of them.
grant select, insert, update, delete on bulk_lines to payhub_app;
grant select, insert, delete on bulk_words to payhub_app;
-- What was used once stays used, until a worker forgets what is too old to be taken.
grant select, insert on spent_nonces to payhub_app;
-- What a key may do stands as it was made; that it was used, and that it ends, is written beside it.
grant select, insert on api_keys to payhub_app;
grant update (expires_at, revoked_at, successor, last_used_on, last_used_network) on api_keys to payhub_app;
-- A till's key and its account stand as they were paired.
grant select, insert on terminals, pairing_codes to payhub_app;
grant update (name_sealed, may_refund, session_id, revoked_at, last_used_on, last_used_network) on terminals to payhub_app;
grant update (attempts, used_at) on pairing_codes to payhub_app;
-- Who was invited to a seat, and by whom, stands as it was offered.
grant select, insert on seats to payhub_app;
grant update (name_sealed, scopes, accepted_at, declined_at, ended_at, ended_by, last_used_on) on seats to payhub_app;
-- A webhook is its merchant's; how far it has come and what was tried, functions write, and whoever replays sets it back.
grant select, insert, update, delete on webhooks, webhook_cursors to payhub_app;
grant select, delete on webhook_attempts to payhub_app;
-- How far an operator's sinks have been told, functions write.
grant select on sink_cursors to payhub_app;
-- Who says who somebody is, operators choose; who it is, is linked and forgotten, and never changed.
grant select, insert, update, delete on identity_providers to payhub_app;
grant select, insert, delete on external_identities to payhub_app;
grant select on proof_salts, log_leaves, log_nodes, log_heads, anchors, cosignatures, anchor_refusals to payhub_app;
-- What a person asked to be told is made by workers, and removed after a week or with the person.
grant select, insert, update, delete on privacy_exports, privacy_export_pieces to payhub_app;
grant select, insert, update on erasures, privacy_requests to payhub_app;
-- Added to and never changed, but that an erasure empties where a consent came from.
grant select, insert on consent_purposes, consents, disclosures, retention_runs, incidents, incident_persons
    to payhub_app;
grant update (session_id, door, network) on consents to payhub_app;
-- What is told to whom, functions say. How, tenants and people do; a phone is registered and goes, and never changes.
-- An erasure takes all of it.
grant select, delete on bells, deliveries to payhub_app;
grant select, insert, update, delete on ladders, notice_settings to payhub_app;
grant select, insert on news to payhub_app;
grant select, insert, delete on push_devices to payhub_app;
grant update (gone_at, gone_code) on push_devices to payhub_app;
-- What speaks for somebody, and what of a log-in is half way in, goes with them.
grant delete on api_keys, terminals, pairing_codes, log_in_tickets, contact_codes to payhub_app;
grant select, insert, update, delete on all tables in schema payhub to payhub_ledger;
grant usage on sequence outbox_batch_seq to payhub_ledger;
-- Not even the functions that work for all: what was done stays as it was written.
revoke update, delete
    on audit_entries, erased_persons, payments, shares, decisions, proof_salts, log_leaves, log_nodes, log_heads,
       cosignatures, anchor_refusals,
       consent_purposes, disclosures, incidents, incident_persons
    from payhub_ledger;
-- To lock a row asks for the right to change it; the trigger lets nobody use that.
grant update (tenant_id) on payments to payhub_ledger;

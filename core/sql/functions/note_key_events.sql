-- Writes into the trail what was done with keys, as the database of keys tells it, and keeps in mind who was erased. What
-- was told before is not written again.
create or replace function note_key_events(
    p_tenants   int[],
    p_ats       timestamptz[],
    p_ids       uuid[],
    p_whats     text[],
    p_abouts    text[],
    p_whys      text[],
    p_whos      uuid[],
    p_sessions  uuid[],
    p_networks  text[],
    p_details   text[]
) returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    insert into audit_entries (tenant_id, at, id, what, about, why, who, session_id, network, details)
    select told.tenant_id, told.at, told.id, told.what, told.about, told.why, told.who, told.session_id, told.network,
           told.details::jsonb
      from unnest(p_tenants, p_ats, p_ids, p_whats, p_abouts, p_whys, p_whos, p_sessions, p_networks, p_details)
           as told (tenant_id, at, id, what, about, why, who, session_id, network, details)
        on conflict do nothing;

    insert into erased_persons (tenant_id, person_id, erased_at)
    select told.tenant_id, told.about::uuid, told.at
      from unnest(p_tenants, p_ats, p_whats, p_abouts) as told (tenant_id, at, what, about)
     where told.what = 'key.destroyed'
        on conflict do nothing;
$$;
alter function note_key_events owner to payhub_ledger;
revoke all on function note_key_events from public;
grant execute on function note_key_events to payhub_app;

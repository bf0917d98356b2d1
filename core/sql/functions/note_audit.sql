-- Writes one entry into the audit trail, in the caller's transaction. The serving role may add entries and nothing else.
create or replace function note_audit(
    p_tenant   int,
    p_what     text,
    p_who      uuid,
    p_about    text,
    p_why      text,
    p_session  uuid,
    p_network  text,
    p_details  jsonb
) returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    insert into audit_entries (tenant_id, what, who, about, why, session_id, network, details)
    values (p_tenant, p_what, p_who, p_about, p_why, p_session, p_network, p_details)
$$;
alter function note_audit owner to payhub_ledger;
revoke all on function note_audit from public;
grant execute on function note_audit to payhub_app;

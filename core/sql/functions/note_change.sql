-- Writes down who changed which setting, and how it was before. Called by the functions that change settings, in the
-- same commit; nobody else may.
create or replace function note_change(p_tenant int, p_asked_by uuid, p_what text, p_key text, p_before jsonb, p_after jsonb)
returns void
language sql volatile security invoker
set search_path = payhub, pg_temp
as $$
    select note_audit(
        p_tenant, 'setting.' || p_what, p_asked_by, p_key, null, null, null,
        jsonb_build_object('before', p_before, 'after', p_after)
    )
$$;
alter function note_change owner to payhub_ledger;
revoke all on function note_change from public;

-- Writes down that a witness would not take a head, and that in the audit trail. Says whether it was news.
create or replace function note_anchor_refusal(
    p_tenant          int,
    p_place           text,
    p_kept_size       bigint,
    p_kept_root       bytea,
    p_kept_at         timestamptz,
    p_kept_kid        text,
    p_kept_signature  bytea,
    p_size            bigint,
    p_root            bytea,
    p_sealed_at       timestamptz,
    p_kid             text,
    p_signature       bytea
) returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    insert into anchor_refusals (
        tenant_id, place, kept_size, kept_root, kept_at, kept_kid, kept_signature, size, root, sealed_at, kid, signature
    )
    values (
        p_tenant, p_place, p_kept_size, p_kept_root, p_kept_at, p_kept_kid, p_kept_signature,
        p_size, p_root, p_sealed_at, p_kid, p_signature
    )
        on conflict do nothing;
    if not found then
        return false;
    end if;
    perform note_audit(
        p_tenant, 'log.refused', null, p_place, null, null, null,
        jsonb_build_object('size', p_size, 'kept_size', p_kept_size)
    );
    return true;
end
$$;
alter function note_anchor_refusal owner to payhub_ledger;
revoke all on function note_anchor_refusal from public;
grant execute on function note_anchor_refusal to payhub_app;

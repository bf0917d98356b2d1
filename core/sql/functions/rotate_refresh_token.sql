-- Takes a refresh token (its hash) for a fresh one. Outcomes:
--   rotated   the successor is stored
--   reused    it had been used longer than p_grace ago: a copy exists, and the session is now revoked
--   refused   unknown, or its session has ended, or its person is closed
--
-- Within the grace a used token is taken once more, by whoever comes: the first answer was lost on
-- its way, or two tabs asked at once. The grace counts from the first use and is not renewed.
-- p_now is null except in tests: all hubs share the database's clock.
create or replace function rotate_refresh_token(
    p_tenant     int,
    p_hash       bytea,
    p_successor  bytea,
    p_grace      interval,
    p_now        timestamptz,
    out outcome     text,
    out session_id  uuid,
    out person_id   uuid,
    out role        smallint
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_now      timestamptz;
    v_session  sessions;
    v_used_at  timestamptz;
begin
    outcome := 'refused';

    -- The session's lock makes its rotations wait for one another and for a revocation.
    select sessions.* into v_session
      from refresh_tokens
      join sessions on sessions.tenant_id = refresh_tokens.tenant_id and sessions.id = refresh_tokens.session_id
     where refresh_tokens.tenant_id = p_tenant and refresh_tokens.hash = p_hash
       for update of sessions;
    if not found then
        return;
    end if;
    v_now := coalesce(p_now, clock_timestamp());

    -- Read again now that the lock is held: whoever held it before may have used the token.
    select refresh_tokens.used_at into v_used_at
      from refresh_tokens
     where refresh_tokens.tenant_id = p_tenant and refresh_tokens.hash = p_hash;

    select persons.role into role
      from persons
     where persons.tenant_id = p_tenant and persons.id = v_session.person_id and persons.status <> 2;

    if role is null or v_session.revoked_at is not null or v_session.expires_at <= v_now then
        role := null;
        return;
    end if;
    session_id := v_session.id;
    person_id := v_session.person_id;

    if v_used_at is null then
        update refresh_tokens
           set used_at = v_now
         where refresh_tokens.tenant_id = p_tenant and refresh_tokens.hash = p_hash;
    elsif v_now > v_used_at + p_grace then
        update sessions
           set revoked_at = v_now
         where sessions.tenant_id = p_tenant and sessions.id = v_session.id;
        outcome := 'reused';
        return;
    end if;

    insert into refresh_tokens (tenant_id, hash, session_id, issued_at)
    values (p_tenant, p_successor, v_session.id, v_now);
    outcome := 'rotated';
end
$$;
alter function rotate_refresh_token owner to payhub_ledger;
revoke all on function rotate_refresh_token from public;
grant execute on function rotate_refresh_token to payhub_app;

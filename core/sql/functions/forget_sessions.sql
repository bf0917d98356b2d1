-- Removes sessions that ended longer than p_after ago, with their refresh tokens. Returns how many.
create or replace function forget_sessions(p_after interval, p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with ended as (
        select sessions.tenant_id, sessions.id
          from sessions
         where least(sessions.expires_at, sessions.revoked_at) < now() - p_after
         limit p_limit
           for update skip locked
    ), gone as (
        delete from sessions using ended
         where sessions.tenant_id = ended.tenant_id and sessions.id = ended.id
        returning 1
    )
    select count(*)::int from gone
$$;
alter function forget_sessions owner to payhub_ledger;
revoke all on function forget_sessions from public;
grant execute on function forget_sessions to payhub_app;

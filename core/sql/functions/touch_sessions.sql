-- Notes when sessions were last heard of: about once a minute and session, however many hubs hear it. Works across
-- tenants, matched pair by pair.
create or replace function touch_sessions(p_tenants int[], p_sessions uuid[], p_ats timestamptz[])
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
-- A few thousand pairs against millions of rows: index probes, whatever the statistics say.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_count int;
begin
    with seen as (
        select sessions.tenant_id, sessions.id, least(heard.at, clock_timestamp()) as at
          from unnest(p_tenants, p_sessions, p_ats) as heard (tenant_id, id, at)
          join sessions on sessions.tenant_id = heard.tenant_id and sessions.id = heard.id
         where coalesce(sessions.last_seen_at, sessions.created_at) < heard.at - interval '55 seconds'
         order by sessions.tenant_id, sessions.id
           -- Whoever holds the row ends or refreshes the session; it will be heard again.
           for no key update of sessions skip locked
    )
    update sessions
       set last_seen_at = seen.at
      from seen
     where sessions.tenant_id = seen.tenant_id and sessions.id = seen.id;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
alter function touch_sessions owner to payhub_ledger;
revoke all on function touch_sessions from public;
grant execute on function touch_sessions to payhub_app;

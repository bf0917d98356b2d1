-- Which of these live sessions have ended: revoked, expired, erased, or of a person who is closed. Machines speak for
-- nobody who is not active: theirs are over for as long as that is so. A seat's session is over with the log-in that it
-- was opened from, and for as long as whoever logged in there is not active.
-- Across tenants in one call, matched pair by pair: a session under another tenant's id is
-- one that does not exist. p_now is null except in tests.
create or replace function find_revoked(p_tenants int[], p_sessions uuid[], p_now timestamptz)
returns table (tenant_id int, session_id uuid)
language plpgsql stable security definer
set search_path = payhub, pg_temp
-- A few thousand pairs against millions of rows: index probes, whatever the statistics say.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select live.tenant_id, live.session_id
      from unnest(p_tenants, p_sessions) as live (tenant_id, session_id)
      left join sessions on sessions.tenant_id = live.tenant_id and sessions.id = live.session_id
      left join persons on persons.tenant_id = sessions.tenant_id and persons.id = sessions.person_id
      -- By key and one by one: of nearly all there is no such log-in, and nothing is looked for.
      left join lateral (
          select logins.revoked_at is null and logins.expires_at > coalesce(p_now, now()) and exists (
                     select from persons as holders
                      where holders.tenant_id = logins.tenant_id and holders.id = logins.person_id
                        and holders.status = 0
                     offset 0
                 ) as lasts
            from sessions as logins
           where logins.tenant_id = sessions.tenant_id and logins.id = sessions.login_id
          offset 0
      ) as logins on true
     where sessions.id is null
        or sessions.revoked_at is not null
        or sessions.expires_at <= coalesce(p_now, now())
        or persons.status = 2
        or persons.status <> 0 and sessions.is_machines
        or sessions.login_id is not null and logins.lasts is not true;
end
$$;
alter function find_revoked owner to payhub_ledger;
revoke all on function find_revoked from public;
grant execute on function find_revoked to payhub_app;

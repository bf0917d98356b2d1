-- Exports whose files are due to be removed, the oldest first; all tenants together.
create or replace function find_expired_exports(p_limit int)
returns table (tenant_id int, id uuid)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select one.tenant_id, one.id
      from privacy_exports as one
     where one.status = 2 and one.expires_at <= clock_timestamp()
     order by one.expires_at
     limit p_limit
$$;
alter function find_expired_exports owner to payhub_ledger;
revoke all on function find_expired_exports from public;
grant execute on function find_expired_exports to payhub_app;

-- Whose streams of notices have gone on since p_since (null: now), less p_overlap: what was written before that moment may
-- have been committed after it. Works for all tenants: a hub asks once a second for everybody it serves.
create or replace function find_rung(p_since timestamptz, p_overlap interval)
returns table (tenant_id int, person_id uuid, number bigint, changed_at timestamptz)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select bells.tenant_id, bells.person_id, bells.number, bells.changed_at
      from bells
     where bells.changed_at > coalesce(p_since, clock_timestamp()) - p_overlap
     order by bells.changed_at
$$;
alter function find_rung owner to payhub_ledger;
revoke all on function find_rung from public;
grant execute on function find_rung to payhub_app;

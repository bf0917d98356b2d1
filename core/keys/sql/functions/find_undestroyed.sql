-- Which of these persons are not marked as destroyed, pair by pair.
create or replace function find_undestroyed(p_tenants int[], p_persons uuid[])
returns table (tenant_id int, person_id uuid)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select wanted.tenant_id, wanted.person_id
      from unnest(p_tenants, p_persons) as wanted (tenant_id, person_id)
     where not exists (
         select from holders
          where holders.tenant_id = wanted.tenant_id and holders.person_id = wanted.person_id
            and holders.destroyed_at is not null
     )
$$;
alter function find_undestroyed owner to payhub_keys_keeper;
revoke all on function find_undestroyed from public;
grant execute on function find_undestroyed to payhub_keys_app;

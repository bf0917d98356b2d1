-- Which of these persons are not known here as erased, pair by pair.
create or replace function find_unerased(p_tenants int[], p_persons uuid[])
returns table (tenant_id int, person_id uuid)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select wanted.tenant_id, wanted.person_id
      from unnest(p_tenants, p_persons) as wanted (tenant_id, person_id)
     where not exists (
         select from erased_persons
          where erased_persons.tenant_id = wanted.tenant_id and erased_persons.person_id = wanted.person_id
     )
$$;
alter function find_unerased owner to payhub_ledger;
revoke all on function find_unerased from public;
grant execute on function find_unerased to payhub_app;

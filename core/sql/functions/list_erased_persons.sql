-- Who was erased, after a (tenant, person), of all tenants: ids alone.
create or replace function list_erased_persons(p_after_tenant int, p_after_person uuid, p_limit int)
returns table (tenant_id int, person_id uuid)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select erased_persons.tenant_id, erased_persons.person_id
      from erased_persons
     where (erased_persons.tenant_id, erased_persons.person_id) > (p_after_tenant, p_after_person)
     order by erased_persons.tenant_id, erased_persons.person_id
     limit p_limit
$$;
alter function list_erased_persons owner to payhub_ledger;
revoke all on function list_erased_persons from public;
grant execute on function list_erased_persons to payhub_app;

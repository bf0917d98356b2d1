-- Persons whose erasure has something to be done: what nobody is obliged to keep is not gone yet; the day has come in
-- their tenant's time zone; or the key is gone and the rows know nothing of it, as in a database that came out of an
-- older backup. All tenants together; p_now is for tests.
create or replace function find_due_erasures(p_now timestamptz, p_limit int)
returns table (tenant_id int, person_id uuid)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    (select erasures.tenant_id, erasures.person_id
       from erasures
       join tenants on tenants.id = erasures.tenant_id
      where (erasures.status <> 2 and erasures.due_on <= (p_now at time zone tenants.time_zone)::date
             or erasures.forgotten_at is null)
        and (erasures.rest_until is null or erasures.rest_until <= p_now)
      order by erasures.due_on, erasures.tenant_id, erasures.person_id
      limit p_limit)
    union
    (select persons.tenant_id, persons.id
       from erased_persons
       join persons on persons.tenant_id = erased_persons.tenant_id and persons.id = erased_persons.person_id
       left join erasures
         on erasures.tenant_id = erased_persons.tenant_id and erasures.person_id = erased_persons.person_id
      where (erasures.status is null or erasures.status <> 2)
        and (erasures.rest_until is null or erasures.rest_until <= p_now)
      limit p_limit)
$$;
alter function find_due_erasures owner to payhub_ledger;
revoke all on function find_due_erasures from public;
grant execute on function find_due_erasures to payhub_app;

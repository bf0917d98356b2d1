-- Of these persons those who stand otherwise than is known of them, matched pair by pair: how they stand, and whether
-- they may be paid and pay (core.people.standing). Null where nothing is known yet. Somebody who is not there is left out.
create or replace function find_restood(
    p_tenants int[], p_persons uuid[], p_statuses smallint[], p_are_paid boolean[], p_pay boolean[]
) returns table (tenant_id int, person_id uuid, status smallint, is_paid boolean, pays boolean)
language plpgsql stable security definer
set search_path = payhub, pg_temp
-- As find_revoked: index probes, whatever the statistics say.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select now_.tenant_id, now_.id, now_.status, now_.is_paid, now_.pays
      from unnest(p_tenants, p_persons, p_statuses, p_are_paid, p_pay) as known (tenant_id, id, status, is_paid, pays)
     cross join lateral (
         select persons.tenant_id, persons.id, persons.status,
                persons.status = 0 or persons.status = 3 and coalesce(settings.pending_are_paid, true) as is_paid,
                persons.status = 0 or persons.status = 3 and coalesce(settings.pending_pay, false) as pays
           from persons
           left join people_settings as settings on settings.tenant_id = persons.tenant_id
          where persons.tenant_id = known.tenant_id and persons.id = known.id
         offset 0
     ) now_
     where (now_.status, now_.is_paid, now_.pays) is distinct from (known.status, known.is_paid, known.pays);
end
$$;
alter function find_restood owner to payhub_ledger;
revoke all on function find_restood from public;
grant execute on function find_restood to payhub_app;

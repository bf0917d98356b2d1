-- All that the beginning of a session has to know, in one round trip: whether the session is over, who its person is and
-- how they stand, since when its device is known, how many notices they were left, and their accounts, oldest first. No
-- row: there is no such person.
-- What each means is said where it is asked alone: find_revoked, find_restood, read_session_start.
drop function if exists read_beginning(int, uuid, uuid);
create or replace function read_beginning(p_tenant int, p_person uuid, p_session uuid)
returns table (
    is_over boolean, role smallint, status smallint, is_paid boolean, pays boolean, name text, name_sealed bytea,
    began_at bigint, bell bigint, accounts bigint[], statuses smallint[], versions bigint[], balances bigint[],
    floors bigint[], helds bigint[]
)
language plpgsql volatile security invoker
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select exists (select from find_revoked(array[p_tenant], array[p_session], null)),
           persons.role, standing.status, standing.is_paid, standing.pays,
           profiles.display_name, profiles.display_name_sealed,
           read_session_start(p_tenant, p_session),
           coalesce((
               select bells.number from bells where bells.tenant_id = p_tenant and bells.person_id = p_person
           ), 0),
           own.ids, own.statuses, own.versions, own.balances, own.floors, own.helds
      from persons
     cross join lateral find_restood(
         array[p_tenant], array[p_person], array[null]::smallint[], array[null]::boolean[], array[null]::boolean[]
     ) as standing
      left join profiles on profiles.tenant_id = persons.tenant_id and profiles.person_id = persons.id
     cross join lateral (
         select array_agg(accounts.id order by accounts.opened_at, accounts.id) as ids,
                array_agg(accounts.status order by accounts.opened_at, accounts.id) as statuses,
                array_agg(accounts.version order by accounts.opened_at, accounts.id) as versions,
                array_agg(accounts.balance order by accounts.opened_at, accounts.id) as balances,
                array_agg(accounts.floor order by accounts.opened_at, accounts.id) as floors,
                array_agg(accounts.held order by accounts.opened_at, accounts.id) as helds
           from accounts
          where accounts.tenant_id = p_tenant and accounts.person_id = p_person
     ) as own
     where persons.tenant_id = p_tenant and persons.id = p_person;
end
$$;
alter function read_beginning owner to payhub_owner;
revoke all on function read_beginning from public;
grant execute on function read_beginning to payhub_app;

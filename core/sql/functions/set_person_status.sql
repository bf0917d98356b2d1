-- Says how somebody stands, and lets the ledger's accounts follow in the same commit. Outcomes:
--   set
--   not_found
--   person_closed      what is closed stays closed
--   last_operator      nobody would be left who can operate
--   account_not_empty  somebody is to be closed who still has, owes or has reserved money
--   field_missing      the tenant does not activate anybody without `field`
--   already_held       somebody is to be activated whose document (`field`) another one has shown
-- Anything but `set` leaves changes behind that the caller has to roll back.
-- A closed person's sessions are ended (`ended`), their keys and tills with them, and what was theirs alone may be
-- somebody else's. Of the staff, who is not active has no session of before, either: it may be following what only staff
-- sees. Machines of whoever is not active are only silent (find_revoked), and so are seats that they hold: their sessions
-- are in `ended`, and not revoked.
create or replace function set_person_status(
    p_tenant  int,
    p_person  uuid,
    p_status  smallint,
    p_reason  text,
    p_by      uuid,
    out outcome  text,
    out before   smallint,
    out field    smallint,
    out ended    uuid[]
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_role     smallint;
    v_account  smallint;
begin
    -- One at a time in a tenant: of two operators who remove each other, one finds out.
    perform pg_advisory_xact_lock(hashtextextended('staff ' || p_tenant, 0));
    select persons.role, persons.status into v_role, before
      from persons
     where persons.tenant_id = p_tenant and persons.id = p_person
       for update;
    if not found then
        outcome := 'not_found';
        return;
    end if;
    if before = 2 and p_status <> 2 then
        outcome := 'person_closed';
        return;
    end if;
    if v_role = 2 and p_status <> 0 and not exists (
        select from persons where tenant_id = p_tenant and role = 2 and status = 0 and id <> p_person
    ) then
        outcome := 'last_operator';
        return;
    end if;

    -- In the order in which payments lock them.
    perform from accounts
      where accounts.tenant_id = p_tenant and accounts.person_id = p_person
      order by accounts.id
        for update;
    if p_status = 2 and exists (
        select from accounts
         where accounts.tenant_id = p_tenant and accounts.person_id = p_person
           and (accounts.balance <> 0 or accounts.held <> 0)
    ) then
        outcome := 'account_not_empty';
        return;
    end if;

    if p_status = 0 and before <> 0 then
        select need.field into field
          from people_settings as settings
         cross join lateral unnest(
             case v_role when 0 then settings.customers_need when 1 then settings.merchants_need end
         ) as need (field)
         where settings.tenant_id = p_tenant
           and (
               select person_fields.sealed from person_fields
                where person_fields.tenant_id = p_tenant and person_fields.person_id = p_person
                  and person_fields.field = need.field
                order by person_fields.number desc
                limit 1
           ) is null
         limit 1;
        if found then
            outcome := 'field_missing';
            return;
        end if;

        -- To be activated is to be identified: the documents are this person's from now on.
        insert into held_fields (tenant_id, field, mark, person_id, number)
        select p_tenant, newest.field, newest.mark, p_person, newest.number
          from (values (1), (2)) as document (field)   -- core.people.fields.DOCUMENTS
         cross join lateral (
             select person_fields.* from person_fields
              where person_fields.tenant_id = p_tenant and person_fields.person_id = p_person
                and person_fields.field = document.field
              order by person_fields.number desc
              limit 1
         ) newest
         where newest.mark is not null
            on conflict do nothing;
        select newest.field into field
          from (values (1), (2)) as document (field)
         cross join lateral (
             select person_fields.* from person_fields
              where person_fields.tenant_id = p_tenant and person_fields.person_id = p_person
                and person_fields.field = document.field
              order by person_fields.number desc
              limit 1
         ) newest
         where newest.mark is not null
           and not exists (
               select from held_fields
                where held_fields.tenant_id = p_tenant and held_fields.field = newest.field
                  and held_fields.mark = newest.mark and held_fields.person_id = p_person
           )
         limit 1;
        if found then
            outcome := 'already_held';
            return;
        end if;
    end if;

    update persons
       set status = p_status, status_reason = p_reason, status_set_at = clock_timestamp(), status_set_by = p_by
     where persons.tenant_id = p_tenant and persons.id = p_person;
    v_account := account_status_of(p_tenant, p_status);
    update accounts
       set status = v_account
     where accounts.tenant_id = p_tenant and accounts.person_id = p_person and accounts.status <> v_account;

    if p_status = 2 then
        delete from held_fields where held_fields.tenant_id = p_tenant and held_fields.person_id = p_person;
        delete from role_requests where role_requests.tenant_id = p_tenant and role_requests.person_id = p_person;
    end if;
    if p_status = 2 or v_role >= 2 and p_status <> 0 then
        with over as (
            update sessions
               set revoked_at = clock_timestamp()
             where sessions.tenant_id = p_tenant and sessions.person_id = p_person and sessions.revoked_at is null
            returning sessions.id
        )
        select array_agg(over.id) into ended from over;
    elsif p_status <> 0 then
        select array_agg(sessions.id) into ended
          from (
              select sessions.* from sessions
               where sessions.tenant_id = p_tenant and sessions.person_id = p_person and sessions.is_machines
               union all
              select sessions.*
                from seats
                join sessions on sessions.tenant_id = seats.tenant_id and sessions.seat_id = seats.id
               where seats.tenant_id = p_tenant and seats.holder = p_person and seats.ended_at is null
          ) as sessions
         where sessions.revoked_at is null and sessions.expires_at > clock_timestamp();
    end if;
    if p_status = 2 then
        perform end_machines(p_tenant, p_person);
    end if;
    outcome := 'set';
end
$$;
alter function set_person_status owner to payhub_ledger;
revoke all on function set_person_status from public;
grant execute on function set_person_status to payhub_app;

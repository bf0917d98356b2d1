-- Ends a relationship: the person is closed and so are their accounts, and nobody can pay their open charges any more.
-- False: there is no such person. The accounts are locked as each payment locks them: nothing moves on them until the
-- caller's transaction ends, and if the caller finds something in the way and rolls back, nothing was closed.
create or replace function close_person(p_tenant int, p_person uuid, p_by uuid)
returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    -- One at a time in a tenant: of two operators who leave at once, one finds out that nobody would be left.
    perform pg_advisory_xact_lock(hashtextextended('staff ' || p_tenant, 0));
    perform from persons where persons.tenant_id = p_tenant and persons.id = p_person for update;
    if not found then
        return false;
    end if;
    update persons
       set status = 2,   -- core.people.persons.PersonStatus.CLOSED
           status_reason = 'own_wish',   -- core.people.standing.Reason
           status_set_at = clock_timestamp(), status_set_by = p_by
     where persons.tenant_id = p_tenant and persons.id = p_person and persons.status <> 2;
    delete from role_requests where role_requests.tenant_id = p_tenant and role_requests.person_id = p_person;
    perform from accounts
      where accounts.tenant_id = p_tenant and accounts.person_id = p_person
      order by accounts.id
        for update;
    update charges set status = 2   -- core.nouns.ChargeStatus.CANCELLED
      from accounts
     where accounts.tenant_id = p_tenant and accounts.person_id = p_person
       and charges.tenant_id = p_tenant and charges.payee = accounts.id and charges.status = 0;
    update accounts set status = 2   -- core.nouns.AccountStatus.CLOSED
     where accounts.tenant_id = p_tenant and accounts.person_id = p_person;
    return true;
end
$$;
alter function close_person owner to payhub_ledger;
revoke all on function close_person from public;
grant execute on function close_person to payhub_app;

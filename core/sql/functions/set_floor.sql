-- Changes how far below zero an account may go, from the next payment on. False: no such account.
--
-- The row lock puts the change between two batches. A balance that is already below the new floor
-- stays: it can receive, and not pay. No event is numbered, because no money moved. The tenant's own
-- books keep the floor they were created with.
create or replace function set_floor(p_tenant int, p_account bigint, p_floor bigint)
returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    if p_floor is null or p_floor not between -9007199254740991 and 0 then   -- core.nouns.BALANCE_MAX
        raise exception 'a floor is not above zero' using errcode = 'check_violation';
    end if;
    update accounts
       set floor = p_floor
     where accounts.tenant_id = p_tenant and accounts.id = p_account and accounts.person_id is not null;
    return found;
end
$$;
alter function set_floor owner to payhub_ledger;
revoke all on function set_floor from public;
grant execute on function set_floor to payhub_app;

-- Opens one account for each person, under the number proposed for it, and gives back the numbers
-- that were taken up. One that is missing from the answer was in use already: propose another.
-- A person of another tenant is a person who does not exist. What an account may is what its person may.
create or replace function open_accounts(
    p_tenant   int,
    p_persons  uuid[],
    p_ids      bigint[],
    p_floor    bigint
) returns setof bigint
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    if p_floor is null or p_floor not between -9007199254740991 and 0 then   -- core.nouns.BALANCE_MAX
        raise exception 'a floor is not above zero' using errcode = 'check_violation';
    end if;
    if exists (select from unnest(p_ids) as asked (id) where asked.id is null or asked.id <= 9999) then   -- core.nouns.SYSTEM_ACCOUNT_MAX
        raise exception 'the low account numbers are the tenant''s own' using errcode = 'check_violation';
    end if;

    return query
    insert into accounts (tenant_id, id, person_id, floor, status)
    select p_tenant, asked.id, asked.person_id, p_floor,
           case persons.status when 0 then 0 else account_status_of(p_tenant, persons.status) end
      from unnest(p_persons, p_ids) as asked (person_id, id)
      join persons on persons.tenant_id = p_tenant and persons.id = asked.person_id
    on conflict do nothing
    returning accounts.id;
end
$$;
alter function open_accounts owner to payhub_ledger;
revoke all on function open_accounts from public;
grant execute on function open_accounts to payhub_app;

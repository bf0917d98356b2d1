-- Writes what a tenant asks of its people, from now on; the accounts of those who are pending follow in the same commit.
create or replace function set_people_settings(
    p_tenant                   int,
    p_customers_begin_pending  boolean,
    p_merchants_begin_pending  boolean,
    p_pending_are_paid         boolean,
    p_pending_pay              boolean,
    p_customers_need           smallint[],
    p_merchants_need           smallint[],
    p_needs_second_operator    boolean
) returns void
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_account smallint;
begin
    insert into people_settings (
        tenant_id, customers_begin_pending, merchants_begin_pending, pending_are_paid, pending_pay, customers_need,
        merchants_need, needs_second_operator
    )
    values (
        p_tenant, p_customers_begin_pending, p_merchants_begin_pending, p_pending_are_paid, p_pending_pay,
        p_customers_need, p_merchants_need, p_needs_second_operator
    )
        on conflict (tenant_id) do update
       set customers_begin_pending = excluded.customers_begin_pending,
           merchants_begin_pending = excluded.merchants_begin_pending,
           pending_are_paid = excluded.pending_are_paid, pending_pay = excluded.pending_pay,
           customers_need = excluded.customers_need, merchants_need = excluded.merchants_need,
           needs_second_operator = excluded.needs_second_operator, updated_at = now();

    v_account := account_status_of(p_tenant, 3::smallint);
    -- In the order in which payments lock them.
    with theirs as (
        select accounts.id
          from persons
          join accounts on accounts.tenant_id = persons.tenant_id and accounts.person_id = persons.id
         where persons.tenant_id = p_tenant and persons.status = 3 and accounts.status <> v_account
         order by accounts.id
           for update of accounts
    )
    update accounts set status = v_account from theirs where accounts.tenant_id = p_tenant and accounts.id = theirs.id;
end
$$;
alter function set_people_settings owner to payhub_ledger;
revoke all on function set_people_settings from public;
grant execute on function set_people_settings to payhub_app;

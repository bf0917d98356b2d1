-- One payment by hand: what a careful engineer writes when there are no batches, for pgbench to call.
--
-- The same meaning as post_payments for a batch of one, into the same tables: an id that is known keeps its first
-- answer, accounts are locked in one order everywhere, the floor holds, refusals are recorded, the outbox row is
-- in the same commit. It lives only in the databases that the load test makes and drops; the product never calls it.
create or replace function payhub.single_payment(
    p_tenant       int,
    p_id           uuid,
    p_payer        bigint,
    p_payee        bigint,
    p_amount       bigint,
    p_asked_by     uuid,
    p_description  text,
    out status         smallint,
    out payer_balance  bigint,
    out payer_version  bigint,
    out payee_balance  bigint,
    out payee_version  bigint
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_known  payments;
    v_payer  accounts;
    v_payee  accounts;
begin
    if p_payer < p_payee then
        select * into v_payer from accounts where tenant_id = p_tenant and id = p_payer for no key update;
        select * into v_payee from accounts where tenant_id = p_tenant and id = p_payee for no key update;
    else
        select * into v_payee from accounts where tenant_id = p_tenant and id = p_payee for no key update;
        select * into v_payer from accounts where tenant_id = p_tenant and id = p_payer for no key update;
    end if;

    select * into v_known from payments where tenant_id = p_tenant and id = p_id;
    if found then
        status := case
            when v_known.payer is null then v_known.status
            when v_known.payer <> p_payer then 20
            when v_known.payee <> p_payee then 21
            when v_known.amount <> p_amount then 22
            when v_known.description is distinct from p_description then 23
            else v_known.status
        end;
        if status = 0 then
            payer_balance := v_known.payer_balance;
            payer_version := v_known.payer_version;
            payee_balance := v_known.payee_balance;
            payee_version := v_known.payee_version;
        end if;
        return;
    end if;

    status := case
        when p_amount <= 0 or p_amount > 10000000000000 then 30
        when p_payer = p_payee then 31
        when v_payer.id is null then 40
        when v_payee.id is null then 41
        when v_payer.status <> 0 then 42
        when v_payee.status <> 0 then 43
        when v_payer.balance - p_amount < v_payer.floor then 44
        when v_payer.balance - p_amount < -9007199254740991 then 45
        when v_payee.balance + p_amount > 9007199254740991 then 45
        else 0
    end;
    if status = 0 then
        payer_balance := v_payer.balance - p_amount;
        payer_version := v_payer.version + 1;
        payee_balance := v_payee.balance + p_amount;
        payee_version := v_payee.version + 1;
        update accounts set balance = payer_balance, version = payer_version where tenant_id = p_tenant and id = p_payer;
        update accounts set balance = payee_balance, version = payee_version where tenant_id = p_tenant and id = p_payee;
        insert into outbox (tenant_id, payment_ids, account_ids) values (p_tenant, array[p_id], array[p_payer, p_payee]);
    end if;
    insert into payments (
        tenant_id, id, status, payer, payee, amount, payer_version, payee_version,
        payer_balance, payee_balance, judged_at, asked_by, description
    ) values (
        p_tenant, p_id, status, p_payer, p_payee, p_amount, payer_version, payee_version,
        payer_balance, payee_balance, clock_timestamp(), p_asked_by, p_description
    );
end
$$;
alter function payhub.single_payment owner to payhub_ledger;
grant execute on function payhub.single_payment to payhub_app;

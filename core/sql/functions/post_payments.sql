-- Judges and posts a batch of payments, in order, in one commit.
--
-- Given: the batch's distinct accounts in (tenant, id) order, and for each payment its tenant, id,
-- body, and the positions (1-based) of its two accounts in that array. `same` is null unless the
-- batch repeats an id: then it holds, for each payment, the position of that id's first copy.
-- Gives: one array per answer field, in the payments' order. Statuses: core.nouns.PaymentStatus.
--
-- Set-based reads and writes with one loop in memory between them. The loop *is* the
-- sequential meaning: a batch of n equals n batches of one. Accounts are locked in one order
-- everywhere, so two batches cannot wait for each other.
create or replace function post_payments(
    p_account_tenants int[],
    p_account_ids     bigint[],
    p_tenants         int[],
    p_ids             uuid[],
    p_payers          bigint[],
    p_payees          bigint[],
    p_payer_at        int[],
    p_payee_at        int[],
    p_amounts         bigint[],
    p_descriptions    text[],
    p_asked_by        uuid[],
    p_same            int[],
    out statuses        smallint[],
    out payer_balances  bigint[],
    out payer_versions  bigint[],
    out payee_balances  bigint[],
    out payee_versions  bigint[],
    out judged_at_us    bigint[]
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
-- One plan, whatever the statistics say. A session keeps its plans, and statistics taken of a table of ten
-- rows must not read it whole when it has ten million. So every statement is driven by the batch's arrays and
-- has only one way to reach a table: a unique key, compared for equality (see the laterals and the upsert).
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    c_amount_max  constant bigint := 10000000000000;     -- core.nouns.AMOUNT_MAX
    c_balance_max constant bigint := 9007199254740991;   -- exact in every client's number type
    v_count     constant int := cardinality(p_ids);
    v_now       timestamptz;
    v_now_us    bigint;
    v_balances  bigint[];
    v_floors    bigint[];
    v_versions  bigint[];
    v_states    smallint[];
    v_known     record;
    v_fresh     boolean[] := array_fill(true, array[v_count]);
    v_changed   boolean[] := array_fill(false, array[cardinality(p_account_ids)]);
    v_any_fresh boolean := false;
    v_any_posted boolean := false;
    v_status    smallint;
    v_first     int;
    v_payer     int;
    v_payee     int;
    v_amount    bigint;
    v_payer_balance bigint;
    v_payee_balance bigint;
begin
    -- 1. Lock and read the accounts, in the order given. A missing account is a null.
    select array_agg(a.balance), array_agg(a.floor), array_agg(a.version), array_agg(a.status)
      into v_balances, v_floors, v_versions, v_states
      from unnest(p_account_tenants, p_account_ids) as wanted (tenant_id, id)
      left join lateral (
          select accounts.balance, accounts.floor, accounts.version, accounts.status
            from accounts
           where accounts.tenant_id = wanted.tenant_id and accounts.id = wanted.id
             for no key update
      ) a on true;

    -- Ledger time is read under the locks, so it does not run backwards along an account.
    v_now := clock_timestamp();
    v_now_us := (extract(epoch from v_now) * 1000000)::bigint;

    statuses       := array_fill(null::smallint, array[v_count]);
    payer_balances := array_fill(null::bigint, array[v_count]);
    payer_versions := payer_balances;
    payee_balances := payer_balances;
    payee_versions := payer_balances;
    judged_at_us   := array_fill(v_now_us, array[v_count]);

    -- 2. Ids already judged keep their first answer; another body is named by its first differing field.
    for v_known in
        select wanted.at, payments.*,
               (extract(epoch from payments.judged_at) * 1000000)::bigint as first_judged_at_us
          from unnest(p_tenants, p_ids) with ordinality as wanted (tenant_id, id, at)
         cross join lateral (
              select payments.*
                from payments
               where payments.tenant_id = wanted.tenant_id and payments.id = wanted.id
               offset 0
         ) payments
    loop
        v_first := v_known.at;
        v_fresh[v_first] := false;
        judged_at_us[v_first] := v_known.first_judged_at_us;
        statuses[v_first] := case
            when v_known.payer is null then v_known.status                                        -- fenced
            when v_known.payer <> p_payers[v_first] then 20                                       -- exists_with_different_payer
            when v_known.payee <> p_payees[v_first] then 21                                       -- exists_with_different_payee
            when v_known.amount <> p_amounts[v_first] then 22                                     -- exists_with_different_amount
            when v_known.description is distinct from p_descriptions[v_first] then 23             -- exists_with_different_description
            else v_known.status
        end;
        if statuses[v_first] = 0 then
            payer_balances[v_first] := v_known.payer_balance;
            payer_versions[v_first] := v_known.payer_version;
            payee_balances[v_first] := v_known.payee_balance;
            payee_versions[v_first] := v_known.payee_version;
        end if;
    end loop;

    -- 3. Judge the rest in order, in memory.
    for i in 1..v_count loop
        continue when not v_fresh[i];

        if p_same is not null and p_same[i] < i then
            v_fresh[i] := false;
            v_first := p_same[i];
            statuses[i] := case
                when p_payers[v_first] <> p_payers[i] then 20
                when p_payees[v_first] <> p_payees[i] then 21
                when p_amounts[v_first] <> p_amounts[i] then 22
                when p_descriptions[v_first] is distinct from p_descriptions[i] then 23
                else statuses[v_first]
            end;
            if statuses[i] = 0 then
                payer_balances[i] := payer_balances[v_first];
                payer_versions[i] := payer_versions[v_first];
                payee_balances[i] := payee_balances[v_first];
                payee_versions[i] := payee_versions[v_first];
            end if;
            continue;
        end if;

        v_any_fresh := true;
        v_payer := p_payer_at[i];
        v_payee := p_payee_at[i];
        v_amount := p_amounts[i];
        v_payer_balance := v_balances[v_payer] - v_amount;
        v_payee_balance := v_balances[v_payee] + v_amount;

        -- The order of these lines is the order of precedence, published in core.nouns.PaymentStatus.
        v_status := case
            when v_amount <= 0 or v_amount > c_amount_max then 30   -- amount_out_of_range
            when v_payer = v_payee then 31                          -- accounts_must_differ
            when v_payer_balance is null then 40                    -- payer_not_found
            when v_payee_balance is null then 41                    -- payee_not_found
            when v_states[v_payer] <> 0 then 42                     -- payer_not_open
            when v_states[v_payee] <> 0 then 43                     -- payee_not_open
            when v_payer_balance < v_floors[v_payer] then 44        -- insufficient_funds
            when v_payer_balance < -c_balance_max then 45           -- balance_out_of_range
            when v_payee_balance > c_balance_max then 45
            else 0                                                  -- posted
        end;
        statuses[i] := v_status;

        if v_status = 0 then
            v_any_posted := true;
            v_balances[v_payer] := v_payer_balance;
            v_balances[v_payee] := v_payee_balance;
            v_versions[v_payer] := v_versions[v_payer] + 1;
            v_versions[v_payee] := v_versions[v_payee] + 1;
            v_changed[v_payer] := true;
            v_changed[v_payee] := true;
            payer_balances[i] := v_payer_balance;
            payee_balances[i] := v_payee_balance;
            payer_versions[i] := v_versions[v_payer];
            payee_versions[i] := v_versions[v_payee];
        end if;
    end loop;

    -- 4. Write what was judged for the first time.
    if v_any_fresh then
        insert into payments (
            tenant_id, id, status, payer, payee, amount, payer_version, payee_version,
            payer_balance, payee_balance, judged_at, asked_by, description
        )
        select p_tenants[i], p_ids[i], statuses[i], p_payers[i], p_payees[i], p_amounts[i],
               payer_versions[i], payee_versions[i], payer_balances[i], payee_balances[i],
               v_now, p_asked_by[i], p_descriptions[i]
          from generate_series(1, v_count) as i
         where v_fresh[i]
         -- In one order everywhere, like the accounts: two batches, or a batch and a settlement, that meet the
         -- same new ids wait for each other one way only.
         order by p_tenants[i], p_ids[i];
    end if;

    if v_any_posted then
        -- Always the update: the rows are there and locked. As an insert it cannot be planned but by its key.
        insert into accounts (tenant_id, id, balance, version)
        select p_account_tenants[i], p_account_ids[i], v_balances[i], v_versions[i]
          from generate_series(1, cardinality(p_account_ids)) as i
         where v_changed[i]
            on conflict (tenant_id, id) do update set balance = excluded.balance, version = excluded.version;

        insert into outbox (tenant_id, payment_ids)
        select p_tenants[i], array_agg(p_ids[i])
          from generate_series(1, v_count) as i
         where v_fresh[i] and statuses[i] = 0
         group by 1;
    end if;
end
$$;
alter function post_payments owner to payhub_ledger;
revoke all on function post_payments from public;
grant execute on function post_payments to payhub_app;

-- Judges and posts a batch of payments, in order, in one commit. Payments, and every later step of their lives.
--
-- Given: the batch's distinct accounts in locking order (the fees accounts last), and for each payment its tenant,
-- id, body, and the positions (1-based) of its two accounts in that array. `same` is null unless the batch repeats
-- an id: then it holds, for each payment, the position of that id's first copy. All that follows is null where no
-- payment of the batch needs it:
--   sessions_at   when the asking session began, seconds since the epoch
--   sessions      the asking session
--   kinds, subjects, charges, options, metadata   of each payment
--   root_*      the payments and charges that the batch's steps are about, each once; root_at is a payment's place
--               there, as a life of its own or as a step in another's, and charge_at the place of the charge it pays
--   groups      neighbours with the same number are posted all or none
--   share_*     who else gets a part; shares_from and shares_to are a payment's places there
-- Gives: one array per answer field, in the payments' order (share_*: in the shares'); null where nothing is to be
-- said; `batches` is the row of the outbox that a payment is in, if this call did it. Statuses: core.nouns.PaymentStatus. Kinds: core.nouns.Kind. Measures and actions likewise.
--
-- Set-based reads and writes with one loop in memory between them. The loop *is* the
-- sequential meaning: a batch of n equals n batches of one. Accounts are locked in one order
-- everywhere, so two batches cannot wait for each other.
drop function if exists post_payments(
    int[], bigint[], int[], uuid[], bigint[], bigint[], int[], int[], bigint[], text[], uuid[], int[]
);
drop function if exists post_payments(
    int[], bigint[], int[], uuid[], bigint[], bigint[], int[], int[], bigint[], text[], uuid[], int[], bigint[],
    smallint[], uuid[], uuid[], jsonb[], jsonb[], int[], uuid[], int[], int[], int[], int[], int[], int[], bigint[]
);
drop function if exists post_payments(
    int[], bigint[], int[], uuid[], bigint[], bigint[], int[], int[], bigint[], text[], uuid[], int[], bigint[],
    smallint[], uuid[], uuid[], jsonb[], jsonb[], int[], uuid[], int[], int[], int[], int[], int[], int[], bigint[],
    uuid[]
);
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
    p_descriptions    bytea[],
    p_asked_by        uuid[],
    p_same            int[],
    p_sessions_at     bigint[] default null,
    p_kinds           smallint[] default null,
    p_subjects        uuid[] default null,
    p_charges         uuid[] default null,
    p_options         jsonb[] default null,
    p_metadata        jsonb[] default null,
    p_root_tenants    int[] default null,
    p_root_ids        uuid[] default null,
    p_root_at         int[] default null,
    p_charge_at       int[] default null,
    p_groups          int[] default null,
    p_shares_from     int[] default null,
    p_shares_to       int[] default null,
    p_share_at        int[] default null,
    p_share_amounts   bigint[] default null,
    p_sessions        uuid[] default null,
    out statuses        smallint[],
    out payer_balances  bigint[],
    out payer_versions  bigint[],
    out payee_balances  bigint[],
    out payee_versions  bigint[],
    out judged_at_us    bigint[],
    out holds           bigint[],
    out payer_helds     bigint[],
    out fees            bigint[],
    out fee_balances    bigint[],
    out fee_versions    bigint[],
    out shareds         bigint[],
    out share_balances  bigint[],
    out share_versions  bigint[],
    out amounts         bigint[],
    out rules           int[],
    out actions         smallint[],
    out batches         bigint[]
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
-- One plan, whatever the statistics say. A session keeps its plans, and statistics taken of a table of ten
-- rows must not read it whole when it has ten million. So every statement is driven by the batch's arrays and
-- has only one way to reach a table: a unique key, compared for equality (see the laterals and the upsert).
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
    c_amount_max  constant bigint := 10000000000000;     -- core.nouns.AMOUNT_MAX
    c_balance_max constant bigint := 9007199254740991;   -- exact in every client's number type
    c_fees        constant bigint := 3;                  -- core.nouns.SystemAccount.FEES
    c_lasts_s     constant int := 604800;                -- core.nouns.HOLD_LASTS_S
    c_measures    constant int := 16;                    -- more than core.nouns.Measure has
    v_count     constant int := cardinality(p_ids);
    v_places    int := cardinality(p_account_ids);
    v_has_steps constant boolean := p_kinds is not null;
    v_now       timestamptz;
    v_now_us    bigint;

    -- The batch's accounts, by place.
    v_balances  bigint[];
    v_helds     bigint[];
    v_floors    bigint[];
    v_versions  bigint[];
    v_states    smallint[];        -- core.nouns.AccountStatus: 0 may pay and be paid, 3 be paid alone
    v_terms     int[];
    v_limits    int[];
    v_changed   boolean[] := array_fill(false, array[v_places]);
    -- Their terms, where an account has any.
    v_has_terms boolean;
    v_fee_ppms  int[];
    v_fee_fixed bigint[];
    v_fee_mins  bigint[];
    v_fee_maxs  bigint[];
    v_returns   boolean[];
    v_tips      smallint[];
    -- The fees accounts: each tenant's place among the accounts; beyond p_account_ids, they count from nothing
    -- until they are locked, after all judging, and their own numbers are added.
    v_fee_tenants int[] := '{}';
    v_fee_places  int[] := '{}';
    v_fee_at      int[];
    -- The rules that an account is under, by place, as a stretch of the rules below.
    v_has_limits boolean;
    v_rules_from int[];
    v_rules_to   int[];
    l_ids       int[] := '{}';
    l_measures  smallint[] := '{}';
    l_maxs      bigint[] := '{}';
    l_actions   smallint[] := '{}';
    l_withins   int[] := '{}';
    l_nights    date[] := '{}';    -- the evening that the night began, if it is night
    l_are_own   boolean[] := '{}';
    -- What these accounts' owners set for themselves, by place and measure; and what they used, by place.
    o_maxs      bigint[];
    v_locals    timestamp[];
    u_days      date[];
    u_day_sums  bigint[];
    u_nights    date[];
    u_night_sums bigint[];
    u_months    date[];
    u_month_sums bigint[];
    u_full_ats  timestamptz[];
    u_received_days date[];
    u_received_day_sums bigint[];
    u_received_months date[];
    u_received_month_sums bigint[];
    -- What the payer knows of the payee, by payment.
    k_since     timestamptz[];
    k_listings  smallint[];
    -- The rule that decided, by payment.
    d_measures  smallint[];
    d_measured  bigint[];
    d_maxs      bigint[];
    -- The payments that steps are about, by place: what they are and what their steps add up to.
    r_kinds     smallint[];
    r_statuses  smallint[];
    r_payers    bigint[];
    r_payees    bigint[];
    r_shareds   bigint[];
    r_helds     bigint[];
    r_captured  bigint[];
    r_refunded  bigint[];
    r_disputed  bigint[];
    r_fees      bigint[];
    r_returned  bigint[];
    r_maxs      bigint[];
    r_expires   timestamptz[];
    r_reviews   boolean[];
    r_changed   boolean[];
    -- The charges among them.
    c_payees    bigint[];
    c_amounts   bigint[];
    c_statuses  smallint[];
    c_expires   timestamptz[];
    c_reusable  boolean[];
    c_counts    bigint[];
    c_sums      bigint[];
    c_changed   boolean[];

    v_known     record;
    v_fresh     boolean[] := array_fill(true, array[v_count]);
    v_any_fresh boolean := false;
    v_any_posted boolean := false;
    v_any_decided boolean := false;
    v_any_review boolean := false;
    v_has_fees  boolean;
    v_is_simple boolean;           -- nobody is under limits, nothing is split or linked
    v_is_plain  boolean;           -- nothing but payments from one account to another, as most batches are
    -- The payment being judged.
    v_status    smallint;
    v_first     int;
    v_payer     int;
    v_payee     int;
    v_amount    bigint;
    v_payer_balance bigint;
    v_payee_balance bigint;
    v_payer_held    bigint;
    v_kind      smallint := 0;
    v_root      int;
    v_charge    int;
    v_stops     boolean := true;   -- whether an account's status stands in the way
    v_returning boolean := false;
    v_move      bigint;            -- from the payer's balance to the payee's
    v_hold      bigint := 0;       -- change of what is reserved on the payer's account
    v_fee       bigint := 0;
    v_fees_at   int;
    v_shared    bigint := 0;
    v_rule      int;
    v_action    smallint;
    v_measured  bigint;
    v_max       bigint;
    -- The group being judged, and how things stood before it.
    v_group         int;
    v_group_from    int;
    v_group_refused boolean;
    s_accounts  record;
    s_roots     record;
    s_usages    record;
begin
    -- 1. Lock and read the accounts, in the order given. A missing account is a null.
    select array_agg(a.balance), array_agg(a.held), array_agg(a.floor), array_agg(a.version), array_agg(a.status),
           array_agg(a.terms), count(a.terms) > 0, array_agg(a.limits), count(a.limits) > 0
      into v_balances, v_helds, v_floors, v_versions, v_states, v_terms, v_has_terms, v_limits, v_has_limits
      from unnest(p_account_tenants, p_account_ids) as wanted (tenant_id, id)
      left join lateral (
          select accounts.balance, accounts.held, accounts.floor, accounts.version, accounts.status, accounts.terms,
                 accounts.limits
            from accounts
           where accounts.tenant_id = wanted.tenant_id and accounts.id = wanted.id
             for no key update
      ) a on true;

    v_is_simple := not (v_has_limits or p_share_at is not null or p_groups is not null);
    v_is_plain := v_is_simple and not (v_has_steps or v_has_terms);

    -- Ledger time is read under the locks, so it does not run backwards along an account.
    v_now := clock_timestamp();
    v_now_us := (extract(epoch from v_now) * 1000000)::bigint;

    statuses       := array_fill(null::smallint, array[v_count]);
    payer_balances := array_fill(null::bigint, array[v_count]);
    payer_versions := payer_balances;
    payee_balances := payer_balances;
    payee_versions := payer_balances;
    judged_at_us   := array_fill(v_now_us, array[v_count]);
    if v_has_steps or v_has_limits then
        holds       := payer_balances;
        payer_helds := payer_balances;
    end if;
    if v_has_steps then
        amounts := payer_balances;
    end if;
    if p_share_at is not null then
        share_balances := array_fill(null::bigint, array[cardinality(p_share_at)]);
        share_versions := share_balances;
    end if;

    if v_has_terms then
        select array_agg(t.fee_ppm), array_agg(t.fee_fixed), array_agg(t.fee_min), array_agg(t.fee_max),
               array_agg(t.returns_fee), array_agg(t.tip_percent_max)
          into v_fee_ppms, v_fee_fixed, v_fee_mins, v_fee_maxs, v_returns, v_tips
          from unnest(p_account_tenants, v_terms) as wanted (tenant_id, id)
          left join lateral (
              select terms.*
                from terms
               where terms.tenant_id = wanted.tenant_id and terms.id = wanted.id
               offset 0
          ) t on true;
    end if;
    v_has_fees := v_has_terms or v_has_steps;
    if v_has_fees then
        -- Fees may be due. Where the batch has a tenant's fees account already, it is locked.
        for v_known in
            select one.tenant_id, min(one.place) filter (where one.id = c_fees)::int as place
              from unnest(p_account_tenants, p_account_ids) with ordinality as one (tenant_id, id, place)
             group by one.tenant_id
             order by one.tenant_id
        loop
            if v_known.place is null then
                v_places := v_places + 1;
                p_account_tenants := p_account_tenants || v_known.tenant_id;
                p_account_ids := p_account_ids || c_fees;
                v_balances := v_balances || 0::bigint;
                v_versions := v_versions || 0::bigint;
                v_helds := v_helds || 0::bigint;
                v_changed := v_changed || false;
            end if;
            v_fee_tenants := v_fee_tenants || v_known.tenant_id;
            v_fee_places := v_fee_places || coalesce(v_known.place, v_places);
        end loop;
        fees := payer_balances;
        fee_balances := fees;
        fee_versions := fees;
        v_fee_at := array_fill(null::int, array[v_count]);
    end if;
    if p_share_at is not null then
        shareds := payer_balances;
    end if;

    if v_has_limits then
        -- 2. The rules, what was set and used, and whom the payers know.
        rules        := array_fill(null::int, array[v_count]);
        actions      := statuses;
        d_measures   := statuses;
        d_measured   := payer_balances;
        d_maxs       := payer_balances;
        v_rules_from := array_fill(null::int, array[v_places]);
        v_rules_to   := v_rules_from;
        for v_known in
            select places.at, rule.*,
                   case
                       when case when rule.night_from < rule.night_to
                                 then place.now::time >= rule.night_from and place.now::time < rule.night_to
                                 else place.now::time >= rule.night_from or place.now::time < rule.night_to
                            end
                       then (place.now - rule.night_to::interval)::date
                   end as night
              from (
                  select one.tenant_id, one.limits, array_agg(one.place::int) as at
                    from unnest(p_account_tenants, v_limits) with ordinality as one (tenant_id, limits, place)
                   where one.limits is not null
                   group by one.tenant_id, one.limits
              ) as places
             cross join lateral (
                  select v_now at time zone tenants.time_zone as now
                    from tenants
                   where tenants.id = places.tenant_id
                  offset 0
             ) place
             cross join lateral (
                  select ruled.*
                    from rules as ruled
                   where ruled.tenant_id = places.tenant_id and ruled.limits = places.limits and ruled.is_on
                   order by ruled.id
                  offset 0
             ) rule
        loop
            l_ids := l_ids || v_known.id;
            l_measures := l_measures || v_known.measure;
            l_maxs := l_maxs || v_known.max;
            l_actions := l_actions || v_known.action;
            l_withins := l_withins || v_known.within_s;
            l_nights := l_nights || v_known.night;
            l_are_own := l_are_own || (v_known.own_max is not null);
            foreach v_first in array v_known.at loop
                v_rules_from[v_first] := coalesce(v_rules_from[v_first], cardinality(l_ids));
                v_rules_to[v_first] := cardinality(l_ids);
            end loop;
        end loop;
        o_maxs := array_fill(null::bigint, array[v_places * c_measures]);
        for v_known in
            select wanted.place, own.measure,
                   case when own.next_from <= v_now then own.next_max else own.max end as max
              from unnest(p_account_tenants, p_account_ids, v_limits) with ordinality as wanted (tenant_id, id, limits, place)
             cross join lateral (
                  select own_limits.*
                    from own_limits
                   where own_limits.tenant_id = wanted.tenant_id and own_limits.account_id = wanted.id
                   offset 0
             ) own
             where wanted.limits is not null
        loop
            o_maxs[v_known.place * c_measures + v_known.measure - c_measures] := v_known.max;
        end loop;
        select array_agg(case when wanted.limits is not null then v_now at time zone tenant.time_zone end),
               array_agg(used.day), array_agg(used.day_sum), array_agg(used.night), array_agg(used.night_sum),
               array_agg(used.month), array_agg(used.month_sum), array_agg(used.full_at),
               array_agg(used.received_day), array_agg(used.received_day_sum),
               array_agg(used.received_month), array_agg(used.received_month_sum)
          into v_locals, u_days, u_day_sums, u_nights, u_night_sums, u_months, u_month_sums, u_full_ats,
               u_received_days, u_received_day_sums, u_received_months, u_received_month_sums
          from unnest(p_account_tenants, p_account_ids, v_limits) as wanted (tenant_id, id, limits)
          left join lateral (
              select tenants.time_zone from tenants where tenants.id = wanted.tenant_id offset 0
          ) tenant on true
          left join lateral (
              select usages.*
                from usages
               where usages.tenant_id = wanted.tenant_id and usages.account_id = wanted.id
               offset 0
          ) used on true;
        k_since := array_fill(null::timestamptz, array[v_count]);
        k_listings := statuses;
        for v_known in
            select wanted.at, known.since, known.listing
              from unnest(p_tenants, p_payers, p_payees, p_payer_at) with ordinality as wanted (tenant_id, payer, payee, payer_at, at)
             cross join lateral (
                  -- Its own list and everybody's; a denial is stronger.
                  select min(payees.since) filter (where payees.account_id <> 0) as since,
                         max(payees.listing) filter (where payees.listed_from <= v_now) as listing
                    from payees
                   where payees.tenant_id = wanted.tenant_id and payees.account_id = any (array[wanted.payer, 0])
                     and payees.payee = wanted.payee
             ) known
             where v_limits[wanted.payer_at] is not null
        loop
            k_since[v_known.at] := v_known.since;
            k_listings[v_known.at] := v_known.listing;
        end loop;
    end if;

    -- 3. What the steps are about. Their accounts are locked, so what is read here stays true.
    if p_root_ids is not null then
        r_kinds    := array_fill(null::smallint, array[cardinality(p_root_ids)]);
        r_statuses := r_kinds;
        r_payers   := array_fill(null::bigint, array[cardinality(p_root_ids)]);
        r_payees   := r_payers;
        r_shareds  := r_payers;
        r_helds    := r_payers;
        r_captured := r_payers;
        r_refunded := r_payers;
        r_disputed := r_payers;
        r_fees     := r_payers;
        r_returned := r_payers;
        r_maxs     := r_payers;
        r_expires  := array_fill(null::timestamptz, array[cardinality(p_root_ids)]);
        r_reviews  := array_fill(false, array[cardinality(p_root_ids)]);
        r_changed  := r_reviews;
        c_payees   := r_payers;
        c_amounts  := r_payers;
        c_statuses := r_kinds;
        c_expires  := r_expires;
        c_reusable := array_fill(null::boolean, array[cardinality(p_root_ids)]);
        c_counts   := r_payers;
        c_sums     := r_payers;
        c_changed  := r_reviews;
        for v_known in
            select wanted.at, paid.kind, paid.status, paid.payer, paid.payee, paid.amount, paid.fee as paid_fee,
                   coalesce(standing.shared, paid.shared, 0) as shared, standing.held, standing.captured, standing.refunded, standing.disputed, standing.fee,
                   standing.fee_returned, standing.capture_max, standing.expires_at, standing.in_review
              from unnest(p_root_tenants, p_root_ids) with ordinality as wanted (tenant_id, id, at)
             cross join lateral (
                  select payments.*
                    from payments
                   where payments.tenant_id = wanted.tenant_id and payments.id = wanted.id
                   offset 0
             ) paid
              left join lateral (
                  select standings.*
                    from standings
                   where standings.tenant_id = wanted.tenant_id and standings.payment_id = wanted.id
                   offset 0
             ) standing on true
        loop
            v_root := v_known.at;
            r_kinds[v_root] := v_known.kind;
            r_statuses[v_root] := v_known.status;
            r_payers[v_root] := v_known.payer;
            r_payees[v_root] := v_known.payee;
            r_shareds[v_root] := v_known.shared;
            r_helds[v_root] := coalesce(v_known.held, 0);
            r_captured[v_root] := coalesce(v_known.captured, v_known.amount);
            r_refunded[v_root] := coalesce(v_known.refunded, 0);
            r_disputed[v_root] := coalesce(v_known.disputed, 0);
            r_fees[v_root] := coalesce(v_known.fee, v_known.paid_fee, 0);
            r_returned[v_root] := coalesce(v_known.fee_returned, 0);
            r_maxs[v_root] := v_known.capture_max;
            r_expires[v_root] := v_known.expires_at;
            r_reviews[v_root] := coalesce(v_known.in_review, false);
        end loop;
    end if;
    if p_charge_at is not null then
        for v_known in
            select wanted.at, charge.*
              from unnest(p_root_tenants, p_root_ids) with ordinality as wanted (tenant_id, id, at)
             cross join lateral (
                  select charges.*
                    from charges
                   where charges.tenant_id = wanted.tenant_id and charges.id = wanted.id
                   offset 0
             ) charge
        loop
            v_root := v_known.at;
            c_payees[v_root] := v_known.payee;
            c_amounts[v_root] := v_known.amount;
            c_statuses[v_root] := v_known.status;
            c_expires[v_root] := v_known.expires_at;
            c_reusable[v_root] := v_known.is_reusable;
            c_counts[v_root] := v_known.paid_count;
            c_sums[v_root] := v_known.paid_amount;
        end loop;
        v_root := null;
    end if;

    -- 4. Ids already judged keep their first answer; another body is named by its first differing field.
    for v_known in
        select wanted.at, payments.*,
               (extract(epoch from payments.judged_at) * 1000000)::bigint as first_judged_at_us,
               decided.action
          from unnest(p_tenants, p_ids) with ordinality as wanted (tenant_id, id, at)
         cross join lateral (
              select payments.*
                from payments
               where payments.tenant_id = wanted.tenant_id and payments.id = wanted.id
               offset 0
         ) payments
          left join lateral (
              select decisions.action
                from decisions
               where payments.rule is not null
                 and decisions.tenant_id = wanted.tenant_id and decisions.payment_id = wanted.id
               offset 0
         ) decided on true
    loop
        v_first := v_known.at;
        v_fresh[v_first] := false;
        judged_at_us[v_first] := v_known.first_judged_at_us;
        statuses[v_first] := case
            when v_known.payer is null then v_known.status                                        -- fenced
            when v_known.kind <> coalesce(p_kinds[v_first], 0) then 24                            -- exists_with_different_kind
            when v_known.subject is distinct from p_subjects[v_first] then 25                     -- exists_with_different_subject
            when v_known.charge is distinct from p_charges[v_first] then 28                       -- exists_with_different_charge
            when v_known.payer <> p_payers[v_first] then 20                                       -- exists_with_different_payer
            when v_known.payee <> p_payees[v_first] then 21                                       -- exists_with_different_payee
            when v_known.amount <> p_amounts[v_first] and v_known.kind not in (3, 4, 6, 9, 10, 11)
             and (v_known.options -> 'available') is null then 22                                 -- exists_with_different_amount
            when v_known.description_sealed is distinct from p_descriptions[v_first] then 23      -- exists_with_different_description
            when v_known.options is distinct from p_options[v_first] then 26                      -- exists_with_different_options
            when v_known.metadata is distinct from p_metadata[v_first] then 27                    -- exists_with_different_metadata
            else v_known.status
        end;
        if statuses[v_first] = v_known.status and v_known.payer is not null then
            if v_known.rule is not null then
                if rules is null then
                    rules := array_fill(null::int, array[v_count]);
                    actions := array_fill(null::smallint, array[v_count]);
                end if;
                rules[v_first] := v_known.rule;
                actions[v_first] := v_known.action;
            end if;
            if v_known.payer_version is not null then
                payer_balances[v_first] := v_known.payer_balance;
                payer_versions[v_first] := v_known.payer_version;
                payee_balances[v_first] := v_known.payee_balance;
                payee_versions[v_first] := v_known.payee_version;
                if v_known.hold is not null then
                    if holds is null then
                        holds := array_fill(null::bigint, array[v_count]);
                        payer_helds := holds;
                    end if;
                    holds[v_first] := v_known.hold;
                    payer_helds[v_first] := v_known.payer_held;
                end if;
                if v_known.fee is not null then
                    if fees is null then
                        fees := array_fill(null::bigint, array[v_count]);
                        fee_balances := fees;
                        fee_versions := fees;
                    end if;
                    fees[v_first] := v_known.fee;
                    fee_balances[v_first] := v_known.fee_balance;
                    fee_versions[v_first] := v_known.fee_version;
                end if;
                if v_known.shared is not null then
                    shareds := coalesce(shareds, array_fill(null::bigint, array[v_count]));
                    shareds[v_first] := v_known.shared;
                end if;
                if v_known.kind in (3, 4, 6, 9, 10, 11) or (v_known.options -> 'available') is not null then
                    amounts := coalesce(amounts, array_fill(null::bigint, array[v_count]));
                    amounts[v_first] := v_known.amount;
                end if;
            end if;
        end if;
    end loop;

    -- 5. Judge the rest in order, in memory. One turn more than there are payments, to close the last group.
    for i in 1..v_count + 1 loop
        if p_groups is not null and p_groups[i] is distinct from v_group then
            if v_group is not null and v_group_refused then
                -- One of them was refused: none of them happened.
                v_balances := s_accounts.balances;
                v_helds := s_accounts.helds;
                v_versions := s_accounts.versions;
                v_changed := s_accounts.changed;
                if p_root_ids is not null then
                    r_kinds := s_roots.kinds;
                    r_statuses := s_roots.statuses;
                    r_payers := s_roots.payers;
                    r_payees := s_roots.payees;
                    r_shareds := s_roots.shareds;
                    r_helds := s_roots.helds;
                    r_captured := s_roots.captured;
                    r_refunded := s_roots.refunded;
                    r_disputed := s_roots.disputed;
                    r_fees := s_roots.fees;
                    r_returned := s_roots.returned;
                    r_reviews := s_roots.reviews;
                    r_changed := s_roots.changed;
                    c_statuses := s_roots.charges;
                    c_counts := s_roots.counts;
                    c_sums := s_roots.sums;
                    c_changed := s_roots.charged;
                end if;
                if v_has_limits then
                    u_days := s_usages.days;
                    u_day_sums := s_usages.day_sums;
                    u_nights := s_usages.nights;
                    u_night_sums := s_usages.night_sums;
                    u_months := s_usages.months;
                    u_month_sums := s_usages.month_sums;
                    u_full_ats := s_usages.full_ats;
                    u_received_days := s_usages.received_days;
                    u_received_day_sums := s_usages.received_day_sums;
                    u_received_months := s_usages.received_months;
                    u_received_month_sums := s_usages.received_month_sums;
                end if;
                for j in v_group_from..i - 1 loop
                    if statuses[j] <= 1
                       and (v_fresh[j] or p_same[j] < j and p_same[j] >= v_group_from and v_fresh[p_same[j]])
                    then
                        statuses[j] := 60;                                      -- linked_refused
                        payer_balances[j] := null;
                        payer_versions[j] := null;
                        payee_balances[j] := null;
                        payee_versions[j] := null;
                        if holds is not null then
                            holds[j] := null;
                            payer_helds[j] := null;
                        end if;
                        if amounts is not null then
                            amounts[j] := null;
                        end if;
                        if fees is not null then
                            fees[j] := null;
                            fee_balances[j] := null;
                            fee_versions[j] := null;
                            if v_fee_at is not null then
                                v_fee_at[j] := null;
                            end if;
                        end if;
                        if rules is not null then
                            rules[j] := null;
                            actions[j] := null;
                        end if;
                        if shareds is not null then
                            shareds[j] := null;
                        end if;
                        for k in coalesce(p_shares_from[j], 1)..coalesce(p_shares_to[j], 0) loop
                            share_balances[k] := null;
                            share_versions[k] := null;
                        end loop;
                    end if;
                end loop;
            end if;
            v_group := p_groups[i];
            v_group_from := i;
            v_group_refused := false;
            if v_group is not null then
                select v_balances as balances, v_helds as helds, v_versions as versions, v_changed as changed
                  into s_accounts;
                if p_root_ids is not null then
                    select r_kinds as kinds, r_statuses as statuses, r_payers as payers, r_payees as payees,
                           r_shareds as shareds, r_helds as helds, r_captured as captured, r_refunded as refunded,
                           r_disputed as disputed, r_fees as fees, r_returned as returned, r_reviews as reviews,
                           r_changed as changed, c_statuses as charges, c_counts as counts, c_sums as sums,
                           c_changed as charged
                      into s_roots;
                end if;
                if v_has_limits then
                    select u_days as days, u_day_sums as day_sums, u_nights as nights, u_night_sums as night_sums,
                           u_months as months, u_month_sums as month_sums, u_full_ats as full_ats,
                           u_received_days as received_days, u_received_day_sums as received_day_sums,
                           u_received_months as received_months, u_received_month_sums as received_month_sums
                      into s_usages;
                end if;
            end if;
        end if;
        exit when i > v_count;

        if not v_fresh[i] then
            v_group_refused := v_group_refused or statuses[i] > 1;
            continue;
        end if;

        if p_same is not null and p_same[i] < i then
            v_fresh[i] := false;
            v_first := p_same[i];
            statuses[i] := case
                when statuses[v_first] = 10 then 10
                when p_kinds[v_first] <> p_kinds[i] then 24
                when p_subjects[v_first] is distinct from p_subjects[i] then 25
                when p_charges[v_first] is distinct from p_charges[i] then 28
                when p_payers[v_first] <> p_payers[i] then 20
                when p_payees[v_first] <> p_payees[i] then 21
                when p_amounts[v_first] <> p_amounts[i] and coalesce(p_kinds[i], 0) not in (3, 4, 6, 9, 10, 11)
                 and (p_options[v_first] -> 'available') is null then 22
                when p_descriptions[v_first] is distinct from p_descriptions[i] then 23
                when p_options[v_first] is distinct from p_options[i] then 26
                when p_metadata[v_first] is distinct from p_metadata[i] then 27
                else statuses[v_first]
            end;
            if statuses[i] = statuses[v_first] and rules is not null then
                rules[i] := rules[v_first];
                actions[i] := actions[v_first];
            end if;
            if statuses[i] <= 1 then
                payer_balances[i] := payer_balances[v_first];
                payer_versions[i] := payer_versions[v_first];
                payee_balances[i] := payee_balances[v_first];
                payee_versions[i] := payee_versions[v_first];
                if holds is not null then
                    holds[i] := holds[v_first];
                    payer_helds[i] := payer_helds[v_first];
                end if;
                if amounts is not null then
                    amounts[i] := amounts[v_first];
                end if;
                if fees is not null then
                    fees[i] := fees[v_first];
                    fee_balances[i] := fee_balances[v_first];
                    fee_versions[i] := fee_versions[v_first];
                    if v_fee_at is not null then
                        v_fee_at[i] := v_fee_at[v_first];
                    end if;
                end if;
                if shareds is not null then
                    shareds[i] := shareds[v_first];
                end if;
            end if;
            v_group_refused := v_group_refused or statuses[i] > 1;
            continue;
        end if;

        v_any_fresh := true;
        v_payer := p_payer_at[i];
        v_payee := p_payee_at[i];
        v_amount := p_amounts[i];

        if v_has_steps then
            v_kind := p_kinds[i];
            v_root := p_root_at[i];
            v_charge := p_charge_at[i];
        end if;
        if v_is_simple and v_kind = 0 and v_root is null and v_charge is null then
            -- The short road of a payment from one account to another, at most with a fee: the lines further down,
            -- without what cannot be here. It saves a tenth of a batch's time.
            v_fee := 0;
            if v_has_terms and v_fee_ppms[v_payee] is not null and v_amount > 0 and v_amount <= c_amount_max then
                v_fee := least(
                    greatest((v_amount * v_fee_ppms[v_payee] + 500000) / 1000000 + v_fee_fixed[v_payee], v_fee_mins[v_payee]),
                    coalesce(v_fee_maxs[v_payee], v_amount),
                    v_amount
                );
            end if;
            v_payer_balance := v_balances[v_payer] - v_amount;
            v_payee_balance := v_balances[v_payee] + v_amount - v_fee;
            v_status := case
                when v_amount <= 0 or v_amount > c_amount_max then 30
                when v_payer = v_payee then 31
                when v_payer_balance is null then 40
                when v_payee_balance is null then 41
                when v_states[v_payer] <> 0 then 42
                when v_states[v_payee] not in (0, 3) then 43
                when v_payer_balance - v_helds[v_payer] < v_floors[v_payer] then 44
                when v_payer_balance < -c_balance_max or v_payee_balance > c_balance_max then 45
                else 0
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
                if v_fee <> 0 then
                    v_fees_at := v_fee_places[array_position(v_fee_tenants, p_tenants[i])];
                    v_balances[v_fees_at] := v_balances[v_fees_at] + v_fee;
                    v_versions[v_fees_at] := v_versions[v_fees_at] + 1;
                    v_changed[v_fees_at] := true;
                    fees[i] := v_fee;
                    fee_balances[i] := v_balances[v_fees_at];
                    fee_versions[i] := v_versions[v_fees_at];
                    v_fee_at[i] := v_fees_at;
                end if;
            end if;
            continue;
        end if;
        v_status := 0;
        v_move := v_amount;
        v_hold := 0;

        -- What kind of step is it, and may it be taken? It says what moves and what is reserved.
        if v_has_steps then
            if v_kind <= 1 then                                                 -- pay, authorize
                v_stops := true;
                v_returning := false;
                if v_kind = 1 then
                    v_move := 0;
                    v_hold := v_amount;
                end if;
            else
                v_stops := v_kind not in (3, 4, 7, 8, 9, 11);
                v_returning := v_kind in (5, 6, 8);
                if v_kind in (3, 4, 11) then                                    -- void, expire, decline
                    v_move := 0;
                    v_hold := -r_helds[v_root];
                    v_amount := -v_hold;
                elsif v_kind = 2 then                                           -- capture
                    v_hold := -case
                        when (p_options[i] -> 'final') is not null then r_helds[v_root]
                        else least(r_helds[v_root], v_amount)
                    end;
                elsif v_kind = 6 then                                           -- reverse
                    v_amount := r_captured[v_root];
                    v_move := v_amount;
                elsif v_kind = 7 then                                           -- dispute
                    if (p_options[i] -> 'available') is not null then
                        v_amount := least(
                            v_amount, greatest(v_balances[v_payer] - v_helds[v_payer] - v_floors[v_payer], 0)
                        );
                    end if;
                    v_move := 0;
                    v_hold := v_amount;
                elsif v_kind = 8 then                                           -- chargeback
                    v_hold := -case
                        when (p_options[i] -> 'final') is not null then r_disputed[v_root]
                        else least(r_disputed[v_root], v_amount)
                    end;
                elsif v_kind = 9 then                                           -- absolve
                    v_move := 0;
                    v_hold := -r_disputed[v_root];
                    v_amount := -v_hold;
                elsif v_kind = 10 then                                          -- release
                    v_amount := r_helds[v_root];
                    if r_kinds[v_root] = 0 then
                        v_move := v_amount;
                        v_hold := -v_amount;
                    else
                        v_move := 0;
                    end if;
                end if;
                v_status := case
                    when v_kind in (2, 5, 7, 8) and (p_amounts[i] <= 0 or p_amounts[i] > c_amount_max) then 30
                    when r_statuses[v_root] is null or r_statuses[v_root] > 1 or r_kinds[v_root] > 1
                      or case when v_kind in (5, 6, 7, 8, 9)
                              then r_payers[v_root] <> p_payees[i] or r_payees[v_root] <> p_payers[i]
                              else r_payers[v_root] <> p_payers[i] or r_payees[v_root] <> p_payees[i]
                         end
                      or v_kind in (2, 3) and r_kinds[v_root] <> 1
                      or v_kind = 4 and r_expires[v_root] is null then 50                         -- subject_not_found
                    when v_kind in (10, 11) and not r_reviews[v_root] then 62                     -- not_in_review
                    when v_kind = 2 and r_reviews[v_root] then 61                                 -- still_in_review
                    when v_kind in (2, 3, 4) and r_helds[v_root] = 0 then 51                      -- hold_closed
                    when v_kind = 9 and r_disputed[v_root] = 0 then 51
                    when v_kind in (2, 10) and v_now >= r_expires[v_root] then 52                 -- hold_expired
                    when v_kind = 4 and v_now < r_expires[v_root] then 53                         -- hold_not_expired
                    when v_kind = 2 and v_amount > greatest(r_helds[v_root], r_maxs[v_root] - r_captured[v_root])
                         then 54                                                                  -- capture_exceeds_hold
                    when v_kind = 7 and r_disputed[v_root] > 0 then 63                            -- dispute_open
                    when v_kind = 6 and r_disputed[v_root] > 0 then 63
                    when v_kind = 6 and (r_refunded[v_root] > 0 or r_captured[v_root] = 0) then 55
                    when v_kind = 5 and v_amount > r_captured[v_root] - r_refunded[v_root] - r_disputed[v_root]
                         then 55                                                                  -- refund_exceeds_captured
                    when v_kind in (7, 8) and p_amounts[i] > r_captured[v_root] - r_refunded[v_root] then 55
                    else 0
                end;
                if v_status = 0 then
                    -- The row says what it was.
                    p_amounts[i] := v_amount;
                end if;
            end if;
            if v_charge is not null and v_status = 0 and (v_kind = 0 or v_kind = 10 and r_kinds[v_root] = 0) then
                v_status := case
                    when v_amount <= 0 or v_amount > c_amount_max then 30
                    when c_payees[v_charge] is distinct from p_payees[i] then 56                  -- charge_not_found
                    when c_statuses[v_charge] <> 0 then 57                                        -- charge_closed
                    when v_now >= c_expires[v_charge] and v_kind = 0 then 58                      -- charge_expired
                    when c_amounts[v_charge] <> v_amount then 59                                  -- charge_amount_differs
                    else 0
                end;
            end if;
        end if;

        -- Do the rules let it through? What the last of these lines says comes first: one refusal is enough.
        v_rule := null;
        v_action := null;
        if v_has_limits and v_kind <= 1 and v_status = 0 and v_amount > 0 and v_states[v_payer] = 0
           and v_states[v_payee] in (0, 3) and (v_rules_to[v_payer] is not null or v_rules_to[v_payee] is not null)
           and v_payer <> v_payee
        then
            if k_listings[i] = 2 then
                v_status := 47;                                                                   -- payee_denied
            else
                for r in coalesce(v_rules_from[v_payer], 1)..coalesce(v_rules_to[v_payer], 0) loop
                    continue when l_measures[r] >= 11;
                    v_max := l_maxs[r];
                    if l_are_own[r] then
                        v_max := coalesce(o_maxs[v_payer * c_measures + l_measures[r] - c_measures], v_max);
                    end if;
                    v_measured := case l_measures[r]
                        when 1 then v_amount
                        when 2 then v_amount
                            + case when u_days[v_payer] = v_locals[v_payer]::date then u_day_sums[v_payer] else 0 end
                        when 3 then case
                            -- Whom the payer allowed beforehand may be paid at night.
                            when k_listings[i] is null and l_nights[r] is not null
                            then v_amount + case when u_nights[v_payer] = l_nights[r] then u_night_sums[v_payer] else 0 end
                        end
                        when 4 then v_amount
                            + case when u_months[v_payer] = date_trunc('month', v_locals[v_payer])::date
                                   then u_month_sums[v_payer] else 0 end
                        when 5 then 1 + ceil(
                            extract(epoch from greatest(u_full_ats[v_payer] - v_now, interval '0')) * l_maxs[r] / l_withins[r]
                        )::bigint
                        when 6 then case
                            when k_listings[i] is null
                             and (k_since[i] is null or k_since[i] > v_now - make_interval(secs => l_withins[r]))
                            then v_amount
                        end
                        when 7 then case
                            when p_sessions_at[i] > v_now_us / 1000000 - l_withins[r] then v_amount
                        end
                        when 8 then case
                            when p_sessions_at[i] > v_now_us / 1000000 - l_withins[r] then v_amount
                                + case when u_days[v_payer] = v_locals[v_payer]::date then u_day_sums[v_payer] else 0 end
                        end
                    end;
                    if v_measured > v_max and (v_action is null or l_actions[r] < v_action) then
                        v_rule := l_ids[r];
                        -- A group is posted now or not at all: nothing of it can wait for an operator.
                        v_action := case when v_group is not null and l_actions[r] = 2 then 1 else l_actions[r] end;
                        d_measures[i] := l_measures[r];
                        d_measured[i] := v_measured;
                        d_maxs[i] := v_max;
                        exit when v_action = 1;
                    end if;
                end loop;
                for r in coalesce(v_rules_from[v_payee], 1)..coalesce(v_rules_to[v_payee], 0) loop
                    exit when v_action = 1;
                    continue when l_measures[r] < 11;
                    v_measured := case l_measures[r]
                        when 11 then v_amount
                        when 12 then v_amount
                            + case when u_received_days[v_payee] = v_locals[v_payee]::date
                                   then u_received_day_sums[v_payee] else 0 end
                        when 13 then v_amount
                            + case when u_received_months[v_payee] = date_trunc('month', v_locals[v_payee])::date
                                   then u_received_month_sums[v_payee] else 0 end
                    end;
                    if v_measured > l_maxs[r] and (v_action is null or l_actions[r] < v_action) then
                        v_rule := l_ids[r];
                        v_action := case when v_group is not null and l_actions[r] = 2 then 1 else l_actions[r] end;
                        d_measures[i] := l_measures[r];
                        d_measured[i] := v_measured;
                        d_maxs[i] := l_maxs[r];
                    end if;
                end loop;
                if v_action = 1 then
                    v_status := 46;                                                               -- limit_exceeded
                elsif v_action = 2 then
                    -- It waits for an operator; its money is reserved meanwhile.
                    v_move := 0;
                    v_hold := v_amount;
                end if;
            end if;
        end if;

        -- Who gets what: the fee and the shares come out of what the payee gets.
        v_fee := 0;
        if v_has_fees and v_status = 0 and v_move > 0 then
            if v_returning then
                if v_kind = 6 then
                    v_fee := -r_fees[v_root];
                elsif v_has_terms and v_returns[v_payer] and r_fees[v_root] > 0 then
                    -- In proportion to all that is refunded so far, so that the last refund returns the rest.
                    v_fee := r_returned[v_root] - div(
                        r_fees[v_root]::numeric * (r_refunded[v_root] + v_amount), r_captured[v_root]
                    )::bigint;
                end if;
            elsif v_has_terms and v_fee_ppms[v_payee] is not null and v_amount <= c_amount_max then
                v_fee := least(
                    greatest((v_move * v_fee_ppms[v_payee] + 500000) / 1000000 + v_fee_fixed[v_payee], v_fee_mins[v_payee]),
                    coalesce(v_fee_maxs[v_payee], v_move),
                    v_move
                );
            end if;
            if v_fee <> 0 then
                v_fees_at := v_fee_places[array_position(v_fee_tenants, p_tenants[i])];
            end if;
        end if;
        v_shared := 0;
        if p_shares_from[i] is not null and v_status = 0 and (v_move > 0 or v_action is distinct from 2) then
            for k in p_shares_from[i]..p_shares_to[i] loop
                v_shared := v_shared + p_share_amounts[k];
                v_first := p_share_at[k];
                if p_share_amounts[k] <= 0 or p_share_amounts[k] > c_amount_max
                   or v_first in (v_payer, v_payee) or v_first = any (p_share_at[p_shares_from[i]:k - 1])
                   or v_balances[v_first] is null or p_account_ids[v_first] = c_fees
                   or v_kind = 6 and v_balances[v_first] - v_helds[v_first] - p_share_amounts[k] < v_floors[v_first]
                   or v_kind <> 6 and (v_states[v_first] not in (0, 3) or v_balances[v_first] + p_share_amounts[k] > c_balance_max)
                then
                    v_shared := c_balance_max;
                    exit;
                end if;
            end loop;
        end if;
        if v_kind = 6 and v_status = 0 then
            if v_shared is distinct from r_shareds[v_root] then
                v_shared := c_balance_max;
            else
                v_shared := -v_shared;
            end if;
        end if;

        v_payer_held := v_helds[v_payer] + v_hold;
        if v_returning then
            v_payer_balance := v_balances[v_payer] - v_move - v_fee - v_shared;
            v_payee_balance := v_balances[v_payee] + v_move;
        else
            v_payer_balance := v_balances[v_payer] - v_move;
            v_payee_balance := v_balances[v_payee] + v_move - v_fee - v_shared;
        end if;

        -- The order of these lines, and of those above, is the order of precedence: core.nouns.PaymentStatus.
        v_status := case
            when v_status <> 0 and v_status not in (46, 47) then v_status
            when v_amount <= 0 and v_stops or v_amount > c_amount_max then 30   -- amount_out_of_range
            when v_payer = v_payee then 31                          -- accounts_must_differ
            when v_balances[v_payer] is null then 40                -- payer_not_found
            when v_balances[v_payee] is null then 41                -- payee_not_found
            when v_states[v_payer] <> 0 and v_stops then 42         -- payer_not_open
            when v_states[v_payee] not in (0, 3) and v_stops then 43   -- payee_not_open
            when v_shared > v_move - v_fee and v_shared > 0 then 32 -- shares_not_payable
            when v_status <> 0 then v_status                        -- payee_denied, limit_exceeded
            when v_payer_balance - v_payer_held < v_floors[v_payer] and v_move + v_hold > 0 then 44   -- insufficient_funds
            when v_amount <= 0 then 44                              -- nothing is there to be disputed
            when v_payer_balance < -c_balance_max then 45           -- balance_out_of_range
            when v_payee_balance > c_balance_max then 45
            when v_action = 2 then 1                                -- in_review
            else 0                                                  -- posted
        end;
        statuses[i] := v_status;
        if v_rule is not null and v_status in (0, 1, 46) then
            rules[i] := v_rule;
            actions[i] := v_action;
            v_any_decided := true;
        end if;

        if v_status <= 1 then
            v_any_posted := true;
            v_any_review := v_any_review or v_status = 1;
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

            if v_hold <> 0 then
                v_helds[v_payer] := v_payer_held;
                holds[i] := v_hold;
                payer_helds[i] := v_payer_held;
            end if;
            if v_fee <> 0 then
                v_balances[v_fees_at] := v_balances[v_fees_at] + v_fee;
                v_versions[v_fees_at] := v_versions[v_fees_at] + 1;
                v_changed[v_fees_at] := true;
                fees[i] := v_fee;
                fee_balances[i] := v_balances[v_fees_at];
                fee_versions[i] := v_versions[v_fees_at];
                v_fee_at[i] := v_fees_at;
            end if;
            if v_shared <> 0 then
                shareds[i] := v_shared;
                for k in p_shares_from[i]..p_shares_to[i] loop
                    v_first := p_share_at[k];
                    v_balances[v_first] := v_balances[v_first] + sign(v_shared)::bigint * p_share_amounts[k];
                    v_versions[v_first] := v_versions[v_first] + 1;
                    v_changed[v_first] := true;
                    share_balances[k] := v_balances[v_first];
                    share_versions[k] := v_versions[v_first];
                end loop;
            end if;
            if v_root is not null then
                if v_kind in (3, 4, 6, 9, 10, 11) or v_kind = 7 and (p_options[i] -> 'available') is not null then
                    amounts[i] := v_amount;
                end if;
                r_changed[v_root] := true;
                if v_kind <= 1 then
                    -- A later step of this batch is about this payment, or it is an authorization or in review.
                    r_kinds[v_root] := v_kind;
                    r_statuses[v_root] := v_status;
                    r_payers[v_root] := p_payers[i];
                    r_payees[v_root] := p_payees[i];
                    r_shareds[v_root] := v_shared;
                    r_helds[v_root] := v_hold;
                    r_captured[v_root] := v_move;
                    r_refunded[v_root] := 0;
                    r_disputed[v_root] := 0;
                    r_fees[v_root] := v_fee;
                    r_returned[v_root] := 0;
                    r_reviews[v_root] := v_status = 1;
                    if v_hold > 0 then
                        r_maxs[v_root] := v_amount
                            + case when v_kind = 1 then v_amount * coalesce(v_tips[v_payee], 0) / 100 else 0 end;
                        r_expires[v_root] := v_now + make_interval(secs => coalesce((p_options[i] ->> 'lasts_s')::int, c_lasts_s));
                    else
                        r_changed[v_root] := false;
                    end if;
                elsif v_kind in (7, 9) then
                    r_disputed[v_root] := r_disputed[v_root] + v_hold;
                elsif v_returning then
                    r_refunded[v_root] := r_refunded[v_root] + v_amount;
                    r_returned[v_root] := r_returned[v_root] - v_fee;
                    r_disputed[v_root] := r_disputed[v_root] + v_hold;
                else
                    r_helds[v_root] := r_helds[v_root] + v_hold;
                    r_captured[v_root] := r_captured[v_root] + v_move;
                    r_fees[v_root] := r_fees[v_root] + v_fee;
                    r_shareds[v_root] := r_shareds[v_root] + v_shared;
                    r_reviews[v_root] := false;
                end if;
            end if;
            if v_charge is not null and v_move > 0 and v_kind in (0, 10) then
                c_changed[v_charge] := true;
                c_counts[v_charge] := c_counts[v_charge] + 1;
                c_sums[v_charge] := c_sums[v_charge] + v_amount;
                if not c_reusable[v_charge] then
                    c_statuses[v_charge] := 1;
                end if;
            end if;
            if v_has_limits and v_kind <= 1 then
                if v_rules_to[v_payer] is not null then
                    u_day_sums[v_payer] := v_amount
                        + case when u_days[v_payer] = v_locals[v_payer]::date then u_day_sums[v_payer] else 0 end;
                    u_days[v_payer] := v_locals[v_payer]::date;
                    u_month_sums[v_payer] := v_amount
                        + case when u_months[v_payer] = date_trunc('month', v_locals[v_payer])::date
                               then u_month_sums[v_payer] else 0 end;
                    u_months[v_payer] := date_trunc('month', v_locals[v_payer])::date;
                    for r in v_rules_from[v_payer]..v_rules_to[v_payer] loop
                        if l_measures[r] = 3 and k_listings[i] is null and l_nights[r] is not null then
                            u_night_sums[v_payer] := v_amount
                                + case when u_nights[v_payer] = l_nights[r] then u_night_sums[v_payer] else 0 end;
                            u_nights[v_payer] := l_nights[r];
                        elsif l_measures[r] = 5 then
                            u_full_ats[v_payer] := greatest(u_full_ats[v_payer], v_now)
                                + make_interval(secs => l_withins[r]::float8 / l_maxs[r]);
                        end if;
                    end loop;
                end if;
                if v_rules_to[v_payee] is not null then
                    u_received_day_sums[v_payee] := v_amount
                        + case when u_received_days[v_payee] = v_locals[v_payee]::date
                               then u_received_day_sums[v_payee] else 0 end;
                    u_received_days[v_payee] := v_locals[v_payee]::date;
                    u_received_month_sums[v_payee] := v_amount
                        + case when u_received_months[v_payee] = date_trunc('month', v_locals[v_payee])::date
                               then u_received_month_sums[v_payee] else 0 end;
                    u_received_months[v_payee] := date_trunc('month', v_locals[v_payee])::date;
                end if;
            end if;
        else
            v_group_refused := true;
        end if;
    end loop;

    -- 6. The fees accounts that were not locked at the start are locked now, after all others, as everywhere; what
    -- they count so far goes on from where they stand.
    if v_places > cardinality(v_states) then
        for v_known in
            select accounts.balance, accounts.version, accounts.held, one.place::int as place
              from unnest(p_account_tenants, v_changed) with ordinality as one (tenant_id, changed, place)
             cross join lateral (
                  select accounts.balance, accounts.version, accounts.held
                    from accounts
                   where accounts.tenant_id = one.tenant_id and accounts.id = c_fees
                     for no key update
             ) accounts
             where one.place > cardinality(v_states) and one.changed
        loop
            v_balances[v_known.place] := v_balances[v_known.place] + v_known.balance;
            v_versions[v_known.place] := v_versions[v_known.place] + v_known.version;
            v_helds[v_known.place] := v_known.held;
            for i in 1..v_count loop
                if v_fee_at[i] = v_known.place then
                    fee_balances[i] := fee_balances[i] + v_known.balance;
                    fee_versions[i] := fee_versions[i] + v_known.version;
                end if;
            end loop;
        end loop;
    end if;

    -- 7. Write what was judged for the first time.
    if v_any_fresh and v_is_plain then
        insert into payments (
            tenant_id, id, status, payer, payee, amount, payer_version, payee_version,
            payer_balance, payee_balance, judged_at, asked_by, session_id, description_sealed
        )
        select p_tenants[i], p_ids[i], statuses[i], p_payers[i], p_payees[i], p_amounts[i],
               payer_versions[i], payee_versions[i], payer_balances[i], payee_balances[i],
               v_now, p_asked_by[i], p_sessions[i], p_descriptions[i]
          from generate_series(1, v_count) as i
         where v_fresh[i]
         -- In one order everywhere, like the accounts: two batches, or a batch and a settlement, that meet the
         -- same new ids wait for each other one way only.
         order by p_tenants[i], p_ids[i];
    elsif v_any_fresh then
        insert into payments (
            tenant_id, id, status, payer, payee, amount, payer_version, payee_version,
            payer_balance, payee_balance, judged_at, asked_by, session_id, description_sealed,
            kind, subject, charge, hold, payer_held, fee, fee_version, fee_balance, shared, options, metadata, rule
        )
        select p_tenants[i], p_ids[i], statuses[i], p_payers[i], p_payees[i], p_amounts[i],
               payer_versions[i], payee_versions[i], payer_balances[i], payee_balances[i],
               v_now, p_asked_by[i], p_sessions[i], p_descriptions[i],
               coalesce(p_kinds[i], 0), p_subjects[i], p_charges[i], holds[i], payer_helds[i],
               fees[i], fee_versions[i], fee_balances[i], shareds[i], p_options[i], p_metadata[i], rules[i]
          from generate_series(1, v_count) as i
         where v_fresh[i]
         order by p_tenants[i], p_ids[i];

        if v_any_decided then
            insert into decisions (tenant_id, payment_id, rule, measure, measured, max, action, decided_at)
            select p_tenants[i], p_ids[i], rules[i], d_measures[i], d_measured[i], d_maxs[i], actions[i], v_now
              from generate_series(1, v_count) as i
             where v_fresh[i] and rules[i] is not null;
        end if;
    end if;

    if v_any_posted then
        -- Always the update: the rows are there and locked. As an insert it cannot be planned but by its key.
        insert into accounts (tenant_id, id, balance, version, held)
        select p_account_tenants[i], p_account_ids[i], v_balances[i], v_versions[i], v_helds[i]
          from generate_series(1, v_places) as i
         where v_changed[i]
            on conflict (tenant_id, id) do update
           set balance = excluded.balance, version = excluded.version, held = excluded.held;

        batches := array_fill(null::bigint, array[v_count]);
        for v_known in
            with made as materialized (
                select p_tenants[i] as tenant_id, array_agg(p_ids[i] order by i) as ids, array_agg(i) as places
                  from generate_series(1, v_count) as i
                 where v_fresh[i] and statuses[i] <= 1
                 group by 1
            ), moved as (
                select p_account_tenants[i] as tenant_id, array_agg(p_account_ids[i]) as accounts
                  from generate_series(1, v_places) as i
                 where v_changed[i]
                 group by 1
            ), numbered as materialized (
                select nextval('payhub.outbox_batch_seq') as batch, made.* from made
            ), put as (
                insert into outbox (tenant_id, batch, judged_at, payment_ids, account_ids) overriding system value
                select numbered.tenant_id, numbered.batch, v_now, numbered.ids, coalesce(moved.accounts, '{}')
                  from numbered
                  left join moved on moved.tenant_id = numbered.tenant_id
            ), laid_out as (
                insert into batches_unlogged (tenant_id, batch) select tenant_id, batch from numbered
            )
            select batch, places from numbered
        loop
            for i in 1..cardinality(v_known.places) loop
                batches[v_known.places[i]] := v_known.batch;
            end loop;
        end loop;

        if p_root_ids is not null then
            insert into standings (
                tenant_id, payment_id, held, captured, refunded, disputed, fee, fee_returned, shared, capture_max,
                expires_at, in_review
            )
            select p_root_tenants[i], p_root_ids[i], r_helds[i], r_captured[i], r_refunded[i], r_disputed[i], r_fees[i],
                   r_returned[i], r_shareds[i], r_maxs[i], r_expires[i], r_reviews[i]
              from generate_series(1, cardinality(p_root_ids)) as i
             where r_changed[i]
                on conflict (tenant_id, payment_id) do update
               set held = excluded.held, captured = excluded.captured, refunded = excluded.refunded,
                   disputed = excluded.disputed, fee = excluded.fee, fee_returned = excluded.fee_returned,
                   shared = excluded.shared, in_review = excluded.in_review;
        end if;

        if p_charge_at is not null then
            update charges
               set status = paid.status, paid_count = paid.paid_count, paid_amount = paid.paid_amount
              from (select p_root_tenants[i] as tenant_id, p_root_ids[i] as id, c_statuses[i] as status,
                           c_counts[i] as paid_count, c_sums[i] as paid_amount
                      from generate_series(1, cardinality(p_root_ids)) as i
                     where c_changed[i]
                    offset 0) as paid
             where charges.tenant_id = paid.tenant_id and charges.id = paid.id;
        end if;

        if v_any_review then
            -- A plain payment has a standing only since a rule set it aside.
            insert into standings (
                tenant_id, payment_id, held, captured, refunded, disputed, fee, fee_returned, shared, capture_max,
                expires_at, in_review
            )
            select p_tenants[i], p_ids[i], p_amounts[i], 0, 0, 0, 0, 0, 0, p_amounts[i],
                   v_now + make_interval(secs => c_lasts_s), true
              from generate_series(1, v_count) as i
             where v_fresh[i] and statuses[i] = 1 and p_root_at[i] is null;
        end if;

        if p_share_at is not null then
            insert into shares (tenant_id, payment_id, account_id, amount, version, balance)
            select p_tenants[i], p_ids[i], p_account_ids[p_share_at[k]], sign(shareds[i])::bigint * p_share_amounts[k],
                   share_versions[k], share_balances[k]
              from generate_series(1, v_count) as i
             cross join lateral generate_series(p_shares_from[i], p_shares_to[i]) as k
             where v_fresh[i] and shareds[i] <> 0;
        end if;

        if v_has_limits then
            insert into usages (
                tenant_id, account_id, day, day_sum, night, night_sum, month, month_sum, full_at,
                received_day, received_day_sum, received_month, received_month_sum
            )
            select p_account_tenants[i], p_account_ids[i], u_days[i], coalesce(u_day_sums[i], 0), u_nights[i],
                   coalesce(u_night_sums[i], 0), u_months[i], coalesce(u_month_sums[i], 0), u_full_ats[i],
                   u_received_days[i], coalesce(u_received_day_sums[i], 0), u_received_months[i],
                   coalesce(u_received_month_sums[i], 0)
              from generate_series(1, cardinality(v_states)) as i
             where v_changed[i] and v_rules_to[i] is not null
                on conflict (tenant_id, account_id) do update
               set day = excluded.day, day_sum = excluded.day_sum, night = excluded.night,
                   night_sum = excluded.night_sum, month = excluded.month, month_sum = excluded.month_sum,
                   full_at = excluded.full_at, received_day = excluded.received_day,
                   received_day_sum = excluded.received_day_sum, received_month = excluded.received_month,
                   received_month_sum = excluded.received_month_sum;

            insert into payees as known (tenant_id, account_id, payee, since)
            select distinct p_tenants[i], p_payers[i], p_payees[i], v_now
              from generate_series(1, v_count) as i
             where v_fresh[i] and statuses[i] <= 1 and coalesce(p_kinds[i], 0) <= 1
               and v_rules_to[p_payer_at[i]] is not null
                on conflict (tenant_id, account_id, payee) do update set since = excluded.since
             where known.since is null;
        end if;
    end if;
end
$$;
alter function post_payments owner to payhub_ledger;
revoke all on function post_payments from public;
grant execute on function post_payments to payhub_app;

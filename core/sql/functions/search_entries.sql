-- The account's entries that fit, newest first, below number p_before: at most p_limit, out of at most p_look_max that
-- are looked at. The last row has no number but says how far it was looked: the next page goes on below. So a rare
-- match costs several bounded pages, never one endless query, and an empty page is never taken for the end.
drop function if exists search_entries(
    int, bigint, bigint, int, int, timestamptz, timestamptz, bigint, bigint, boolean, bigint, smallint[], text, text, text
);
create or replace function search_entries(
    p_tenant        int,
    p_account       bigint,
    p_before        bigint,
    p_limit         int,
    p_look_max      int,
    p_from          timestamptz,
    p_to            timestamptz,
    p_amount_min    bigint,
    p_amount_max    bigint,
    p_incoming      boolean,
    p_counterparty  bigint,
    p_kinds         smallint[],
    p_key           text,
    p_value         text
) returns table (
    account_id bigint, number bigint, payment_id uuid, amount bigint, counterparty bigint, balance bigint,
    judged_at_us bigint, description text, kind smallint, subject uuid, charge uuid, hold bigint, held bigint,
    fee bigint, metadata jsonb, description_sealed bytea, asked_by uuid, looked_to bigint
)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    c_stretch constant int := 500;   -- numbers looked at by one statement
    v_first   bigint := 1;           -- nothing below it is asked for
    v_end     bigint;                -- the next stretch ends before it
    v_stop    bigint;                -- where the looking stops
    v_found   int := 0;
    v_count   int;
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    select least(accounts.version + 1, p_before)
      into v_end
      from accounts
     where accounts.tenant_id = p_tenant and accounts.id = p_account;
    if v_end is null then
        return;
    end if;
    if p_to is not null then
        v_end := least(v_end, find_number_at(p_tenant, p_account, p_to) + 1);
    end if;
    if p_from is not null then
        v_first := find_number_at(p_tenant, p_account, p_from - interval '1 microsecond') + 1;
    end if;
    v_stop := greatest(v_first, v_end - p_look_max);
    if p_key is not null then
        -- Only entries with words are looked at, so the same number of them reaches much further back. Shares carry
        -- their payment's words, too, and have an index of their own.
        select coalesce(min(seen.number), v_first)
          into v_stop
          from (
              select one.number
                from (
                    (select payments.payer_version as number
                       from payments
                      where payments.tenant_id = p_tenant and payments.payer = p_account
                        and payments.payer_version >= v_first and payments.payer_version < v_end
                        and payments.metadata is not null
                      order by payments.payer_version desc
                      limit p_look_max)
                    union all
                    (select payments.payee_version
                       from payments
                      where payments.tenant_id = p_tenant and payments.payee = p_account
                        and payments.payee_version >= v_first and payments.payee_version < v_end
                        and payments.metadata is not null
                      order by payments.payee_version desc
                      limit p_look_max)
                    union all
                    (select shares.version
                       from shares
                      where shares.tenant_id = p_tenant and shares.account_id = p_account
                        and shares.version >= v_first and shares.version < v_end
                      order by shares.version desc
                      limit p_look_max)
                ) as one
               order by one.number desc
               limit p_look_max
          ) as seen
        having count(*) = p_look_max;
        v_stop := coalesce(v_stop, v_first);
        return query
        select entries.account_id, entries.number, entries.payment_id, entries.amount, entries.counterparty,
               entries.balance, (extract(epoch from entries.judged_at) * 1000000)::bigint, entries.description,
               entries.kind, entries.subject, entries.charge, coalesce(entries.hold, 0), entries.held,
               coalesce(entries.fee, 0), entries.metadata, entries.description_sealed, entries.asked_by,
               entries.number
          from (
              (select payments.payer_version as number
                 from payments
                where payments.tenant_id = p_tenant and payments.payer = p_account
                  and payments.payer_version >= v_stop and payments.payer_version < v_end
                  and payments.metadata is not null)
              union all
              (select payments.payee_version
                 from payments
                where payments.tenant_id = p_tenant and payments.payee = p_account
                  and payments.payee_version >= v_stop and payments.payee_version < v_end
                  and payments.metadata is not null)
              union all
              (select shares.version
                 from shares
                where shares.tenant_id = p_tenant and shares.account_id = p_account
                  and shares.version >= v_stop and shares.version < v_end)
          ) as worded
          join entries on entries.tenant_id = p_tenant and entries.account_id = p_account
           and entries.number = worded.number
         where (p_amount_min is null or abs(entries.amount) >= p_amount_min)
           and (p_amount_max is null or abs(entries.amount) <= p_amount_max)
           and (p_incoming is null or entries.amount <> 0 and (entries.amount > 0) = p_incoming)
           and (p_counterparty is null or entries.counterparty = p_counterparty)
           and (p_kinds is null or entries.kind = any (p_kinds))
           and case when p_value is null then entries.metadata ? p_key else entries.metadata ->> p_key = p_value end
         order by entries.number desc
         limit p_limit;
        get diagnostics v_found = row_count;
        v_end := v_stop;
    end if;
    while v_end > v_stop and v_found < p_limit loop
        return query
        select entries.account_id, entries.number, entries.payment_id, entries.amount, entries.counterparty,
               entries.balance, (extract(epoch from entries.judged_at) * 1000000)::bigint, entries.description,
               entries.kind, entries.subject, entries.charge, coalesce(entries.hold, 0), entries.held,
               coalesce(entries.fee, 0), entries.metadata, entries.description_sealed, entries.asked_by,
               entries.number
          from entries
         where entries.tenant_id = p_tenant and entries.account_id = p_account
           and entries.number >= greatest(v_stop, v_end - c_stretch) and entries.number < v_end
           and (p_amount_min is null or abs(entries.amount) >= p_amount_min)
           and (p_amount_max is null or abs(entries.amount) <= p_amount_max)
           and (p_incoming is null or entries.amount <> 0 and (entries.amount > 0) = p_incoming)
           and (p_counterparty is null or entries.counterparty = p_counterparty)
           and (p_kinds is null or entries.kind = any (p_kinds))
           and (p_key is null or case
               when p_value is null then entries.metadata ? p_key
               else entries.metadata ->> p_key = p_value
           end)
         order by entries.number desc
         limit p_limit - v_found;
        get diagnostics v_count = row_count;
        v_found := v_found + v_count;
        v_end := greatest(v_stop, v_end - c_stretch);
    end loop;
    if v_found < p_limit then
        -- Looked through to here; if more is asked for, it is below.
        return query
        select p_account, null::bigint, null::uuid, null::bigint, null::bigint, null::bigint, null::bigint, null::text,
               null::smallint, null::uuid, null::uuid, null::bigint, null::bigint, null::bigint, null::jsonb,
               null::bytea, null::uuid, case when v_end > v_first then v_end end;
    end if;
end
$$;
alter function search_entries owner to payhub_owner;
revoke all on function search_entries from public;
grant execute on function search_entries to payhub_app;

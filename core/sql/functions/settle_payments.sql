-- Settles payments whose answer a client never saw.
--
-- Each id comes back with its first answer if the person asked for it; an id that never arrived is
-- fenced: from this commit on it can only be refused. Somebody else's id reads like a fenced one,
-- which is true for this person: they can never post it. A person who may act for everybody sees all.
drop function if exists settle_payments(int, uuid, uuid[], boolean);
create or replace function settle_payments(
    p_tenant   int,
    p_person   uuid,
    p_ids      uuid[],
    p_sees_all boolean
) returns table (
    id             uuid,
    status         smallint,
    payer          bigint,
    payee          bigint,
    amount         bigint,
    payer_balance  bigint,
    payer_version  bigint,
    payee_balance  bigint,
    payee_version  bigint,
    judged_at_us   bigint,
    description    text,
    kind           smallint
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    -- Waits for any batch that is posting the same id right now; in id order, so that two settlements cannot deadlock.
    insert into payments (tenant_id, id, status, judged_at, asked_by)
    select p_tenant, doubtful.id, 10, clock_timestamp(), p_person
      from (select distinct unnest(p_ids) as id order by 1) as doubtful
    on conflict do nothing;

    -- The share lock writes to the log, so this commit, too, waits for the standby that the first one waited for.
    return query
    select payments.id,
           case when mine.yes then payments.status else 10::smallint end,
           case when mine.yes then payments.payer end,
           case when mine.yes then payments.payee end,
           case when mine.yes then payments.amount end,
           case when mine.yes then payments.payer_balance end,
           case when mine.yes then payments.payer_version end,
           case when mine.yes then payments.payee_balance end,
           case when mine.yes then payments.payee_version end,
           (extract(epoch from case when mine.yes then payments.judged_at else clock_timestamp() end) * 1000000)::bigint,
           case when mine.yes then payments.description end,
           case when mine.yes then payments.kind else 0::smallint end
      from payments
     cross join lateral (select payments.asked_by = p_person or p_sees_all) as mine (yes)
     where payments.tenant_id = p_tenant and payments.id = any (p_ids)
       for key share of payments;
end
$$;
alter function settle_payments owner to payhub_ledger;
revoke all on function settle_payments from public;
grant execute on function settle_payments to payhub_app;

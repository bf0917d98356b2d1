-- Empties the outbox of batches older than p_patience: what moved on an account whose owner has not acknowledged it by
-- now becomes a notice, if there is a road to its owner: a phone, or a confirmed e-mail address. Whoever has neither
-- finds it in the account's history, where everything stays. Returns how many batches were looked at and notices made.
-- Any number of workers may call it at once: each batch is one worker's.
--   p_kinds, p_sockets   core.notices.ladder.LADDERS: how long the socket has, in seconds, unless the tenant says
-- Kinds are core.notices.kinds.NoticeKind; tests/core/notices/test_outbox.py holds them to core.nouns.what_happened.
drop function if exists note_unheard(interval, int);
create or replace function note_unheard(
    p_patience interval, p_limit int, p_kinds smallint[], p_sockets int[], out batches int, out noted int
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_mergejoin = off
set enable_memoize = off
as $$
begin
    with ripe as materialized (
        select outbox.tenant_id, outbox.batch, outbox.payment_ids, outbox.account_ids
          from outbox
         where outbox.created_at < now() - p_patience
           -- What the log still has to take stays. Looked up one by one: no plan may come to join them all.
           and not exists (
               select from batches_unlogged
                where batches_unlogged.tenant_id = outbox.tenant_id and batches_unlogged.batch = outbox.batch
               offset 0
           )
           -- In commit order: a batch with an earlier id may still be under way.
           and outbox.xid < pg_snapshot_xmin(pg_current_snapshot())
         order by outbox.created_at
         limit p_limit
           for update skip locked
    ), moved as (
        -- Each account once, however often it is in the batches.
        select distinct ripe.tenant_id, unnest(ripe.account_ids) as account_id from ripe
    ), reached as materialized (
        -- Most have heard of everything by now, or are nobody's to reach: then no payment is read.
        select moved.tenant_id, moved.account_id, accounts.person_id, coalesce(heard.number, 0) as heard
          from moved
         cross join lateral (
              select accounts.person_id, accounts.version from accounts
               where accounts.tenant_id = moved.tenant_id and accounts.id = moved.account_id
              offset 0
         ) accounts
          left join lateral (
              select acknowledgements.number from acknowledgements
               where acknowledgements.tenant_id = moved.tenant_id and acknowledgements.account_id = moved.account_id
                 and acknowledgements.person_id = accounts.person_id
              offset 0
         ) heard on true
         where accounts.person_id is not null and accounts.version > coalesce(heard.number, 0)
           and is_reached(moved.tenant_id, accounts.person_id)
    ), posted as materialized (
        select payments.*
          from ripe
         cross join lateral unnest(ripe.payment_ids) as posted (id)
         -- One by one and each by its key: a batch of a bulk has thousands, and statistics lie (see post_payments).
         cross join lateral (
              select payments.tenant_id, payments.id, payments.kind, payments.status, payments.charge, payments.amount,
                     payments.payer, payments.payer_version, payments.payee, payments.payee_version, payments.hold,
                     payments.shared, payments.judged_at
                from payments
               where payments.tenant_id = ripe.tenant_id and payments.id = posted.id
              offset 0
         ) payments
         where ripe.account_ids && array(
               select reached.account_id from reached where reached.tenant_id = ripe.tenant_id
         )
    ), sides as (
        select reached.*, posted.id, posted.judged_at, posted.payer_version as number,
               coalesce(nullif(posted.amount, 0), abs(posted.hold)) as amount, case posted.kind
                   when 0 then case posted.status when 1 then 12 else 4 end
                   when 1 then 9 when 2 then 10 when 3 then 11 when 4 then 11 when 5 then 7 when 6 then 8
                   when 7 then 15 when 8 then 16 when 9 then 17 when 10 then 13 when 11 then 14
               end as kind
          from reached
          join posted on posted.tenant_id = reached.tenant_id and posted.payer = reached.account_id
         where posted.payer_version > reached.heard
         union all
        select reached.*, posted.id, posted.judged_at, posted.payee_version, posted.amount, case
                   when posted.kind in (0, 2, 10) and posted.status = 0
                   then case when posted.charge is null then 0 else 5 end
                   when posted.kind in (5, 8) then 6
                   when posted.kind = 6 then 8
               end
          from reached
          join posted on posted.tenant_id = reached.tenant_id and posted.payee = reached.account_id
         where posted.payee_version > reached.heard
         union all
        select reached.*, posted.id, posted.judged_at, shares.version, abs(shares.amount),
               case when shares.amount > 0 then 0 else 8 end
          from posted
         cross join lateral (
              select shares.account_id, shares.version, shares.amount from shares
               where shares.tenant_id = posted.tenant_id and shares.payment_id = posted.id
              offset 0
         ) shares
          join reached on reached.tenant_id = posted.tenant_id and reached.account_id = shares.account_id
         where posted.shared is not null and shares.version > reached.heard
    ), unheard as (
        insert into notices (
            tenant_id, kind, account_id, number, person_id, payment_id, amount, happened_at, climbs_at
        )
        select sides.tenant_id, sides.kind, sides.account_id, sides.number, sides.person_id, sides.id, sides.amount,
               sides.judged_at,
               sides.judged_at + make_interval(secs => coalesce(ladders.socket_s, standard.socket_s))
          from sides
          join unnest(p_kinds, p_sockets) as standard (kind, socket_s) on standard.kind = sides.kind
          left join ladders on ladders.tenant_id = sides.tenant_id and ladders.kind = sides.kind
            on conflict do nothing
        returning 1
    ), gone as (
        delete from outbox using ripe
         where outbox.tenant_id = ripe.tenant_id and outbox.batch = ripe.batch
        returning 1
    )
    select (select count(*) from gone), (select count(*) from unheard) into batches, noted;
end
$$;
alter function note_unheard owner to payhub_ledger;
revoke all on function note_unheard from public;
grant execute on function note_unheard to payhub_app;

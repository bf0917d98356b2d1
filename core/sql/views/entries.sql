-- A payment seen from each of its accounts. Ordered by number within an account, this is the
-- account's event stream: no gap, no table of its own. core/ledger/entries.py says the same in Python.
--
-- Money moves in a payment, a capture and what comes back (core.nouns.MOVING); an authorization and its end only
-- change what is reserved, and so does a payment in review until its release. The fee and the shares come out of what
-- the payee gets; on the way back they are on the side of who gives.
-- The arms' types are alike to the letter: a condition on account_id reaches the indexes only then.
create or replace view entries with (security_invoker = true) as
select tenant_id, payer as account_id, payer_version as number, id as payment_id,
       -case when status = 0 and (kind in (0, 2, 5, 6, 8) or kind = 10 and hold is not null) then amount else 0 end
           - case when kind in (5, 6, 8) then coalesce(fee, 0) + coalesce(shared, 0) else 0 end as amount,
       payee as counterparty, payer_balance as balance, judged_at, description,
       kind, subject, charge, hold, payer_held as held, case when kind in (5, 6, 8) then fee end as fee, metadata,
       description_sealed, asked_by
  from payments
 where payer_version is not null
union all
select tenant_id, payee, payee_version, id,
       case when status = 0 and (kind in (0, 2, 5, 6, 8) or kind = 10 and hold is not null) then amount else 0 end
           - case when kind in (5, 6, 8) then 0 else coalesce(fee, 0) + coalesce(shared, 0) end,
       payer, payee_balance, judged_at, description,
       kind, subject, charge, hold, null::bigint, case when kind in (5, 6, 8) then null else fee end, metadata,
       description_sealed, asked_by
  from payments
 where payee_version is not null
union all
select tenant_id, 3::bigint, fee_version, id,
       fee, case when kind in (5, 6, 8) then payer else payee end, fee_balance, judged_at, description,
       kind, subject, charge, null::bigint, null::bigint, null::bigint, metadata,
       description_sealed, asked_by
  from payments
 where fee_version is not null
union all
select shares.tenant_id, shares.account_id, shares.version, shares.payment_id,
       shares.amount, case when payments.kind = 6 then payments.payer else payments.payee end,
       shares.balance, payments.judged_at, payments.description,
       payments.kind, payments.subject, payments.charge, null::bigint, null::bigint, null::bigint, payments.metadata,
       payments.description_sealed, payments.asked_by
  from shares
  join payments on payments.tenant_id = shares.tenant_id and payments.id = shares.payment_id;
alter view entries owner to payhub_owner;
grant select on entries to payhub_app;

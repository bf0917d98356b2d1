-- A transfer seen from each of its accounts. Ordered by number within an account, this is the
-- account's event stream: no gap, no table of its own.
create or replace view entries with (security_invoker = true) as
select tenant_id, payer as account_id, payer_version as number, id as payment_id,
       -amount as amount, payee as counterparty, payer_balance as balance, judged_at, description
  from payments
 where payer_version is not null
union all
select tenant_id, payee, payee_version, id,
       amount, payer, payee_balance, judged_at, description
  from payments
 where payee_version is not null;
alter view entries owner to payhub_owner;
grant select on entries to payhub_app;

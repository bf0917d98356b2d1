-- Authorizations whose time is over and whose money is still reserved, the longest overdue first. For workers: all
-- tenants together.
create or replace function find_expired_holds(p_limit int)
returns table (tenant_id int, payment_id uuid, payer bigint, payee bigint)
language sql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    select due.tenant_id, due.payment_id, payments.payer, payments.payee
      from (
          select standings.tenant_id, standings.payment_id, standings.expires_at
            from standings
           where standings.held > 0 and standings.expires_at <= clock_timestamp()
           order by standings.expires_at
           limit p_limit
      ) as due
      join payments on payments.tenant_id = due.tenant_id and payments.id = due.payment_id
     order by due.expires_at
$$;
alter function find_expired_holds owner to payhub_ledger;
revoke all on function find_expired_holds from public;
grant execute on function find_expired_holds to payhub_app;

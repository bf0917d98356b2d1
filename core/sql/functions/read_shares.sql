-- Who got which part of a payment, over all its steps: what a reversal asks back.
create or replace function read_shares(p_tenant int, p_payment uuid)
returns table (account_id bigint, amount bigint)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select shares.account_id, sum(shares.amount)::bigint
      from (
          select p_payment as id
          union all
          select payments.id from payments where payments.tenant_id = p_tenant and payments.subject = p_payment
      ) as step
      join shares on shares.tenant_id = p_tenant and shares.payment_id = step.id
     group by shares.account_id
     order by shares.account_id;
end
$$;
alter function read_shares owner to payhub_owner;
revoke all on function read_shares from public;
grant execute on function read_shares to payhub_app;

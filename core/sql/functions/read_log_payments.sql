-- What was done in the leaves p_first to p_last of a tenant's log, payment by payment, in the order in which it was done.
-- Without words: whoever reads this reads for somebody else.
create or replace function read_log_payments(p_tenant int, p_first bigint, p_last bigint)
returns table (
    leaf bigint, id uuid, kind smallint, status smallint, payer bigint, payee bigint, amount bigint,
    payer_version bigint, payee_version bigint, payer_balance bigint, payee_balance bigint, judged_at_us bigint,
    subject uuid, charge uuid, hold bigint, payer_held bigint, fee bigint, fee_version bigint, fee_balance bigint,
    shared bigint
)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select leaves.number, done.id, done.kind, done.status, done.payer, done.payee, done.amount,
           done.payer_version, done.payee_version, done.payer_balance, done.payee_balance,
           (extract(epoch from done.judged_at) * 1000000)::bigint,
           done.subject, done.charge, coalesce(done.hold, 0), done.payer_held,
           coalesce(done.fee, 0), done.fee_version, done.fee_balance, coalesce(done.shared, 0)
      from log_leaves as leaves
     cross join lateral unnest(leaves.ids) with ordinality as one (id, place)
     cross join lateral (
          select payments.*
            from payments
           where payments.tenant_id = p_tenant and payments.id = one.id
          offset 0
     ) done
     where leaves.tenant_id = p_tenant and leaves.number between p_first and p_last and leaves.kind = 0
     order by leaves.number, one.place;
end
$$;
alter function read_log_payments owner to payhub_owner;
revoke all on function read_log_payments from public;
grant execute on function read_log_payments to payhub_app;

-- The steps of a payment's life that were taken, oldest first, at most p_limit.
create or replace function read_steps(p_tenant int, p_payment uuid, p_limit int)
returns table (id uuid, kind smallint, amount bigint, fee bigint, judged_at_us bigint)
language plpgsql volatile security invoker
set enable_seqscan = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select payments.id, payments.kind, payments.amount, coalesce(payments.fee, 0),
           (extract(epoch from payments.judged_at) * 1000000)::bigint
      from payments
     where payments.tenant_id = p_tenant and payments.subject = p_payment and payments.status = 0
     order by payments.judged_at, payments.id
     limit p_limit;
end
$$;
alter function read_steps owner to payhub_owner;
revoke all on function read_steps from public;
grant execute on function read_steps to payhub_app;

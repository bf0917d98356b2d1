-- The steps of a payment's life that were taken, oldest first, after a moment and id: at most p_limit.
drop function if exists read_steps(int, uuid, int);
create or replace function read_steps(
    p_tenant int, p_payment uuid, p_after timestamptz, p_after_id uuid, p_limit int
) returns table (id uuid, kind smallint, amount bigint, fee bigint, judged_at_us bigint)
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
       and (payments.judged_at, payments.id)
         > (coalesce(p_after, '-infinity'), coalesce(p_after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
     order by payments.judged_at, payments.id
     limit p_limit;
end
$$;
alter function read_steps owner to payhub_owner;
revoke all on function read_steps from public;
grant execute on function read_steps to payhub_app;

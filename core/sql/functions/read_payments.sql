-- Payments by id, each with what its steps add up to. Those that were only fenced are left out.
drop function if exists read_payments(int, uuid[]);
create or replace function read_payments(p_tenant int, p_ids uuid[])
returns table (
    id uuid, kind smallint, status smallint, subject uuid, payer bigint, payee bigint, amount bigint, fee bigint,
    shared bigint, description text, metadata jsonb, judged_at_us bigint, asked_by uuid,
    held bigint, captured bigint, refunded bigint, disputed bigint, fee_returned bigint, capture_max bigint,
    expires_at_us bigint, in_review boolean, charge uuid, rule int, options jsonb,
    description_sealed bytea
)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select payments.id, payments.kind, payments.status, payments.subject, payments.payer, payments.payee,
           payments.amount, coalesce(standings.fee, payments.fee, 0),
           coalesce(standings.shared, payments.shared, 0),
           payments.description, payments.metadata,
           (extract(epoch from payments.judged_at) * 1000000)::bigint, payments.asked_by,
           coalesce(standings.held, 0),
           coalesce(standings.captured, case when payments.kind = 0 and payments.status = 0 then payments.amount else 0 end),
           coalesce(standings.refunded, 0), coalesce(standings.disputed, 0), coalesce(standings.fee_returned, 0),
           standings.capture_max, (extract(epoch from standings.expires_at) * 1000000)::bigint,
           coalesce(standings.in_review, false), payments.charge, payments.rule, payments.options,
           payments.description_sealed
      from payments
      left join standings on standings.tenant_id = payments.tenant_id and standings.payment_id = payments.id
     where payments.tenant_id = p_tenant and payments.id = any (p_ids) and payments.payer is not null;
end
$$;
alter function read_payments owner to payhub_owner;
revoke all on function read_payments from public;
grant execute on function read_payments to payhub_app;

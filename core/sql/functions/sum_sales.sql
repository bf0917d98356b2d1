-- What an account sold and gave back, for each span between two of its numbers (p_numbers, in order: one more than the
-- spans): the first without, the second with. A sale is what somebody paid it: a payment, a capture, or one that was
-- let through; what comes from the institution's own accounts is none. Bounded by whoever calls.
create or replace function sum_sales(p_tenant int, p_account bigint, p_numbers bigint[])
returns table (span int, sales bigint, amount bigint, returns bigint, returned bigint, fees bigint)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select width_bucket(entries.number - 1, p_numbers) as span,
           count(*) filter (where entries.amount > 0),
           coalesce(sum(entries.amount + coalesce(entries.fee, 0)) filter (where entries.amount > 0), 0)::bigint,
           count(*) filter (where entries.amount < 0),
           coalesce(-sum(entries.amount + coalesce(entries.fee, 0)) filter (where entries.amount < 0), 0)::bigint,
           coalesce(sum(entries.fee), 0)::bigint
      from entries
     where entries.tenant_id = p_tenant and entries.account_id = p_account
       and entries.number > p_numbers[1] and entries.number <= p_numbers[cardinality(p_numbers)]
       and (entries.kind in (0, 2, 10) and entries.amount > 0 and entries.counterparty > 9999
            or entries.kind in (5, 6, 8) and entries.amount < 0)
     group by 1
     order by 1;
end
$$;
alter function sum_sales owner to payhub_owner;
revoke all on function sum_sales from public;
grant execute on function sum_sales to payhub_app;

-- How many entries an account has above one number up to another, and their sums. Bounded by whoever calls.
create or replace function sum_entries(p_tenant int, p_account bigint, p_after bigint, p_to bigint)
returns table (count bigint, sum_in bigint, sum_out bigint, fees bigint)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select count(*), coalesce(sum(entries.amount) filter (where entries.amount > 0), 0)::bigint,
           coalesce(-sum(entries.amount) filter (where entries.amount < 0), 0)::bigint,
           coalesce(sum(entries.fee), 0)::bigint
      from entries
     where entries.tenant_id = p_tenant and entries.account_id = p_account
       and entries.number > p_after and entries.number <= p_to;
end
$$;
alter function sum_entries owner to payhub_owner;
revoke all on function sum_entries from public;
grant execute on function sum_entries to payhub_app;

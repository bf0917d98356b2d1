-- How many open requests of people each tenant has that are due within p_soon, and how many that are late.
create or replace function count_due_requests(p_now timestamptz, p_soon interval)
returns table (tenant_id int, due_soon bigint, overdue bigint)
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    select one.tenant_id,
           count(*) filter (where one.due_at > coalesce(p_now, clock_timestamp())),
           count(*) filter (where one.due_at <= coalesce(p_now, clock_timestamp()))
      from privacy_requests as one
     where one.status = 0 and one.due_at <= coalesce(p_now, clock_timestamp()) + p_soon
     group by one.tenant_id
     order by one.tenant_id
$$;
alter function count_due_requests owner to payhub_ledger;
revoke all on function count_due_requests from public;
grant execute on function count_due_requests to payhub_app;

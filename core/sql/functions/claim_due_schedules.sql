-- Takes schedules that are due, the longest overdue first, for the rest of the caller's transaction. Any number of
-- workers may call it at once: each schedule is one worker's. All tenants together.
drop function if exists claim_due_schedules(int);
create or replace function claim_due_schedules(p_limit int)
returns table (
    tenant_id int, id uuid, seed uuid, payer bigint, payee bigint, amount bigint, description text,
    description_sealed bytea, owner uuid, created_by uuid, rule smallint, first_on date, at time, day smallint,
    on_closed smallint, until date, times int, attempts_max smallint, retry_after_s int, if_unpaid smallint,
    number int, on_day date, attempts smallint, due_at timestamptz, country text, time_zone text
)
language sql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    select due.tenant_id, due.id, due.seed, due.payer, due.payee, due.amount, due.description,
           due.description_sealed, coalesce(accounts.person_id, due.created_by), due.created_by, due.rule,
           due.first_on, due.at, due.day, due.on_closed, due.until, due.times, due.attempts_max, due.retry_after_s,
           due.if_unpaid, due.number, due.on_day, due.attempts, due.due_at, tenants.country, tenants.time_zone
      from (
          select * from schedules
           where schedules.due_at <= clock_timestamp()
           order by schedules.due_at
           limit p_limit
             for update skip locked
      ) as due
      join tenants on tenants.id = due.tenant_id
      join accounts on accounts.tenant_id = due.tenant_id and accounts.id = due.payer
     order by due.due_at, due.tenant_id, due.id
$$;
alter function claim_due_schedules owner to payhub_ledger;
revoke all on function claim_due_schedules from public;
grant execute on function claim_due_schedules to payhub_app;

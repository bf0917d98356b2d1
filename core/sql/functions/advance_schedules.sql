-- Writes what became of the attempts at claimed schedules, and when each is due next: in the transaction that posted the
-- payments. Without a due time, an active schedule is due again when its own pause between attempts is over.
create or replace function advance_schedules(
    p_tenants   int[],
    p_ids       uuid[],
    p_days      date[],          -- what was attempted
    p_attempted smallint[],
    p_payments  uuid[],
    p_outcomes  smallint[],
    p_statuses  smallint[],      -- what is next
    p_numbers   int[],
    p_on_days   date[],
    p_attempts  smallint[],
    p_due_at    timestamptz[]
) returns void
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_now constant timestamptz := clock_timestamp();
begin
    insert into schedule_outcomes (tenant_id, schedule_id, on_day, attempt, payment_id, status, at)
    select p_tenants[i], p_ids[i], p_days[i], p_attempted[i], p_payments[i], p_outcomes[i], v_now
      from generate_series(1, cardinality(p_ids)) as i
        on conflict do nothing;

    update schedules
       set status = next.status, number = next.number, on_day = next.on_day, attempts = next.attempts,
           due_at = case
               when next.status <> 0 then null
               else coalesce(next.due_at, v_now + make_interval(secs => schedules.retry_after_s))
           end
      from (select p_tenants[i] as tenant_id, p_ids[i] as id, p_statuses[i] as status, p_numbers[i] as number,
                   p_on_days[i] as on_day, p_attempts[i] as attempts, p_due_at[i] as due_at
              from generate_series(1, cardinality(p_ids)) as i
            offset 0) as next
     where schedules.tenant_id = next.tenant_id and schedules.id = next.id;
end
$$;
alter function advance_schedules owner to payhub_ledger;
revoke all on function advance_schedules from public;
grant execute on function advance_schedules to payhub_app;

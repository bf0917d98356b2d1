-- Tells payees of holds that end within p_within, or within the last quarter of their time if that is shorter, once each:
-- what is not captured by then goes back. What waits for an operator's review is not theirs to capture. Returns how many
-- holds were looked at. Any number of workers may call it at once: each hold is one worker's.
--   p_kind, p_rung, p_waits_s   as leave_notice takes them
create or replace function warn_of_holds(p_within interval, p_limit int, p_kind smallint, p_rung smallint, p_waits_s int)
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_warned int;
begin
    with ending as materialized (
        select standings.tenant_id, standings.payment_id, standings.held, standings.expires_at, payments.payee
          from standings
         cross join lateral (
              select payments.payee, payments.judged_at from payments
               where payments.tenant_id = standings.tenant_id and payments.id = standings.payment_id
              offset 0
         ) payments
         where standings.held > 0 and standings.warned_at is null and not standings.in_review
           and standings.expires_at < clock_timestamp() + p_within
           -- Before the limit: thousands that last an hour must not stand before one that lasts a week.
           and standings.expires_at - clock_timestamp()
               < least(p_within, (standings.expires_at - payments.judged_at) / 4)
         order by standings.expires_at
         limit p_limit
           for no key update of standings skip locked
    ), told as materialized (
        select ending.*, accounts.person_id
          from ending
         cross join lateral (
              select accounts.person_id from accounts
               where accounts.tenant_id = ending.tenant_id and accounts.id = ending.payee
              offset 0
         ) accounts
    ), marked as (
        update standings
           set warned_at = clock_timestamp()
          from told
         where standings.tenant_id = told.tenant_id and standings.payment_id = told.payment_id
        returning standings.tenant_id, standings.payment_id
    )
    select count(
               leave_notice(
                   told.tenant_id, told.payment_id, p_kind, told.person_id, null::smallint, null::int, null::bytea,
                   told.expires_at - clock_timestamp(), null::uuid,
                   jsonb_build_object(
                       'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                       'amount', told.held, 'subject', told.payment_id,
                       'ends_at', to_char(told.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                   ),
                   true, p_rung, p_waits_s
               )
           )
      into v_warned
      from told
      join marked on marked.tenant_id = told.tenant_id and marked.payment_id = told.payment_id
     where told.person_id is not null;
    return v_warned;
end
$$;
alter function warn_of_holds owner to payhub_ledger;
revoke all on function warn_of_holds from public;
grant execute on function warn_of_holds to payhub_app;

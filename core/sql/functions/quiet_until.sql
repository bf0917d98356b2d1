-- When quiet hours end that hold now; null: none do. They may go past midnight; the same time at both ends is none.
create or replace function quiet_until(p_from time, p_to time, p_time_zone text)
returns timestamptz
language sql stable security invoker
as $$
    select case
               when p_from < p_to and here.at::time >= p_from and here.at::time < p_to
               then (here.at::date + p_to) at time zone p_time_zone
               when p_from > p_to and here.at::time >= p_from
               then (here.at::date + 1 + p_to) at time zone p_time_zone
               when p_from > p_to and here.at::time < p_to
               then (here.at::date + p_to) at time zone p_time_zone
           end
      from (select clock_timestamp() at time zone p_time_zone as at) as here
$$;
alter function quiet_until owner to payhub_owner;
revoke all on function quiet_until from public;
grant execute on function quiet_until to payhub_app, payhub_ledger;

-- What the trail has not been told yet, oldest first, for the rest of the caller's transaction. Any number of callers.
create or replace function take_key_events(p_limit int)
returns setof key_events
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    select * from key_events order by at limit p_limit for update skip locked
$$;
alter function take_key_events owner to payhub_keys_keeper;
revoke all on function take_key_events from public;
grant execute on function take_key_events to payhub_keys_app;

-- How each road is doing, for operators: all tenants together, no tenant's own figures. `late_s`: for how long the oldest
-- that is due has waited; `dead`: set aside and not looked at yet.
create or replace function read_deliveries_state()
returns table (road smallint, waiting bigint, late_s double precision, dead bigint)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select roads.road::smallint,
           (select count(*) from deliveries where deliveries.road = roads.road and deliveries.state = 0),
           coalesce((
               select extract(epoch from clock_timestamp() - min(deliveries.due_at)) from deliveries
                where deliveries.road = roads.road and deliveries.state = 0 and deliveries.due_at <= clock_timestamp()
           ), 0)::double precision,
           (select count(*) from deliveries where deliveries.road = roads.road and deliveries.state = 3)
      from generate_series(1, 4) as roads (road)
$$;
alter function read_deliveries_state owner to payhub_ledger;
revoke all on function read_deliveries_state from public;
grant execute on function read_deliveries_state to payhub_app;

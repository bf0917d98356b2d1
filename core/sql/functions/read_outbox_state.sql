-- How far the workers are behind, for operators: all tenants together, no tenant's own figures.
create or replace function read_outbox_state(out batches bigint, out oldest_s double precision, out notices bigint)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select (select count(*) from outbox),
           coalesce((select extract(epoch from now() - min(outbox.created_at)) from outbox), 0)::double precision,
           (select count(*) from notices)
$$;
alter function read_outbox_state owner to payhub_ledger;
revoke all on function read_outbox_state from public;
grant execute on function read_outbox_state to payhub_app;

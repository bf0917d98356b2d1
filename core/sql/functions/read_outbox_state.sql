-- How far the workers are behind, for operators: all tenants together, no tenant's own figures. `unlogged`: batches and
-- audit entries that no log has yet, and how long the oldest has waited.
drop function if exists read_outbox_state();
create or replace function read_outbox_state(
    out batches bigint, out oldest_s double precision, out notices bigint,
    out unlogged bigint, out unlogged_oldest_s double precision
)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select (select count(*) from outbox),
           coalesce((select extract(epoch from now() - min(outbox.created_at)) from outbox), 0)::double precision,
           (select count(*) from notices),
           (select count(*) from batches_unlogged) + (select count(*) from audit_unlogged),
           coalesce(extract(epoch from now() - least(
               (select min(batches_unlogged.created_at) from batches_unlogged),
               (select min(audit_unlogged.at) from audit_unlogged)
           )), 0)::double precision
$$;
alter function read_outbox_state owner to payhub_ledger;
revoke all on function read_outbox_state from public;
grant execute on function read_outbox_state to payhub_app;

-- Tenants with something that the log does not have yet: batches whose root was told or that are older than p_patience,
-- or audit entries.
create or replace function find_unlogged(p_patience interval, p_limit int)
returns setof int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    select batches_unlogged.tenant_id
      from batches_unlogged
     where batches_unlogged.root is not null or batches_unlogged.created_at < now() - p_patience
     union
    select audit_unlogged.tenant_id
      from audit_unlogged
     limit p_limit
$$;
alter function find_unlogged owner to payhub_ledger;
revoke all on function find_unlogged from public;
grant execute on function find_unlogged to payhub_app;

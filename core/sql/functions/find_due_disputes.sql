-- Disputes with something to do by p_at: a clock has run out, or there is money for what is still to be reserved or
-- returned. The longest waiting first, at most p_limit of each. For workers: all tenants together.
create or replace function find_due_disputes(p_at timestamptz, p_limit int)
returns table (tenant_id int, id uuid)
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    (select disputes.tenant_id, disputes.id
       from disputes
      where disputes.due_at < p_at and coalesce(disputes.rest_until < p_at, true)
      order by disputes.due_at
      limit p_limit)
    union
    (select disputes.tenant_id, disputes.id
       from disputes
       join accounts on accounts.tenant_id = disputes.tenant_id and accounts.id = disputes.payee
      where disputes.short > 0 and coalesce(disputes.rest_until < p_at, true)
        and accounts.balance - accounts.held > accounts.floor
      order by disputes.opened_at
      limit p_limit)
$$;
alter function find_due_disputes owner to payhub_ledger;
revoke all on function find_due_disputes from public;
grant execute on function find_due_disputes to payhub_app;

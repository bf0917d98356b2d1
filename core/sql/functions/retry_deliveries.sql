-- Sends what was set aside once more, as if for the first time, under the same id. p_ids null: all of the tenant's. Returns
-- which.
create or replace function retry_deliveries(p_tenant int, p_ids uuid[])
returns setof uuid
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with again as (
        update deliveries
           set state = 0, tries = 0, due_at = clock_timestamp(), ended_at = null
         where deliveries.tenant_id = p_tenant and deliveries.state = 3
           and (p_ids is null or deliveries.id = any (p_ids))
        returning deliveries.id
    ), woken as (
        select pg_notify('payhub_deliveries', '') from again limit 1
    )
    select again.id from again left join woken on true
$$;
alter function retry_deliveries owner to payhub_ledger;
revoke all on function retry_deliveries from public;
grant execute on function retry_deliveries to payhub_app;

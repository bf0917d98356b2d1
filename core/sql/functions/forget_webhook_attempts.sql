-- Removes attempts that are older than p_kept, and of each webhook those before its p_most last ones; all tenants
-- together, at most p_limit of either. Returns how many.
create or replace function forget_webhook_attempts(p_kept interval, p_most int, p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with old as (
        select one.tenant_id, one.webhook_id, one.id
          from webhook_attempts as one
         where one.at < now() - p_kept
         order by one.at
         limit p_limit
    ), many as (
        select one.tenant_id, one.webhook_id, one.id
          from webhooks
         cross join lateral (
              select last.id from webhook_attempts as last
               where last.tenant_id = webhooks.tenant_id and last.webhook_id = webhooks.id
               order by last.id desc
              offset p_most limit 1
         ) as bound
          join webhook_attempts as one
            on one.tenant_id = webhooks.tenant_id and one.webhook_id = webhooks.id and one.id <= bound.id
         limit p_limit
    ), gone as (
        delete from webhook_attempts as one
         using (select * from old union select * from many) as over
         where one.tenant_id = over.tenant_id and one.webhook_id = over.webhook_id and one.id = over.id
        returning 1
    )
    select count(*)::int from gone
$$;
alter function forget_webhook_attempts owner to payhub_ledger;
revoke all on function forget_webhook_attempts from public;
grant execute on function forget_webhook_attempts to payhub_app;

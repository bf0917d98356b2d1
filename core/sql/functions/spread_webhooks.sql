-- Webhooks for all that a merchant has follow accounts that were opened since, from their first event on; all tenants
-- together. Returns how many.
create or replace function spread_webhooks()
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with spread as (
        insert into webhook_cursors (tenant_id, webhook_id, account_id, number, due_at)
        select webhooks.tenant_id, webhooks.id, accounts.id, 0, case when webhooks.state <> 0 then 'infinity'::timestamptz end
          from webhooks
          join accounts on accounts.tenant_id = webhooks.tenant_id and accounts.person_id = webhooks.person_id
         where webhooks.accounts is null
           and not exists (select from webhook_cursors as one
                            where one.tenant_id = webhooks.tenant_id and one.webhook_id = webhooks.id
                              and one.account_id = accounts.id and one.only_number = 0)
            on conflict do nothing
        returning 1
    )
    select count(*)::int from spread
$$;
alter function spread_webhooks owner to payhub_ledger;
revoke all on function spread_webhooks from public;
grant execute on function spread_webhooks to payhub_app;

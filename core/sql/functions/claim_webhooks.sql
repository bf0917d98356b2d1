-- Gives a worker cursors with something to tell, each for so long; all tenants together, and in turn: of each tenant
-- the webhooks in turn, of each webhook the cursors that have waited longest. Of a webhook at most p_per_webhook are out
-- at once, of one that is failing a single one, and of a tenant p_per_tenant. Claims follow each other, so that two of
-- them do not both count what the other one takes.
create or replace function claim_webhooks(
    p_at           timestamptz,
    p_limit        int,
    p_per_webhook  int,
    p_per_tenant   int,
    p_lease        interval
) returns table (
    tenant_id int, webhook_id uuid, account_id bigint, only_number bigint, lease uuid, number bigint, after_gap boolean,
    tries smallint, failed_at timestamptz, again_at timestamptz, person_id uuid, url_sealed bytea, secret_sealed bytea,
    old_secret_sealed bytea, events text[], fails int, last_taken_at timestamptz, asides_in_row int, code text
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('claim_webhooks', 0));
    return query
    with out as (
        select one.tenant_id, one.webhook_id, count(*) as count
          from webhook_cursors as one
         where one.lease is not null and one.leased_until > p_at
         group by one.tenant_id, one.webhook_id
    ), out_of_tenant as (
        select out.tenant_id, sum(out.count) as count from out group by out.tenant_id
    ), due as (
        select one.tenant_id, one.webhook_id, one.account_id, one.only_number, one.due_at,
               case when webhooks.failing_since is null then p_per_webhook else 1 end as most,
               coalesce(out.count, 0) + row_number() over (
                   partition by one.tenant_id, one.webhook_id order by one.due_at, one.account_id
               ) as of_webhook
          from webhook_cursors as one
          join webhooks on webhooks.tenant_id = one.tenant_id and webhooks.id = one.webhook_id
          left join out on out.tenant_id = one.tenant_id and out.webhook_id = one.webhook_id
         where one.due_at <= p_at and (one.lease is null or one.leased_until <= p_at)
           and webhooks.state = 0 and coalesce(webhooks.free_at <= p_at, true)
    ), allowed as (
        select due.*,
               coalesce(out_of_tenant.count, 0) + row_number() over (
                   partition by due.tenant_id order by due.of_webhook, due.due_at
               ) as of_tenant
          from due
          left join out_of_tenant on out_of_tenant.tenant_id = due.tenant_id
         where due.of_webhook <= due.most
    ), chosen as (
        select allowed.* from allowed
         where allowed.of_tenant <= p_per_tenant
         order by allowed.of_tenant, allowed.due_at
         limit p_limit
    ), taken as (
        update webhook_cursors as one
           set lease = gen_random_uuid(), leased_until = p_at + p_lease
          from chosen
         where one.tenant_id = chosen.tenant_id and one.webhook_id = chosen.webhook_id
           and one.account_id = chosen.account_id and one.only_number = chosen.only_number
        returning one.*
    )
    select taken.tenant_id, taken.webhook_id, taken.account_id, taken.only_number, taken.lease, taken.number,
           taken.after_gap, taken.tries, taken.failed_at, taken.again_at, webhooks.person_id, webhooks.url_sealed,
           webhooks.secret_sealed, case when webhooks.old_secret_until > p_at then webhooks.old_secret_sealed end,
           webhooks.events, webhooks.fails, webhooks.last_taken_at, webhooks.asides_in_row,
           taken.code
      from taken
      join webhooks on webhooks.tenant_id = taken.tenant_id and webhooks.id = taken.webhook_id;
end
$$;
alter function claim_webhooks owner to payhub_ledger;
revoke all on function claim_webhooks from public;
grant execute on function claim_webhooks to payhub_app;

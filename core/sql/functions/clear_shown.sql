-- Deliveries that take away what phones still show of notices that were acknowledged elsewhere: one for each phone that
-- was told of a kind, when nothing of that kind is left to acknowledge. A browser shows a push or takes none (RFC 8030
-- knows no silent one), so it is left alone.
create or replace function clear_shown(p_tenants int[], p_persons uuid[], p_notices uuid[])
returns void
language sql volatile security invoker
as $$
    insert into deliveries (tenant_id, road, person_id, kind, notice_ids, device_id)
    select distinct shown.tenant_id, shown.road, shown.person_id, shown.kind, '{}'::uuid[], shown.device_id
      from unnest(p_tenants, p_persons, p_notices) as heard (tenant_id, person_id, notice_id)
     cross join lateral (
          select deliveries.* from deliveries
           where deliveries.tenant_id = heard.tenant_id and deliveries.person_id = heard.person_id
             and deliveries.road in (1, 2) and deliveries.state = 1
             and deliveries.notice_ids @> array[heard.notice_id]
     ) shown
     where not exists (
               select from notices
                where notices.tenant_id = shown.tenant_id and notices.person_id = shown.person_id
                  and notices.kind = shown.kind and notices.heard_at is null and notices.rung > 1
                  and notices.id <> all (p_notices)
           )
       and not exists (
               select from deliveries as other
                where other.tenant_id = shown.tenant_id and other.person_id = shown.person_id and other.state = 0
                  and other.device_id = shown.device_id and other.kind = shown.kind
                  and cardinality(other.notice_ids) = 0
           )
$$;
alter function clear_shown owner to payhub_owner;
revoke all on function clear_shown from public;
grant execute on function clear_shown to payhub_ledger;

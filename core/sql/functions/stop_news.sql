-- Somebody takes back that they agreed to a purpose: what waits to be told them of its news is not told. Returns how many.
create or replace function stop_news(p_tenant int, p_person uuid, p_purpose text, p_kind smallint)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with stopped as (
        update notices
           set heard_at = clock_timestamp()
          from news
         where notices.tenant_id = p_tenant and notices.person_id = p_person and notices.kind = p_kind
           and notices.heard_at is null
           and news.tenant_id = p_tenant and news.id = (notices.facts ->> 'subject')::uuid and news.purpose = p_purpose
        returning 1
    )
    select count(*)::int from stopped
$$;
alter function stop_news owner to payhub_ledger;
revoke all on function stop_news from public;
grant execute on function stop_news to payhub_app;

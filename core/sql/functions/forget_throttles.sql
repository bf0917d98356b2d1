-- Removes counts that have been quiet for longer than p_after, of all tenants. Returns how many.
create or replace function forget_throttles(p_after interval, p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with quiet as (
        select tenant_id, kind, key from throttles
         where at < now() - p_after limit p_limit for update skip locked
    ), gone as (
        delete from throttles using quiet
         where throttles.tenant_id = quiet.tenant_id and throttles.kind = quiet.kind and throttles.key = quiet.key
        returning 1
    )
    select count(*)::int from gone
$$;
alter function forget_throttles owner to payhub_ledger;
revoke all on function forget_throttles from public;
grant execute on function forget_throttles to payhub_app;

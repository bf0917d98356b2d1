-- Removes what was used once and has been too old to be taken for longer than p_after. Returns how many.
create or replace function forget_spent(p_after interval, p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with over as (
        select spent_nonces.tenant_id, spent_nonces.hash
          from spent_nonces
         where spent_nonces.until < now() - p_after
         limit p_limit
           for update skip locked
    ), gone as (
        delete from spent_nonces using over
         where spent_nonces.tenant_id = over.tenant_id and spent_nonces.hash = over.hash
        returning 1
    )
    select count(*)::int from gone
$$;
alter function forget_spent owner to payhub_ledger;
revoke all on function forget_spent from public;
grant execute on function forget_spent to payhub_app;

-- Removes pairing codes that have been over for longer than p_after, used or not. Returns how many.
create or replace function forget_pairing_codes(p_after interval, p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with over as (
        select pairing_codes.tenant_id, pairing_codes.hash
          from pairing_codes
         where pairing_codes.expires_at < now() - p_after
         limit p_limit
           for update skip locked
    ), gone as (
        delete from pairing_codes using over
         where pairing_codes.tenant_id = over.tenant_id and pairing_codes.hash = over.hash
        returning 1
    )
    select count(*)::int from gone
$$;
alter function forget_pairing_codes owner to payhub_ledger;
revoke all on function forget_pairing_codes from public;
grant execute on function forget_pairing_codes to payhub_app;

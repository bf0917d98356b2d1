-- Removes notices that are of no use any more, and codes that nobody can use and that no limit counts. Returns how many.
create or replace function forget_late(p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with late as (
        select notices.tenant_id, notices.id
          from notices
         where notices.expires_at < clock_timestamp()
         order by notices.expires_at
         limit p_limit
           for update skip locked
    ), gone as (
        delete from notices using late
         where notices.tenant_id = late.tenant_id and notices.id = late.id
        returning 1
    ), spent as (
        select contact_codes.tenant_id, contact_codes.id
          from contact_codes
         where contact_codes.sent_at < clock_timestamp() - interval '2 days'
         order by contact_codes.sent_at
         limit p_limit
           for update skip locked
    ), forgotten as (
        delete from contact_codes using spent
         where contact_codes.tenant_id = spent.tenant_id and contact_codes.id = spent.id
        returning 1
    )
    select greatest((select count(*) from gone), (select count(*) from forgotten))::int
$$;
alter function forget_late owner to payhub_ledger;
revoke all on function forget_late from public;
grant execute on function forget_late to payhub_app;

-- Removes tickets and answered challenges whose time is over, of all tenants. Returns how many.
create or replace function forget_tickets(p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with tickets as (
        delete from log_in_tickets using (
            select tenant_id, hash from log_in_tickets
             where expires_at < now() order by expires_at limit p_limit for update skip locked
        ) as over
         where log_in_tickets.tenant_id = over.tenant_id and log_in_tickets.hash = over.hash
        returning 1
    ), challenges as (
        delete from spent_challenges using (
            select tenant_id, challenge from spent_challenges
             where expires_at < now() order by expires_at limit p_limit for update skip locked
        ) as over
         where spent_challenges.tenant_id = over.tenant_id and spent_challenges.challenge = over.challenge
        returning 1
    )
    select ((select count(*) from tickets) + (select count(*) from challenges))::int
$$;
alter function forget_tickets owner to payhub_ledger;
revoke all on function forget_tickets from public;
grant execute on function forget_tickets to payhub_app;

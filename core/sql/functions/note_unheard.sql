-- Empties the outbox of batches older than p_patience: money received by somebody who has not
-- acknowledged it by now becomes a notice. Returns how many batches were looked at and notices made.
-- Any number of workers may call it at once: each batch is one worker's.
create or replace function note_unheard(p_patience interval, p_limit int, out batches int, out noted int)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    with ripe as (
        select outbox.tenant_id, outbox.batch, outbox.payment_ids
          from outbox
         where outbox.created_at < now() - p_patience and outbox.is_logged
           -- In commit order: a batch with an earlier id may still be under way.
           and outbox.xid < pg_snapshot_xmin(pg_current_snapshot())
         order by outbox.created_at
         limit p_limit
           for update skip locked
    ), unheard as (
        insert into notices (tenant_id, account_id, number, person_id, payment_id)
        select payments.tenant_id, payments.payee, payments.payee_version, accounts.person_id, payments.id
          from ripe
         cross join lateral unnest(ripe.payment_ids) as posted (id)
         -- One by one and each by its key: a batch of a bulk has thousands, and statistics lie (see post_payments).
         cross join lateral (
              select payments.* from payments
               where payments.tenant_id = ripe.tenant_id and payments.id = posted.id
              offset 0
         ) payments
         cross join lateral (
              select accounts.person_id from accounts
               where accounts.tenant_id = ripe.tenant_id and accounts.id = payments.payee
              offset 0
         ) accounts
          left join lateral (
              select acknowledgements.number from acknowledgements
               where acknowledgements.tenant_id = ripe.tenant_id and acknowledgements.account_id = payments.payee
                 and acknowledgements.person_id = accounts.person_id
              offset 0
         ) heard on true
         where accounts.person_id is not null and coalesce(heard.number, 0) < payments.payee_version
            on conflict do nothing
        returning 1
    ), gone as (
        delete from outbox using ripe
         where outbox.tenant_id = ripe.tenant_id and outbox.batch = ripe.batch
        returning 1
    )
    select (select count(*) from gone), (select count(*) from unheard) into batches, noted;
end
$$;
alter function note_unheard owner to payhub_ledger;
revoke all on function note_unheard from public;
grant execute on function note_unheard to payhub_app;

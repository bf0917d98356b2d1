-- Removes deliveries that ended p_kept ago, notices as old that nobody has to climb with any more, and phones that went as
-- long ago; and gives up pushes that waited for p_late. What was set aside waits for somebody twice as long. Returns how many of the most numerous.
drop function if exists forget_told(interval, int);
create or replace function forget_told(p_kept interval, p_late interval, p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    -- Where an operator has no road for it, nobody would ever take it.
    with late as (
        update deliveries
           set state = 2, code = 'late', ended_at = clock_timestamp()
         where deliveries.road < 4 and deliveries.state = 0 and deliveries.made_at < clock_timestamp() - p_late
        returning 1
    ), ended as (
        select deliveries.tenant_id, deliveries.id
          from deliveries
         where deliveries.state <> 0
           and deliveries.ended_at < clock_timestamp() - p_kept
           and (deliveries.state <> 3 or deliveries.ended_at < clock_timestamp() - 2 * p_kept)
         order by deliveries.ended_at
         limit p_limit
           for update skip locked
    ), gone as (
        delete from deliveries using ended
         where deliveries.tenant_id = ended.tenant_id and deliveries.id = ended.id
        returning 1
    ), old as (
        select notices.tenant_id, notices.id
          from notices
         where notices.noted_at < clock_timestamp() - p_kept and (notices.rung = 3 or notices.heard_at is not null)
         order by notices.noted_at
         limit p_limit
           for update skip locked
    ), forgotten as (
        delete from notices using old
         where notices.tenant_id = old.tenant_id and notices.id = old.id
        returning 1
    ), lost as (
        delete from push_devices where push_devices.gone_at < clock_timestamp() - p_kept
        returning 1
    )
    select greatest(
        (select count(*) from gone), (select count(*) from forgotten), (select count(*) from lost)
    )::int
$$;
alter function forget_told owner to payhub_ledger;
revoke all on function forget_told from public;
grant execute on function forget_told to payhub_app;

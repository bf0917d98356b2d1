-- Writes down what came of deliveries that were claimed. What somebody else has claimed meanwhile (p_tries differs) is
-- theirs to settle. A phone or an address that is gone is forgotten, and what only that phone was told climbs on at once.
--   p_states   core.notices.deliveries.State: 0 to be tried again after p_after_s, with p_gives_back the try not counted
create or replace function settle_deliveries(
    p_tenants int[], p_ids uuid[], p_tries smallint[], p_states smallint[], p_codes text[], p_after_s double precision[],
    p_gives_back boolean[]
) returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
-- Each row by its key, whatever statistics say of tables that were empty a minute ago.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
-- And planned anew each time, which costs one or two milliseconds: a plan that is kept may be one for empty tables.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_settled int;
begin
    with told as materialized (
        select *
          from unnest(p_tenants, p_ids, p_tries, p_states, p_codes, p_after_s, p_gives_back)
            as told (tenant_id, id, tries, state, code, after_s, gives_back)
         -- In one order everywhere, so that two who settle cannot wait for each other.
         order by told.tenant_id, told.id
    ), settled as (
        update deliveries
           set state = told.state,
               code = told.code,
               ended_at = case when told.state = 0 then null else clock_timestamp() end,
               due_at = case when told.state = 0
                             then clock_timestamp() + make_interval(secs => told.after_s) else deliveries.due_at end,
               tries = case when told.gives_back then deliveries.tries - 1 else deliveries.tries end
          from told
         where deliveries.tenant_id = told.tenant_id and deliveries.id = told.id
           -- Written so that each row is found by its key, and not by reading an index of all that waits, is unheard or
           -- is not gone: statistics may say that there is hardly any. The same below.
           and coalesce(deliveries.state, 0) = 0 and deliveries.tries = told.tries
        returning deliveries.tenant_id, deliveries.id, deliveries.person_id, deliveries.device_id, deliveries.notice_ids,
                  deliveries.state, deliveries.code, deliveries.made_at, deliveries.field_number
    ), gone as (
        update push_devices
           set gone_at = clock_timestamp(), gone_code = settled.code
          from settled
         where settled.state = 4
           and push_devices.tenant_id = settled.tenant_id and push_devices.id = settled.device_id
           and num_nulls(push_devices.gone_at) = 1
        returning push_devices.tenant_id, push_devices.id
    ), let_go as (
        -- An address that nobody has is not its person's until they confirm it anew (see bounce_delivery).
        delete from held_fields
         using settled
         where settled.state = 4 and settled.device_id is null
           and held_fields.tenant_id = settled.tenant_id and held_fields.person_id = settled.person_id
           and held_fields.field = 6 and held_fields.held_at < settled.made_at
           and coalesce(settled.field_number, held_fields.number) = held_fields.number
    ), hurried as (
        update notices
           set climbs_at = clock_timestamp()
          from settled
         cross join lateral unnest(settled.notice_ids) as told (id)
         where settled.state in (3, 4) and settled.device_id is not null
           and notices.tenant_id = settled.tenant_id and notices.id = told.id
           and num_nulls(notices.heard_at) = 1 and notices.rung = 2
           -- Not while another phone of theirs was, or is being, told.
           and not exists (
               select from deliveries as other
                where other.tenant_id = settled.tenant_id and other.person_id = settled.person_id
                  and other.notice_ids @> array[told.id] and other.device_id <> settled.device_id
                  and other.state in (0, 1)
                  and not exists (
                      select from settled as also
                       where also.state in (3, 4) and also.tenant_id = other.tenant_id and also.id = other.id
                  )
           )
        returning 1
    )
    select count(*) from settled into v_settled;
    return v_settled;
end
$$;
alter function settle_deliveries owner to payhub_ledger;
revoke all on function settle_deliveries from public;
grant execute on function settle_deliveries to payhub_app;

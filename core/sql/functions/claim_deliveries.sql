-- Takes deliveries of one road that are due, for p_lease: whoever took them and is not heard of by then has lost them to
-- the next one. Tenants with something due share the places alike, each with its oldest first. What is of no use any more
-- (acknowledged meanwhile, its phone logged out, too late) ends here instead. Any number of workers may call it at once.
-- `count` and `sum`: of a mail, its notices; of a push, all that it stands for: everything of its kind that the person has
-- not acknowledged, because a phone shows one push of a kind. `badge`: everything of any kind.
drop function if exists claim_deliveries(smallint, int, interval);
create or replace function claim_deliveries(p_road smallint, p_limit int, p_lease interval)
returns table (
    tenant_id int, id uuid, kind smallint, person_id uuid, tries smallint, made_at timestamptz, device_id uuid,
    device_sealed bytea, device_at timestamptz, language text, field smallint, field_number int, contact_sealed bytea,
    notice_id uuid, notice_sealed bytea, session_id uuid, facts jsonb, amount bigint, payment_id uuid,
    happened_at timestamptz, expires_at timestamptz, count int, sum bigint, badge int,
    name text, name_sealed bytea, session_name text
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
-- Each row by its key, whatever statistics say of tables that were empty a minute ago: nothing here joins two sets.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
-- And planned anew each time, which costs one or two milliseconds: a plan that is kept may be one for empty tables.
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    v_tenants int[];
    v_tenant int;
    -- An index can be asked for a moment, and not for clock_timestamp(): that is compared with each row that waits.
    v_now timestamptz := clock_timestamp();
begin
    -- A look at the first row of each tenant that has any, so that ten thousand rows of one cost nobody anything.
    v_tenant := 0;
    loop
        select deliveries.tenant_id into v_tenant
          from deliveries
         where deliveries.road = p_road and deliveries.state = 0 and deliveries.tenant_id > v_tenant
         order by deliveries.tenant_id
         limit 1;
        exit when v_tenant is null;
        if exists (
            select from deliveries
             where deliveries.road = p_road and deliveries.state = 0 and deliveries.tenant_id = v_tenant
               and deliveries.due_at <= v_now
        ) then
            v_tenants := v_tenants || v_tenant;
        end if;
    end loop;
    if v_tenants is null then
        return;
    end if;
    if cardinality(v_tenants) > p_limit then
        -- More tenants than places: whose turn it is falls by lot, each time anew.
        v_tenants := array(select one.tenant_id from unnest(v_tenants) as one (tenant_id) order by random() limit p_limit);
    end if;
    return query
    with taken as materialized (
        select due.*
          from unnest(v_tenants) as one (tenant_id)
         cross join lateral (
              select deliveries.*
                from deliveries
               where deliveries.road = p_road and deliveries.state = 0 and deliveries.tenant_id = one.tenant_id
                 and deliveries.due_at <= v_now
               order by deliveries.due_at
               limit ceil(p_limit::numeric / cardinality(v_tenants))::int
                 for update skip locked
         ) due
    ), looked as materialized (
        select taken.*, newest.*, alike.count as alike, alike.sum as alike_sum, devices.sealed as device_sealed, devices.registered_at as device_at,
               devices.language as device_language, contact.field as to_field, contact.number as to_number,
               contact.sealed as contact_sealed
          from taken
          left join lateral (
               select notices.id as notice_id, notices.sealed as notice_sealed, notices.session_id, notices.facts,
                      notices.amount, notices.payment_id, notices.happened_at, notices.expires_at,
                      count(*) over () as count, sum(notices.amount) over () as sum
                 from unnest(taken.notice_ids) as told (id)
                 join notices on notices.tenant_id = taken.tenant_id and notices.id = told.id
                 left join acknowledgements as heard
                   on heard.tenant_id = notices.tenant_id and heard.account_id = notices.account_id
                  and heard.person_id = notices.person_id
                -- num_nulls: or the index of what is unheard is taken for the key, and read for each row as a whole
                -- tenant's, as long as there are no statistics. The same below.
                where num_nulls(notices.heard_at) = 1 and coalesce(heard.number < notices.number, true)
                  and coalesce(notices.expires_at > v_now, true)
                order by notices.happened_at desc, notices.id
                limit 1
          ) newest on true
          left join lateral (
               select count(*) as count, sum(waiting.amount) as sum
                 from (
                     select notices.amount from notices
                      where taken.device_id is not null
                        and notices.tenant_id = taken.tenant_id and notices.person_id = taken.person_id
                        and notices.kind = taken.kind and notices.heard_at is null and notices.rung > 1
                      limit 999
                 ) as waiting
          ) alike on true
          left join lateral (
               -- offset 0: this phone first, and then whether it is logged in; not all that are and then this one.
               select held.sealed, held.registered_at, held.language
                 from (
                     select push_devices.* from push_devices
                      where push_devices.tenant_id = taken.tenant_id and push_devices.id = taken.device_id
                        and num_nulls(push_devices.gone_at) = 1
                     offset 0
                 ) held
                where exists (
                    select from sessions
                     where sessions.tenant_id = taken.tenant_id and sessions.id = held.session_id
                       and sessions.revoked_at is null and sessions.expires_at > v_now
                )
               offset 0
          ) devices on true
          left join lateral (
               select person_fields.field, person_fields.number, person_fields.sealed
                 from person_fields
                where taken.device_id is null
                  and person_fields.tenant_id = taken.tenant_id and person_fields.person_id = taken.person_id
                  and (person_fields.field, person_fields.number) = (
                      coalesce(taken.field, 6::smallint),
                      coalesce(taken.field_number, (
                          select held_fields.number from held_fields
                           where held_fields.tenant_id = taken.tenant_id and held_fields.person_id = taken.person_id
                             and held_fields.field = 6
                      ))
                  )
          ) contact on true
    ), judged as materialized (
        select looked.*,
               (looked.device_sealed is not null or looked.contact_sealed is not null)
               and (looked.notice_id is not null or cardinality(looked.notice_ids) = 0) as is_live
          from looked
    ), marked as (
        update deliveries
           set state = case when judged.is_live then 0 else 2 end,
               ended_at = case when judged.is_live then null else clock_timestamp() end,
               due_at = clock_timestamp() + p_lease,
               tries = deliveries.tries + 1
          from judged
         where deliveries.tenant_id = judged.tenant_id and deliveries.id = judged.id
    )
    select judged.tenant_id, judged.id, judged.kind, judged.person_id, (judged.tries + 1)::smallint, judged.made_at,
           judged.device_id, judged.device_sealed, judged.device_at,
           coalesce(judged.device_language, notice_settings.language,
                    case when tenants.country in ('BR', 'PT') then 'pt' else 'en' end),
           judged.to_field, judged.to_number, judged.contact_sealed,
           judged.notice_id, judged.notice_sealed, judged.session_id, judged.facts, judged.amount, judged.payment_id,
           judged.happened_at, judged.expires_at,
           greatest(judged.count, judged.alike)::int,
           (case when judged.alike > judged.count then judged.alike_sum else judged.sum end)::bigint,
           case when judged.device_id is null then 0 else (
               select count(*) from (
                   select from notices
                    where notices.tenant_id = judged.tenant_id and notices.person_id = judged.person_id
                      and notices.heard_at is null and notices.rung > 1
                    limit 99
               ) as waiting
           ) end::int,
           profiles.display_name, profiles.display_name_sealed, sessions.name
      from judged
      join tenants on tenants.id = judged.tenant_id
      left join notice_settings
        on notice_settings.tenant_id = judged.tenant_id and notice_settings.person_id = judged.person_id
      -- For a mail alone: a push names nobody.
      left join profiles
        on judged.device_id is null
       and profiles.tenant_id = judged.tenant_id and profiles.person_id = judged.person_id
      left join sessions
        on judged.device_id is null
       and sessions.tenant_id = judged.tenant_id and sessions.id = judged.session_id
     where judged.is_live
     order by judged.due_at;
end
$$;
alter function claim_deliveries owner to payhub_ledger;
revoke all on function claim_deliveries from public;
grant execute on function claim_deliveries to payhub_app;

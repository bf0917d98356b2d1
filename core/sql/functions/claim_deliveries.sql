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
as $$
#variable_conflict use_column
declare
    v_tenants int[];
    v_tenant int;
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
               and deliveries.due_at <= clock_timestamp()
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
                 and deliveries.due_at <= clock_timestamp()
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
                where notices.heard_at is null and coalesce(heard.number < notices.number, true)
                  and coalesce(notices.expires_at > clock_timestamp(), true)
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
               select push_devices.sealed, push_devices.registered_at, push_devices.language
                 from push_devices
                 join sessions
                   on sessions.tenant_id = push_devices.tenant_id and sessions.id = push_devices.session_id
                where push_devices.tenant_id = taken.tenant_id and push_devices.id = taken.device_id
                  and push_devices.gone_at is null
                  and sessions.revoked_at is null and sessions.expires_at > clock_timestamp()
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
    ), marked as (
        update deliveries
           set state = case when looked.live then 0 else 2 end,
               ended_at = case when looked.live then null else clock_timestamp() end,
               due_at = clock_timestamp() + p_lease,
               tries = deliveries.tries + 1
          from (
              select looked.tenant_id, looked.id,
                     (looked.device_sealed is not null or looked.contact_sealed is not null)
                     and (looked.notice_id is not null or cardinality(looked.notice_ids) = 0) as live
                from looked
          ) as looked
         where deliveries.tenant_id = looked.tenant_id and deliveries.id = looked.id
        returning deliveries.tenant_id, deliveries.id, deliveries.state, deliveries.tries
    )
    select looked.tenant_id, looked.id, looked.kind, looked.person_id, marked.tries, looked.made_at, looked.device_id,
           looked.device_sealed, looked.device_at,
           coalesce(looked.device_language, notice_settings.language,
                    case when tenants.country in ('BR', 'PT') then 'pt' else 'en' end),
           looked.to_field, looked.to_number, looked.contact_sealed,
           looked.notice_id, looked.notice_sealed, looked.session_id, looked.facts, looked.amount, looked.payment_id,
           looked.happened_at, looked.expires_at,
           greatest(looked.count, looked.alike)::int,
           (case when looked.alike > looked.count then looked.alike_sum else looked.sum end)::bigint,
           case when looked.device_id is null then 0 else (
               select count(*) from (
                   select from notices
                    where notices.tenant_id = looked.tenant_id and notices.person_id = looked.person_id
                      and notices.heard_at is null and notices.rung > 1
                    limit 99
               ) as waiting
           ) end::int,
           profiles.display_name, profiles.display_name_sealed, sessions.name
      from looked
      join marked on marked.tenant_id = looked.tenant_id and marked.id = looked.id and marked.state = 0
      join tenants on tenants.id = looked.tenant_id
      left join notice_settings
        on notice_settings.tenant_id = looked.tenant_id and notice_settings.person_id = looked.person_id
      -- For a mail alone: a push names nobody.
      left join profiles
        on looked.device_id is null
       and profiles.tenant_id = looked.tenant_id and profiles.person_id = looked.person_id
      left join sessions
        on looked.device_id is null
       and sessions.tenant_id = looked.tenant_id and sessions.id = looked.session_id
     order by looked.due_at;
end
$$;
alter function claim_deliveries owner to payhub_ledger;
revoke all on function claim_deliveries from public;
grant execute on function claim_deliveries to payhub_app;

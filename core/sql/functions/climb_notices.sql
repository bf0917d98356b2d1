-- Notices that nobody acknowledged in the time that their road had take the next one: deliveries to the person's phones,
-- then to their mailbox. Notices of one kind to one person that climb together are told as one. Returns how many climbed
-- and how many deliveries were made, and wakes who hands them over. Any number of workers may call it at once.
--   p_kinds, p_pushes, p_has_pushes, p_has_mails   core.notices.ladder.LADDERS: what holds unless the tenant says
--   p_can_waits                                     whether a kind keeps quiet hours and can be turned off
-- Nobody's phone rings for one kind more than six times a minute, and nobody gets more than six mails of one in ten: what
-- comes faster waits, and is told together.
-- What was acknowledged in the very moment in which it was noted does not climb.
create or replace function climb_notices(
    p_limit int, p_kinds smallint[], p_pushes int[], p_has_pushes boolean[], p_has_mails boolean[],
    p_can_waits boolean[], out climbed int, out made int
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
declare
    -- One moment for all of it, and one that an index can be asked for: clock_timestamp() would be compared with row by
    -- row, with everything that waits for its time.
    v_now timestamptz := clock_timestamp();
begin
    -- Mostly there is nothing, and to plan the rest costs more than to see that.
    if not exists (
        select from notices
         where notices.heard_at is null and notices.rung < 3 and notices.climbs_at <= v_now
           and coalesce(notices.expires_at > v_now, true)
    ) then
        climbed := 0;
        made := 0;
        return;
    end if;
    with due as materialized (
        select notices.*
          from notices
         where notices.heard_at is null and notices.rung < 3 and notices.climbs_at <= v_now
           and coalesce(notices.expires_at > v_now, true)
         order by notices.climbs_at
         limit p_limit
           for update skip locked
    ), looked as materialized (
        select due.tenant_id, due.id, due.kind, due.person_id, due.rung, due.happened_at, due.field, due.field_number,
               coalesce(heard.number >= due.number, false) as is_heard
          from due
          left join acknowledgements as heard
            on heard.tenant_id = due.tenant_id and heard.account_id = due.account_id
           and heard.person_id = due.person_id
    ), seen as (
        update notices
           set heard_at = clock_timestamp()
          from looked
         where looked.is_heard and notices.tenant_id = looked.tenant_id and notices.id = looked.id
    ), standing as materialized (
        select looked.*, coalesce(ladders.push_s, standard.push_s) as push_s,
               coalesce(ladders.has_push, standard.has_push) and not wishes.is_muted as has_push,
               coalesce(ladders.has_mail, standard.has_mail) and not wishes.is_muted as has_mail,
               wishes.quiet_until
          from looked
          join unnest(p_kinds, p_pushes, p_has_pushes, p_has_mails, p_can_waits)
            as standard (kind, push_s, has_push, has_mail, can_wait) on standard.kind = looked.kind
          left join ladders on ladders.tenant_id = looked.tenant_id and ladders.kind = looked.kind
         cross join lateral (
              select standard.can_wait and coalesce(bool_or(looked.kind = any (notice_settings.muted)), false) as is_muted,
                     case when standard.can_wait
                          then max(quiet_until(notice_settings.quiet_from, notice_settings.quiet_to, tenants.time_zone))
                     end as quiet_until
                from notice_settings
                join tenants on tenants.id = notice_settings.tenant_id
               where standard.can_wait
                 and notice_settings.tenant_id = looked.tenant_id and notice_settings.person_id = looked.person_id
         ) as wishes
         where not looked.is_heard
    ), held_back as (
        update notices
           set climbs_at = standing.quiet_until
          from standing
         where standing.quiet_until is not null
           and notices.tenant_id = standing.tenant_id and notices.id = standing.id
    ), led as materialized (
        select standing.*, phones.count as phones
          from standing
         cross join lateral (
              select count(*) as count
                from push_devices
                join sessions
                  on sessions.tenant_id = push_devices.tenant_id and sessions.id = push_devices.session_id
               where standing.rung = 1 and standing.has_push
                 and push_devices.tenant_id = standing.tenant_id and push_devices.person_id = standing.person_id
                 and push_devices.gone_at is null
                 -- Whoever logged out there wants nothing there.
                 and sessions.revoked_at is null and sessions.expires_at > v_now
         ) as phones
         where standing.quiet_until is null
    ), climbing as materialized (
        select led.*, led.phones > 0 as to_phone,
               -- Codes have limits of their own.
               led.kind <> 1 and told.count >= 6 * greatest(led.phones, 1) as is_busy
          from led
         cross join lateral (
              select count(*) as count from deliveries
               where deliveries.tenant_id = led.tenant_id and deliveries.person_id = led.person_id
                 and deliveries.kind = led.kind and (deliveries.road < 4) = (led.phones > 0)
                 and cardinality(deliveries.notice_ids) > 0
                 and deliveries.made_at > v_now - case when led.phones > 0 then interval '1 minute'
                                                       else interval '10 minutes' end
         ) as told
    ), slowed as (
        update notices
           set climbs_at = clock_timestamp() + case when climbing.to_phone then interval '10 s' else interval '1 minute' end
          from climbing
         where climbing.is_busy and notices.tenant_id = climbing.tenant_id and notices.id = climbing.id
    ), going as materialized (
        select * from climbing where not climbing.is_busy
    ), pushes as (
        insert into deliveries (tenant_id, road, person_id, kind, notice_ids, device_id)
        select told.tenant_id, phones.provider, told.person_id, told.kind, told.ids, phones.id
          from (
              -- One push stands for all of its kind, however many there are.
              select going.tenant_id, going.person_id, going.kind,
                     (array_agg(going.id order by going.happened_at desc))[1:100] as ids
                from going
               where going.to_phone
               group by 1, 2, 3
          ) as told
         cross join lateral (
              select push_devices.id, push_devices.provider
                from push_devices
                join sessions
                  on sessions.tenant_id = push_devices.tenant_id and sessions.id = push_devices.session_id
               where push_devices.tenant_id = told.tenant_id and push_devices.person_id = told.person_id
                 and push_devices.gone_at is null
                 and sessions.revoked_at is null and sessions.expires_at > v_now
              offset 0
         ) as phones
        returning 1
    ), letters as (
        insert into deliveries (tenant_id, road, person_id, kind, notice_ids, field, field_number)
        select letter.tenant_id, 4, letter.person_id, letter.kind, array_agg(letter.id order by letter.happened_at),
               letter.field, letter.field_number
          from (
              select going.tenant_id, going.person_id, going.kind, going.id, going.happened_at,
                     contact.field, contact.field_number,
                     -- What does not go into one mail goes into the next.
                     (row_number() over (
                         partition by going.tenant_id, going.person_id, going.kind, contact.field, contact.field_number
                             order by going.happened_at
                     ) - 1) / 100 as piece
                from going
               cross join lateral (
                    select case going.field when 6 then going.field end as field,
                           case going.field when 6 then going.field_number end as field_number
               ) as contact
               where not going.to_phone and going.has_mail
                 -- To the one contact, if it is an address, or to the address that is theirs; a code for a telephone
                 -- number is for nobody's mailbox.
                 and (contact.field is not null or going.kind <> 1 and exists (
                         select from held_fields
                          where held_fields.tenant_id = going.tenant_id and held_fields.person_id = going.person_id
                            and held_fields.field = 6
                     ))
          ) as letter
         group by letter.tenant_id, letter.person_id, letter.kind, letter.field, letter.field_number, letter.piece
        returning 1
    ), moved as (
        update notices
           set rung = case when going.to_phone then 2 else 3 end,
               climbs_at = clock_timestamp()
                         + case when going.to_phone then make_interval(secs => going.push_s) else interval '0' end
          from going
         where notices.tenant_id = going.tenant_id and notices.id = going.id
        returning 1
    )
    select (select count(*) from moved), (select count(*) from pushes) + (select count(*) from letters)
      into climbed, made;
    if made > 0 then
        perform pg_notify('payhub_deliveries', '');
    end if;
end
$$;
alter function climb_notices owner to payhub_ledger;
revoke all on function climb_notices from public;
grant execute on function climb_notices to payhub_app;

-- Leaves the oldest news that not everybody has been told to the next people who agreed to its purpose, and who have not
-- turned news off: to so many at most, in the order of their ids. Returns how many. Any number of workers may call it.
--   p_kind, p_rung, p_waits_s   as leave_notice has them
create or replace function spread_news(p_limit int, p_kind smallint, p_rung smallint, p_waits_s int)
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_news news%rowtype;
    v_person uuid;
    v_last uuid;
    v_found int := 0;
begin
    select * into v_news from news where ended_at is null order by sent_at limit 1 for update skip locked;
    if not found then
        return 0;
    end if;
    for v_person in
        select said.person_id
          from (
              select distinct on (consents.person_id) consents.person_id, consents.version, consents.is_given
                from consents
               where consents.tenant_id = v_news.tenant_id and consents.purpose = v_news.purpose
                 and (v_news.after_person is null or consents.person_id > v_news.after_person)
               order by consents.person_id, consents.number desc
          ) as said
         cross join lateral (
              -- As core.privacy.consents has it: since which version what was given counts, and whether it still does.
              select max(version) filter (where asks_again or not is_open or version = 1) as counts_from,
                     (array_agg(is_open order by version desc))[1] as is_open
                from consent_purposes
               where tenant_id = v_news.tenant_id and purpose = v_news.purpose
         ) as held
          join persons on persons.tenant_id = v_news.tenant_id and persons.id = said.person_id
         where said.is_given and said.version >= held.counts_from and held.is_open and persons.status = 0
           and not exists (
               select from notice_settings
                where notice_settings.tenant_id = v_news.tenant_id and notice_settings.person_id = said.person_id
                  and p_kind = any (notice_settings.muted)
           )
         order by said.person_id
         limit p_limit
    loop
        perform leave_notice(
            v_news.tenant_id, gen_random_uuid(), p_kind, v_person, null, null, null, null, null,
            jsonb_build_object('at', clock_timestamp(), 'subject', v_news.id), true, p_rung, p_waits_s
        );
        v_last := v_person;
        v_found := v_found + 1;
    end loop;
    update news
       set after_person = coalesce(v_last, after_person), told = told + v_found,
           ended_at = case when v_found < p_limit then clock_timestamp() end
     where tenant_id = v_news.tenant_id and id = v_news.id;
    return v_found;
end
$$;
alter function spread_news owner to payhub_ledger;
revoke all on function spread_news from public;
grant execute on function spread_news to payhub_app;

-- How many incidents of each tenant the authority was not told of, and nobody said why not: in time, and too late.
create or replace function count_untold_incidents(p_now timestamptz)
returns table (tenant_id int, open bigint, late bigint)
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    select newest.tenant_id,
           count(*) filter (where newest.tell_by > coalesce(p_now, clock_timestamp())),
           count(*) filter (where newest.tell_by <= coalesce(p_now, clock_timestamp()))
      from (
          select distinct on (incidents.tenant_id, incidents.id) incidents.*
            from incidents
           order by incidents.tenant_id, incidents.id, incidents.revision desc
      ) as newest
     where newest.told_authority_at is null and newest.notes ->> 'not_told_why' is null
     group by newest.tenant_id
     order by newest.tenant_id
$$;
alter function count_untold_incidents owner to payhub_ledger;
revoke all on function count_untold_incidents from public;
grant execute on function count_untold_incidents to payhub_app;

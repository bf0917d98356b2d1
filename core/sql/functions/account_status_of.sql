-- What the accounts of somebody may who stands so (core.people.standing): core.nouns.AccountStatus. For the functions
-- that write accounts; nobody else asks.
create or replace function account_status_of(p_tenant int, p_status smallint)
returns smallint
language sql stable security invoker
set search_path = payhub, pg_temp
as $$
    select case
        when p_status = 0 then 0
        when p_status = 1 then 1
        when p_status = 2 then 2
        when coalesce(settings.pending_pay, false) then 0
        when coalesce(settings.pending_are_paid, true) then 3
        else 1
    end::smallint
      from (values (p_tenant)) as asked (tenant_id)
      left join people_settings as settings on settings.tenant_id = asked.tenant_id
$$;
alter function account_status_of owner to payhub_ledger;
revoke all on function account_status_of from public;

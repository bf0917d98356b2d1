-- Removes notices that were acknowledged after all, on whatever road. Returns how many.
create or replace function forget_heard(p_limit int)
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with heard as (
        select notices.tenant_id, notices.account_id, notices.number
          from notices
          join acknowledgements as heard
            on heard.tenant_id = notices.tenant_id
           and heard.account_id = notices.account_id
           and heard.person_id = notices.person_id
         where notices.number <= heard.number
         limit p_limit
           for update of notices skip locked
    ), gone as (
        delete from notices using heard
         where notices.tenant_id = heard.tenant_id
           and notices.account_id = heard.account_id
           and notices.number = heard.number
        returning 1
    )
    select count(*)::int from gone
$$;
alter function forget_heard owner to payhub_ledger;
revoke all on function forget_heard from public;
grant execute on function forget_heard to payhub_app;

-- Removes notices of accounts' events that were acknowledged after all, on whatever road, and has phones take away what
-- they show of them. Returns how many. (Those of a person's own stream stay: they are a list that is read again.)
create or replace function forget_heard(p_limit int)
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_tenants int[];
    v_persons uuid[];
    v_ids uuid[];
begin
    select array_agg(heard.tenant_id), array_agg(heard.person_id), array_agg(heard.id)
      into v_tenants, v_persons, v_ids
      from (
          select notices.tenant_id, notices.person_id, notices.id
            from notices
           where notices.account_id is not null and notices.heard_at is not null
           limit p_limit
             for update skip locked
      ) as heard;
    if v_ids is null then
        return 0;
    end if;
    perform clear_shown(v_tenants, v_persons, v_ids);
    delete from notices
     using unnest(v_tenants, v_ids) as heard (tenant_id, id)
     where notices.tenant_id = heard.tenant_id and notices.id = heard.id;
    return cardinality(v_ids);
end
$$;
alter function forget_heard owner to payhub_ledger;
revoke all on function forget_heard from public;
grant execute on function forget_heard to payhub_app;

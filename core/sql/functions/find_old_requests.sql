-- Tenants with requests from before a moment whose texts are still there.
create or replace function find_old_requests(p_before timestamptz, p_limit int)
returns table (tenant_id int)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select distinct one.tenant_id
      from privacy_requests as one
     where one.asked_at < p_before and num_nonnulls(one.text_sealed, one.answer_sealed) > 0
     limit p_limit
$$;
alter function find_old_requests owner to payhub_ledger;
revoke all on function find_old_requests from public;
grant execute on function find_old_requests to payhub_app;

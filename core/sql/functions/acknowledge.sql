-- Notes how far people have seen their accounts' events. Cumulative: a late, lower number changes nothing.
-- Works across tenants: a hub gathers everybody's acknowledgements for a moment and writes them together. Notices of what
-- was seen are heard; forget_heard takes them off phones, too.
create or replace function acknowledge(p_tenants int[], p_accounts bigint[], p_persons uuid[], p_numbers bigint[])
returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    update notices
       set heard_at = clock_timestamp()
      from unnest(p_tenants, p_accounts, p_persons, p_numbers) as seen (tenant_id, account_id, person_id, number)
     where notices.tenant_id = seen.tenant_id and notices.account_id = seen.account_id
       and notices.number <= seen.number and notices.person_id = seen.person_id and notices.heard_at is null;

    insert into acknowledgements as known (tenant_id, account_id, person_id, number)
    select seen.tenant_id, seen.account_id, seen.person_id, max(seen.number)
      from unnest(p_tenants, p_accounts, p_persons, p_numbers) as seen (tenant_id, account_id, person_id, number)
     group by 1, 2, 3
     order by 1, 2, 3
        on conflict (tenant_id, account_id, person_id) do update
       set number = excluded.number, updated_at = now()
     where known.number < excluded.number
$$;
alter function acknowledge owner to payhub_ledger;
revoke all on function acknowledge from public;
grant execute on function acknowledge to payhub_app;

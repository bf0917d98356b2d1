-- The account's events with a number above p_after, oldest first, at most p_limit.
create or replace function read_entries_after(p_tenant int, p_account bigint, p_after bigint, p_limit int)
returns setof entries
language plpgsql volatile security invoker
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    (select tenant_id, payer, payer_version, id, -amount, payee, payer_balance, judged_at, description
       from payments
      where tenant_id = p_tenant and payer = p_account and payer_version > p_after
      order by payer_version limit p_limit)
    union all
    (select tenant_id, payee, payee_version, id, amount, payer, payee_balance, judged_at, description
       from payments
      where tenant_id = p_tenant and payee = p_account and payee_version > p_after
      order by payee_version limit p_limit)
    order by 3 limit p_limit;
end
$$;
alter function read_entries_after owner to payhub_owner;
revoke all on function read_entries_after from public;
grant execute on function read_entries_after to payhub_app;

-- The account's entries with a number below p_before, newest first, at most p_limit.
create or replace function read_entries_before(p_tenant int, p_account bigint, p_before bigint, p_limit int)
returns setof entries
language plpgsql volatile security invoker
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    (select tenant_id, payer, payer_version, id, -amount, payee, payer_balance, judged_at, description
       from payments
      where tenant_id = p_tenant and payer = p_account and payer_version < p_before
      order by payer_version desc limit p_limit)
    union all
    (select tenant_id, payee, payee_version, id, amount, payer, payee_balance, judged_at, description
       from payments
      where tenant_id = p_tenant and payee = p_account and payee_version < p_before
      order by payee_version desc limit p_limit)
    order by 3 desc limit p_limit;
end
$$;
alter function read_entries_before owner to payhub_owner;
revoke all on function read_entries_before from public;
grant execute on function read_entries_before to payhub_app;

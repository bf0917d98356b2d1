-- What an account had at a moment of ledger time: posted, held, and the number of its last event then. No row: there is
-- no such account.
create or replace function read_balance_at(p_tenant int, p_account bigint, p_at timestamptz)
returns table (number bigint, balance bigint, held bigint)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_number constant bigint := find_number_at(p_tenant, p_account, p_at);
begin
    if v_number is null then
        return;
    end if;
    return query
    select v_number,
           coalesce((
               select entries.balance
                 from entries
                where entries.tenant_id = p_tenant and entries.account_id = p_account and entries.number = v_number
           ), 0),
           coalesce((
               select payments.payer_held
                 from payments
                where payments.tenant_id = p_tenant and payments.payer = p_account
                  and payments.payer_version <= v_number and payments.payer_held is not null
                order by payments.payer_version desc
                limit 1
           ), 0);
end
$$;
alter function read_balance_at owner to payhub_owner;
revoke all on function read_balance_at from public;
grant execute on function read_balance_at to payhub_app;

-- A page of an account's entries: the p_limit next after number p_after, oldest first; or, where p_before is given
-- in its place, the p_limit newest below that number, newest first.
--
-- Numbers have no gap, so a page is a range of numbers: nothing is sorted that is not in the answer.
drop function if exists read_entries(int, bigint, bigint, bigint, int);
create or replace function read_entries(
    p_tenant   int,
    p_account  bigint,
    p_after    bigint,
    p_before   bigint,
    p_limit    int
) returns table (
    account_id bigint, number bigint, payment_id uuid, amount bigint, counterparty bigint, balance bigint,
    judged_at_us bigint, description text, kind smallint, subject uuid, charge uuid, hold bigint, held bigint,
    fee bigint, metadata jsonb, description_sealed bytea, asked_by uuid
)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_end bigint := p_after + p_limit + 1;
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    if p_after is null then
        select least(accounts.version + 1, p_before)
          into v_end
          from accounts
         where accounts.tenant_id = p_tenant and accounts.id = p_account;
    end if;
    return query
    select entries.account_id, entries.number, entries.payment_id, entries.amount, entries.counterparty,
           entries.balance, (extract(epoch from entries.judged_at) * 1000000)::bigint, entries.description,
           entries.kind, entries.subject, entries.charge, coalesce(entries.hold, 0), entries.held,
           coalesce(entries.fee, 0), entries.metadata, entries.description_sealed, entries.asked_by
      from entries
     where entries.tenant_id = p_tenant and entries.account_id = p_account
       and entries.number >= v_end - p_limit and entries.number < v_end
     order by case when p_after is null then -entries.number else entries.number end;
end
$$;
alter function read_entries owner to payhub_owner;
revoke all on function read_entries from public;
grant execute on function read_entries to payhub_app;

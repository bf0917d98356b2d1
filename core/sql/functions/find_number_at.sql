-- The number of the account's last event at or before a moment, 0 before the first; null: there is no such account.
-- Time never runs backwards along an account, so it is halved and halved again: 20 looks for a million events.
create or replace function find_number_at(p_tenant int, p_account bigint, p_at timestamptz)
returns bigint
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_low    bigint := 0;     -- at or before
    v_high   bigint;          -- after
    v_middle bigint;
    v_judged timestamptz;
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    select accounts.version + 1
      into v_high
      from accounts
     where accounts.tenant_id = p_tenant and accounts.id = p_account;
    while v_high - v_low > 1 loop
        v_middle := (v_low + v_high) / 2;
        select entries.judged_at
          into v_judged
          from entries
         where entries.tenant_id = p_tenant and entries.account_id = p_account and entries.number = v_middle;
        if v_judged <= p_at then
            v_low := v_middle;
        else
            v_high := v_middle;
        end if;
    end loop;
    return case when v_high is not null then v_low end;
end
$$;
alter function find_number_at owner to payhub_owner;
revoke all on function find_number_at from public;
grant execute on function find_number_at to payhub_app;

-- One account as it stands, in one round trip.
drop function if exists read_account(int, bigint);
create or replace function read_account(p_tenant int, p_account bigint)
returns table (
    id bigint, person_id uuid, status smallint, version bigint, balance bigint, floor bigint, held bigint
)
language plpgsql volatile security invoker
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select accounts.id, accounts.person_id, accounts.status, accounts.version, accounts.balance, accounts.floor,
           accounts.held
      from accounts
     where accounts.tenant_id = p_tenant and accounts.id = p_account;
end
$$;
alter function read_account owner to payhub_owner;
revoke all on function read_account from public;
grant execute on function read_account to payhub_app;

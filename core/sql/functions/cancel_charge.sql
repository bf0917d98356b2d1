-- Cancels a charge that is open, expired or not. Gives what it was before: 'open', 'paid' or 'cancelled'; null: there
-- is none. Whoever pays one holds the lock of the account that it is to be paid to, so that lock is taken here, too, and
-- first, as there: a charge is either paid or cancelled.
create or replace function cancel_charge(p_tenant int, p_id uuid)
returns text
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_status smallint;
begin
    perform from accounts
      where accounts.tenant_id = p_tenant
        and accounts.id = (select charges.payee from charges where charges.tenant_id = p_tenant and charges.id = p_id)
        for no key update;
    select charges.status into v_status from charges where charges.tenant_id = p_tenant and charges.id = p_id;
    update charges
       set status = 2
     where charges.tenant_id = p_tenant and charges.id = p_id and charges.status = 0;
    return (array['open', 'paid', 'cancelled'])[v_status + 1];   -- core.nouns.ChargeStatus
end
$$;
alter function cancel_charge owner to payhub_ledger;
revoke all on function cancel_charge from public;
grant execute on function cancel_charge to payhub_app;

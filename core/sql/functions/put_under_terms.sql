-- Puts an account under terms, from its next payment on; null takes it out of any. False: no such account, or no
-- such terms in this tenant. The row lock puts the change between two batches.
create or replace function put_under_terms(p_tenant int, p_asked_by uuid, p_account bigint, p_terms int)
returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_before int;
begin
    if p_terms is not null and not exists (
        select from terms where terms.tenant_id = p_tenant and terms.id = p_terms
    ) then
        return false;
    end if;
    select accounts.terms
      into v_before
      from accounts
     where accounts.tenant_id = p_tenant and accounts.id = p_account and accounts.person_id is not null
       for no key update;
    if not found then
        return false;
    end if;
    update accounts set terms = p_terms where accounts.tenant_id = p_tenant and accounts.id = p_account;
    perform note_change(
        p_tenant, p_asked_by, 'account_terms', p_account::text, to_jsonb(v_before), to_jsonb(p_terms)
    );
    return true;
end
$$;
alter function put_under_terms owner to payhub_ledger;
revoke all on function put_under_terms from public;
grant execute on function put_under_terms to payhub_app;

-- Forgets by what a person who is erased was found, and what they were still to be told. What is sealed stays as it is:
-- without the person's key it says nothing, and what was there is not denied.
create or replace function forget_person(p_tenant int, p_person uuid)
returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    delete from held_fields where held_fields.tenant_id = p_tenant and held_fields.person_id = p_person;
    delete from contact_codes where contact_codes.tenant_id = p_tenant and contact_codes.person_id = p_person;
    update person_fields
       set mark = null
     where person_fields.tenant_id = p_tenant and person_fields.person_id = p_person and person_fields.mark is not null;
    delete from notices where notices.tenant_id = p_tenant and notices.person_id = p_person;
$$;
alter function forget_person owner to payhub_ledger;
revoke all on function forget_person from public;
grant execute on function forget_person to payhub_app;

-- Leaves a notice for a person of the tenant; nothing, if there is no such person. The serving role may not write
-- notices itself.
create or replace function leave_notice(
    p_tenant        int,
    p_id            uuid,
    p_kind          smallint,
    p_person        uuid,
    p_field         smallint,
    p_field_number  int,
    p_sealed        bytea,
    p_lasts         interval
) returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    insert into notices (tenant_id, id, kind, person_id, field, field_number, sealed, expires_at)
    select p_tenant, p_id, p_kind, persons.id, p_field, p_field_number, p_sealed, clock_timestamp() + p_lasts
      from persons
     where persons.tenant_id = p_tenant and persons.id = p_person
$$;
alter function leave_notice owner to payhub_ledger;
revoke all on function leave_notice from public;
grant execute on function leave_notice to payhub_app;

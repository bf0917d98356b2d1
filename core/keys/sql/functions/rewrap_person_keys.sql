-- Puts keys of persons in place that are wrapped anew, those that are still as they were read. Gives how many.
create or replace function rewrap_person_keys(
    p_tenant int, p_persons uuid[], p_versions int[], p_before bytea[], p_after bytea[], p_tenant_key uuid
) returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_count int;
begin
    update person_keys set wrapped = anew.after, tenant_key = p_tenant_key
      from unnest(p_persons, p_versions, p_before, p_after) as anew (person_id, version, before, after)
     where person_keys.tenant_id = p_tenant and person_keys.person_id = anew.person_id
       and person_keys.version = anew.version and person_keys.wrapped = anew.before;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
alter function rewrap_person_keys owner to payhub_keys_keeper;
revoke all on function rewrap_person_keys from public;
grant execute on function rewrap_person_keys to payhub_keys_app;

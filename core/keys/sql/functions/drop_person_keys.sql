-- Destroys versions of persons' keys that nothing is sealed by any more; never those that seal. Gives how many.
create or replace function drop_person_keys(p_tenant int, p_persons uuid[], p_versions int[])
returns int
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with dropped as (
        delete from person_keys
         using unnest(p_persons, p_versions) as old (person_id, version), holders
         where person_keys.tenant_id = p_tenant and person_keys.person_id = old.person_id
           and person_keys.version = old.version
           and holders.tenant_id = p_tenant and holders.person_id = old.person_id and holders.version > old.version
        returning person_keys.person_id, person_keys.version
    ), told as (
        insert into key_events (tenant_id, what, about, details)
        select p_tenant, 'key.retired', dropped.person_id::text,
               jsonb_build_object('level', 'person', 'version', dropped.version)
          from dropped
        returning true
    )
    select count(*)::int from told
$$;
alter function drop_person_keys owner to payhub_keys_keeper;
revoke all on function drop_person_keys from public;
grant execute on function drop_person_keys to payhub_keys_app;

-- Lets these versions seal from now on.
create or replace function switch_person_keys(p_tenant int, p_persons uuid[], p_versions int[])
returns void
language sql volatile security definer
set search_path = payhub, pg_temp
as $$
    with switched as (
        update holders set version = next.version
          from unnest(p_persons, p_versions) as next (person_id, version)
          join person_keys on person_keys.tenant_id = p_tenant and person_keys.person_id = next.person_id
                          and person_keys.version = next.version
         where holders.tenant_id = p_tenant and holders.person_id = next.person_id and holders.version < next.version
        returning holders.person_id, holders.version
    )
    insert into key_events (tenant_id, what, about, details)
    select p_tenant, 'key.rotated', switched.person_id::text,
           jsonb_build_object('level', 'person', 'version', switched.version)
      from switched
$$;
alter function switch_person_keys owner to payhub_keys_keeper;
revoke all on function switch_person_keys from public;
grant execute on function switch_person_keys to payhub_keys_app;

-- Keys of these persons, a row for each version. Of a person who was erased: one row, without a key.
create or replace function read_person_keys(p_tenant int, p_persons uuid[])
returns table (person_id uuid, seals int, destroyed_at timestamptz, version int, wrapped bytea, tenant_key uuid)
language plpgsql volatile security invoker
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    select holders.person_id, holders.version, holders.destroyed_at, keys.version, keys.wrapped, keys.tenant_key
      from holders
      left join person_keys as keys on keys.tenant_id = holders.tenant_id and keys.person_id = holders.person_id
     where holders.tenant_id = p_tenant and holders.person_id = any (p_persons);
end
$$;
alter function read_person_keys owner to payhub_keys_owner;
revoke all on function read_person_keys from public;
grant execute on function read_person_keys to payhub_keys_app;

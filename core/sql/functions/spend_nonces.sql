-- Uses these up. False: at least one of them was used before. In one order, so that two who come with the same do not
-- wait for each other.
create or replace function spend_nonces(p_tenant int, p_hashes bytea[], p_until timestamptz)
returns boolean
language plpgsql volatile security invoker
set search_path = payhub, pg_temp
as $$
declare
    v_count int;
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    insert into spent_nonces (tenant_id, hash, until)
    select p_tenant, given.hash, p_until from unnest(p_hashes) as given (hash) order by given.hash
        on conflict do nothing;
    get diagnostics v_count = row_count;
    return v_count = cardinality(p_hashes);
end
$$;
alter function spend_nonces owner to payhub_owner;
revoke all on function spend_nonces from public;
grant execute on function spend_nonces to payhub_app;

-- The wall, as in the ledger's database: the serving role sees the rows of the tenant that the transaction named.
do $$
declare
    v_table text;
begin
    foreach v_table in array array['tenant_keys', 'holders', 'person_keys', 'key_events'] loop
        execute format('alter table %I enable row level security', v_table);
        execute format('alter table %I force row level security', v_table);
        execute format('drop policy if exists tenant_wall on %I', v_table);
        execute format($policy$
            create policy tenant_wall on %I for all to payhub_keys_app
            using (tenant_id = (select nullif(current_setting('payhub.tenant_id', true), '')::int))
            with check (tenant_id = (select nullif(current_setting('payhub.tenant_id', true), '')::int))
        $policy$, v_table);
        -- Its functions take the tenant as an argument.
        execute format('drop policy if exists keeper_works_for_all on %I', v_table);
        execute format($policy$
            create policy keeper_works_for_all on %I for all to payhub_keys_keeper using (true) with check (true)
        $policy$, v_table);
    end loop;
end
$$;

-- Keys are written by functions alone.
grant select on tenant_keys, holders, person_keys to payhub_keys_app;
grant select, insert, update, delete on tenant_keys, person_keys, key_events to payhub_keys_keeper;
-- A person who was erased stays so: see destroy_person_keys.
grant select, insert, update on holders to payhub_keys_keeper;

-- Destroys the keys of these persons, pair by pair, for good: whoever has none is marked, too, and gets none ever. Gives
-- when it was done, for all of them, and whether just now.
create or replace function destroy_person_keys(
    p_tenants int[], p_persons uuid[], p_who uuid, p_why text, p_session uuid, p_network text, p_details jsonb
) returns table (tenant_id int, person_id uuid, destroyed_at timestamptz, is_new boolean)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
#variable_conflict use_column
declare
    v_now constant timestamptz := clock_timestamp();
begin
    -- Whoever makes a key holds or waits for this row.
    insert into holders (tenant_id, person_id)
    select wanted.tenant_id, wanted.person_id
      from unnest(p_tenants, p_persons) as wanted (tenant_id, person_id)
     order by 1, 2
        on conflict do nothing;
    perform from holders
       join unnest(p_tenants, p_persons) as wanted (tenant_id, person_id)
         on holders.tenant_id = wanted.tenant_id and holders.person_id = wanted.person_id
      order by holders.tenant_id, holders.person_id
        for update of holders;

    delete from person_keys
     using unnest(p_tenants, p_persons) as wanted (tenant_id, person_id)
     where person_keys.tenant_id = wanted.tenant_id and person_keys.person_id = wanted.person_id;

    with destroyed as (
        update holders
           set destroyed_at = v_now
          from unnest(p_tenants, p_persons) as wanted (tenant_id, person_id)
         where holders.tenant_id = wanted.tenant_id and holders.person_id = wanted.person_id
           and holders.destroyed_at is null
        returning holders.tenant_id, holders.person_id
    )
    insert into key_events (tenant_id, at, what, about, why, who, session_id, network, details)
    select destroyed.tenant_id, v_now, 'key.destroyed', destroyed.person_id::text, p_why, p_who, p_session, p_network,
           p_details
      from destroyed;

    return query
    select holders.tenant_id, holders.person_id, holders.destroyed_at, holders.destroyed_at = v_now
      from holders
      join unnest(p_tenants, p_persons) as wanted (tenant_id, person_id)
        on holders.tenant_id = wanted.tenant_id and holders.person_id = wanted.person_id;
end
$$;
alter function destroy_person_keys owner to payhub_keys_keeper;
revoke all on function destroy_person_keys from public;
grant execute on function destroy_person_keys to payhub_keys_app;

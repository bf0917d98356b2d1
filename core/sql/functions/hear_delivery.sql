-- Somebody tapped a push, or followed the link of a mail: its notices are acknowledged, on all roads. Returns the person,
-- null if there is no such delivery.
create or replace function hear_delivery(p_tenant int, p_delivery uuid)
returns uuid
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_person uuid;
    v_told uuid[];
    v_heard uuid[];
begin
    select deliveries.person_id, deliveries.notice_ids into v_person, v_told
      from deliveries
     where deliveries.tenant_id = p_tenant and deliveries.id = p_delivery;
    if v_person is null then
        return null;
    end if;
    with heard as (
        update notices
           set heard_at = clock_timestamp()
          from unnest(v_told) as told (id)
         where notices.tenant_id = p_tenant and notices.id = told.id and notices.heard_at is null
        returning notices.id
    )
    select array_agg(heard.id) into v_heard from heard;
    if v_heard is not null then
        perform clear_shown(
            array_fill(p_tenant, array[cardinality(v_heard)]), array_fill(v_person, array[cardinality(v_heard)]), v_heard
        );
    end if;
    return v_person;
end
$$;
alter function hear_delivery owner to payhub_ledger;
revoke all on function hear_delivery from public;
grant execute on function hear_delivery to payhub_app;

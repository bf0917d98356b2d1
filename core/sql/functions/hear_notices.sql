-- A person has seen the notices of their own stream up to p_number. What a session did itself it does not acknowledge:
-- whoever stole a password does not silence the warning of it. Returns how many it was.
create or replace function hear_notices(p_tenant int, p_person uuid, p_session uuid, p_number bigint)
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_heard uuid[];
begin
    with heard as (
        update notices
           set heard_at = clock_timestamp()
         where notices.tenant_id = p_tenant and notices.person_id = p_person and notices.bell <= p_number
           and notices.heard_at is null and notices.session_id is distinct from p_session
        returning notices.id
    )
    select array_agg(heard.id) into v_heard from heard;
    if v_heard is not null then
        perform clear_shown(
            array_fill(p_tenant, array[cardinality(v_heard)]), array_fill(p_person, array[cardinality(v_heard)]), v_heard
        );
    end if;
    return coalesce(cardinality(v_heard), 0);
end
$$;
alter function hear_notices owner to payhub_ledger;
revoke all on function hear_notices from public;
grant execute on function hear_notices to payhub_app;

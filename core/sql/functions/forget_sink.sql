-- Forgets how far a sink was told, of all tenants; how many logs it followed. For the administrator: execution is granted
-- to nobody. Named in the file again, it begins like a new one.
create or replace function forget_sink(p_sink text)
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_count int;
begin
    select count(*) into v_count from sink_cursors where sink = p_sink and tenant_id <> 0;
    delete from sink_cursors where sink = p_sink;
    return v_count;
end
$$;
alter function forget_sink owner to payhub_ledger;
revoke all on function forget_sink from public;

-- Opens a set of limits, or gives it another name. Its rules are written by set_rule.
create or replace function set_limits(p_tenant int, p_asked_by uuid, p_id int, p_name text)
returns void
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_before jsonb;
    v_after  jsonb;
begin
    select to_jsonb(limits) into v_before from limits where tenant_id = p_tenant and id = p_id for update;
    insert into limits (tenant_id, id, name)
    values (p_tenant, p_id, p_name)
        on conflict (tenant_id, id) do update set name = excluded.name
    returning to_jsonb(limits) into v_after;
    perform note_change(p_tenant, p_asked_by, 'limits', p_id::text, v_before, v_after);
end
$$;
alter function set_limits owner to payhub_ledger;
revoke all on function set_limits from public;
grant execute on function set_limits to payhub_app;

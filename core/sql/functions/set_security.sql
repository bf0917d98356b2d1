-- What the tenant asks of its people before they do what matters, from now on.
create or replace function set_security(
    p_tenant int, p_asked_by uuid, p_step_up_s int, p_step_up_above bigint, p_operators_need_factor boolean
) returns void
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_before jsonb;
    v_after  jsonb;
begin
    select to_jsonb(security_settings) into v_before from security_settings where tenant_id = p_tenant for update;
    insert into security_settings (tenant_id, step_up_s, step_up_above, operators_need_factor)
    values (p_tenant, p_step_up_s, p_step_up_above, p_operators_need_factor)
        on conflict (tenant_id) do update
       set step_up_s = excluded.step_up_s, step_up_above = excluded.step_up_above,
           operators_need_factor = excluded.operators_need_factor, updated_at = now()
    returning to_jsonb(security_settings) into v_after;
    perform note_change(p_tenant, p_asked_by, 'security', 'tenant', v_before, v_after);
end
$$;
alter function set_security owner to payhub_ledger;
revoke all on function set_security from public;
grant execute on function set_security to payhub_app;

-- What these tenants ask of their people, for a hub that serves several. Who has asked for nothing has no row.
create or replace function read_security(p_tenants int[])
returns table (tenant_id int, step_up_s int, step_up_above bigint, operators_need_factor boolean)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select security_settings.tenant_id, security_settings.step_up_s, security_settings.step_up_above,
           security_settings.operators_need_factor
      from security_settings
     where security_settings.tenant_id = any (p_tenants)
$$;
alter function read_security owner to payhub_ledger;
revoke all on function read_security from public;
grant execute on function read_security to payhub_app;

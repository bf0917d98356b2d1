-- When a log-in session began, seconds since the epoch; null: there is no such session.
create or replace function read_session_start(p_tenant int, p_session uuid)
returns bigint
language plpgsql volatile security invoker
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return (
        select extract(epoch from sessions.created_at)::bigint
          from sessions
         where sessions.tenant_id = p_tenant and sessions.id = p_session
    );
end
$$;
alter function read_session_start owner to payhub_owner;
revoke all on function read_session_start from public;
grant execute on function read_session_start to payhub_app;

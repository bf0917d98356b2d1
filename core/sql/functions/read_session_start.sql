-- Since when the device of a log-in session is known to its person, seconds since the epoch: its first log-in, or the
-- session's own where no device is known. What is spoken from a seat comes from the device of the log-in that it hangs on.
-- null: there is no such session.
create or replace function read_session_start(p_tenant int, p_session uuid)
returns bigint
language plpgsql volatile security invoker
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return (
        select extract(epoch from coalesce(devices.first_seen_at, sessions.created_at))::bigint
          from sessions as asked
          join sessions
            on sessions.tenant_id = asked.tenant_id and sessions.id = coalesce(asked.login_id, asked.id)
          left join devices on devices.tenant_id = sessions.tenant_id and devices.id = sessions.device_id
         where asked.tenant_id = p_tenant and asked.id = p_session
    );
end
$$;
alter function read_session_start owner to payhub_owner;
revoke all on function read_session_start from public;
grant execute on function read_session_start to payhub_app;

-- Creates a tenant with its own books: the system accounts, which no person owns.
-- For the administrator: execution is granted to nobody. A tenant's id is never used twice.
drop function if exists create_tenant(text, text, text, text, bigint[], bigint);
create or replace function create_tenant(
    p_slug             text,
    p_name             text,
    p_currency         text,
    p_time_zone        text,
    p_system_accounts  bigint[],
    p_floor            bigint,
    p_country          text default 'BR'
) returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_tenant int;
begin
    -- By name, not by "at time zone": that takes any invented offset such as FOO3, which no client understands.
    if not exists (select from pg_timezone_names where pg_timezone_names.name = p_time_zone) then
        raise exception 'the time zone is not known' using errcode = 'invalid_parameter_value';
    end if;

    insert into tenants (slug, name, currency, time_zone, country)
    values (p_slug, p_name, p_currency, p_time_zone, p_country)
    returning id into v_tenant;

    insert into proof_salts (tenant_id) values (v_tenant);

    insert into accounts (tenant_id, id, floor)
    select v_tenant, unnest(p_system_accounts), p_floor;

    return v_tenant;
end
$$;
alter function create_tenant owner to payhub_ledger;
revoke all on function create_tenant from public;

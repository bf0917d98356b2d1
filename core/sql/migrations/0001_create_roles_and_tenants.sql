-- Three roles, so that no login that serves people can reach past the tenant wall:
--   payhub_owner   owns the tables; nobody logs in as it
--   payhub_ledger  owns the few functions that work across tenants (a batch holds several); nobody logs in as it
--   payhub_app     what hubs and workers log in as: owns nothing, bypasses nothing
do $$
declare
    v_role text;
begin
    foreach v_role in array array['payhub_owner', 'payhub_ledger', 'payhub_app'] loop
        if not exists (select from pg_roles where rolname = v_role) then
            execute format('create role %I nologin', v_role);
        end if;
        -- A managed database's administrator is no superuser and must be a member to hand objects over.
        if not pg_has_role(current_user, v_role, 'set') then
            execute format('grant %I to current_user', v_role);
        end if;
    end loop;
    alter role payhub_app login;
end
$$;

-- Not payhub's to give: a tenant's wall starts with an empty public schema.
revoke create on schema public from public;
grant usage, create on schema payhub to payhub_owner, payhub_ledger;
grant usage on schema payhub to payhub_app;

create table tenants (
    id          int generated always as identity primary key,
    slug        text not null unique,
    name        text not null,
    currency    text not null,
    time_zone   text not null,
    settings    jsonb not null default '{}',
    created_at  timestamptz not null default now(),
    constraint slug_is_plain check (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
    constraint name_has_a_length check (length(name) between 1 and 100),
    constraint currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$')
);
alter table tenants owner to payhub_owner;

-- A database of its own, so that no backup of the ledger holds a key. Three roles, as there:
--   payhub_keys_owner   owns the tables; nobody logs in as it
--   payhub_keys_keeper  owns the functions that write keys, and the few that work across tenants; nobody logs in as it
--   payhub_keys_app     what hubs and workers log in as: reads its tenant's rows, writes through functions alone
do $$
declare
    v_role text;
begin
    foreach v_role in array array['payhub_keys_owner', 'payhub_keys_keeper', 'payhub_keys_app'] loop
        if not exists (select from pg_roles where rolname = v_role) then
            execute format('create role %I nologin', v_role);
        end if;
        if not pg_has_role(current_user, v_role, 'set') then
            execute format('grant %I to current_user', v_role);
        end if;
    end loop;
    alter role payhub_keys_app login;
    -- Whoever serves the ledger has no business here, and on a shared server could log in.
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to payhub_keys_app', current_database());
end
$$;

revoke create on schema public from public;
grant usage, create on schema payhub to payhub_keys_owner, payhub_keys_keeper;
grant usage on schema payhub to payhub_keys_app;

-- Keys of tenants, wrapped by the key service. Tenant 0 is the installation itself.
create table tenant_keys (
    tenant_id   int not null,
    id          uuid not null,
    purpose     smallint not null,      -- core.keys.store.Purpose
    wrapped     bytea not null,
    wrapped_by  text not null,          -- core.keys.services.KeyService.name
    created_at  timestamptz not null default now(),
    retired_at  timestamptz,            -- it wraps nothing more; null: in use
    primary key (tenant_id, id)
);
alter table tenant_keys owner to payhub_keys_owner;
create unique index tenant_keys_in_use on tenant_keys (tenant_id, purpose) where retired_at is null;

-- Whoever has, or had, a key. The row stays when the keys are destroyed, so that no key is ever made again.
create table holders (
    tenant_id     int not null,
    person_id     uuid not null,
    version       int not null default 1,   -- of the key that seals
    created_at    timestamptz not null default now(),
    destroyed_at  timestamptz,
    primary key (tenant_id, person_id)
);
alter table holders owner to payhub_keys_owner;
create index holders_destroyed on holders (tenant_id, person_id) where destroyed_at is not null;

-- Keys of persons, each wrapped by a key of the tenant's. More than one version: the person's data is being sealed anew.
create table person_keys (
    tenant_id   int not null,
    person_id   uuid not null,
    version     int not null,
    wrapped     bytea not null,
    tenant_key  uuid not null,
    created_at  timestamptz not null default now(),
    primary key (tenant_id, person_id, version),
    foreign key (tenant_id, person_id) references holders (tenant_id, person_id),
    foreign key (tenant_id, tenant_key) references tenant_keys (tenant_id, id),
    constraint version_fits_two_bytes check (version between 1 and 65535)
);
alter table person_keys owner to payhub_keys_owner;
create index person_keys_by_tenant_key on person_keys (tenant_id, tenant_key);

-- What the ledger's audit trail is to be told: written in the commit of what was done with a key, and removed when the
-- trail has it (core/keys/telling.py).
create table key_events (
    tenant_id   int not null,
    at          timestamptz not null default clock_timestamp(),
    id          uuid not null default gen_random_uuid(),
    what        text not null,              -- core.audit.trail.Act
    about       text not null,
    why         text,
    who         uuid,
    session_id  uuid,
    network     text,
    details     jsonb,
    primary key (tenant_id, at, id)
);
alter table key_events owner to payhub_keys_owner;
create index key_events_by_age on key_events (at);

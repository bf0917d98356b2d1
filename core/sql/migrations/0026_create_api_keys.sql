-- Keys that a merchant's own programs speak with. A key is traded for access tokens; its session has its id, and
-- ends with it.
create table api_keys (
    tenant_id          int not null,
    id                 uuid not null,
    person_id          uuid not null,        -- the merchant
    name_sealed        bytea not null,
    hash               bytea not null,       -- SHA-256 of the key's 256 random bits
    beginning          text not null,        -- as much of it as may be shown again
    scopes             text[] not null,      -- hub.protocol.scopes.Scope
    networks           cidr[],               -- null: from anywhere
    made_by            uuid,                 -- null: the installation itself
    made_at            timestamptz not null default now(),
    expires_at         timestamptz,          -- null: it does not
    revoked_at         timestamptz,
    successor          uuid,                 -- the key that it was rotated to
    last_used_on       date,
    last_used_network  text,                 -- where from, cut to what names no single person
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint scopes_are_some check (cardinality(scopes) between 1 and 40),
    constraint networks_are_some check (cardinality(networks) between 1 and 20)
);
alter table api_keys owner to payhub_owner;
create unique index api_keys_by_hash on api_keys (tenant_id, hash);
create index api_keys_by_person on api_keys (tenant_id, person_id, made_at desc, id desc);

-- A machine's session is no log-in of its person's: it lasts as long as its key or its till.
alter table sessions add column is_machines boolean not null default false;

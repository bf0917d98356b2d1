-- Who may speak. The ledger knows a person only by id; what names a human being is in profiles.

create table persons (
    tenant_id   int not null references tenants (id),
    id          uuid not null,
    role        smallint not null,             -- core.people.persons.Role
    status      smallint not null default 0,   -- core.people.persons.PersonStatus
    created_at  timestamptz not null default now(),
    primary key (tenant_id, id)
);
alter table persons owner to payhub_owner;

-- Personal data, and nothing else.
create table profiles (
    tenant_id     int not null,
    person_id     uuid not null,
    display_name  text not null,
    updated_at    timestamptz not null default now(),
    primary key (tenant_id, person_id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint display_name_has_a_length check (length(display_name) between 1 and 100)
);
alter table profiles owner to payhub_owner;

create table credentials (
    tenant_id      int not null,
    login          text not null,        -- lower case; what the person types
    person_id      uuid not null,
    password_hash  text not null,        -- argon2id, parameters inside (RFC 9106)
    updated_at     timestamptz not null default now(),
    primary key (tenant_id, login),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint login_is_plain check (login ~ '^[a-z0-9][a-z0-9._@+-]{2,99}$')
);
alter table credentials owner to payhub_owner;
create unique index credentials_by_person on credentials (tenant_id, person_id);

-- A login on one device, until it is revoked or expires. Every token names its session.
create table sessions (
    tenant_id   int not null,
    id          uuid not null,
    person_id   uuid not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    revoked_at  timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id)
);
alter table sessions owner to payhub_owner;
create index sessions_by_person on sessions (tenant_id, person_id);

-- Every refresh token ever issued to a live session, by hash. A used one that comes back a while
-- later was stolen, or its thief was first: either way the session ends.
create table refresh_tokens (
    tenant_id   int not null,
    hash        bytea not null,           -- SHA-256 of the token's 256 random bits
    session_id  uuid not null,
    issued_at   timestamptz not null default now(),
    used_at     timestamptz,
    primary key (tenant_id, hash),
    foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade
);
alter table refresh_tokens owner to payhub_owner;
create index refresh_tokens_by_session on refresh_tokens (tenant_id, session_id);

-- The instance's token-signing keys. The private half is wrapped (AES-256-GCM) by a master key that
-- is never in this database. One key, one algorithm.
create table signing_keys (
    kid          text primary key,
    algorithm    text not null,
    public_key   bytea not null,         -- SubjectPublicKeyInfo, DER
    private_key  bytea not null,         -- nonce, then PKCS#8 DER as ciphertext with its tag
    signs_from   timestamptz not null,   -- later than its creation, so that every hub knows it before it is used
    signs_until  timestamptz,            -- null: the newest; its tokens verify until they expire
    created_at   timestamptz not null default now(),
    constraint algorithm_is_known check (algorithm in ('EdDSA', 'ES256'))
);
alter table signing_keys owner to payhub_owner;

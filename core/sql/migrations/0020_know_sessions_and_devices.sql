-- A device that somebody has logged in from, known by a secret that it was given then.
create table devices (
    tenant_id      int not null,
    id             uuid not null,
    person_id      uuid not null,
    secret_hash    bytea not null,        -- SHA-256 of the secret's 256 random bits
    first_seen_at  timestamptz not null default now(),
    last_seen_at   timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id)
);
alter table devices owner to payhub_owner;
create unique index devices_by_secret on devices (tenant_id, secret_hash);
create index devices_by_person on devices (tenant_id, person_id, last_seen_at);

-- What its owner recognises a session by, and when it was last heard of.
alter table sessions
    add column device_id     uuid,
    add column name          text,
    add column door          text,          -- hub.doors.Door; null: opened at the installation itself
    add column network       text,          -- where from, cut to what names no single person
    add column last_seen_at  timestamptz,
    add column proved_at     timestamptz,   -- when its owner last proved who they are; null: never
    add column proofs        text[] not null default '{}',   -- and how (RFC 8176)
    add constraint name_has_a_length check (length(name) between 1 and 100),
    add constraint door_is_known check (door in ('payhub-web', 'payhub-native')),
    add constraint network_has_a_length check (length(network) <= 60),
    add constraint proofs_are_few check (cardinality(proofs) <= 8),
    add constraint session_device foreign key (tenant_id, device_id) references devices (tenant_id, id)
        on delete set null (device_id);
create index sessions_by_device on sessions (tenant_id, device_id) where device_id is not null;

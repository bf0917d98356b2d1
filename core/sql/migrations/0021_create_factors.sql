-- What somebody proves who they are by, besides the password.
create table factors (
    tenant_id      int not null,
    id             uuid not null,
    person_id      uuid not null,
    kind           smallint not null,     -- core.people.factors.Kind
    name           text not null,
    made_at        timestamptz not null default now(),
    confirmed_at   timestamptz,           -- null: begun, and good for nothing yet
    last_used_at   timestamptz,
    sealed         bytea,                 -- a TOTP's secret, sealed
    last_step      bigint,                -- the last half minute whose code was used; no earlier one works again
    credential_id  bytea,                 -- a passkey's
    public_key     bytea,                 -- COSE (RFC 9052)
    sign_count     bigint,                -- as its authenticator said last; 0: it does not count
    transports     text[],
    is_synced      boolean,               -- whether it lives on several devices of its person
    copied_at      timestamptz,           -- when its count last fell: there may be two of it
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint name_has_a_length check (length(name) between 1 and 100),
    constraint kind_is_known check (kind in (1, 2)),
    constraint a_totp_has_its_secret check ((kind = 1) = (sealed is not null)),
    constraint a_passkey_has_its_key check (
        (kind = 2) = (credential_id is not null and public_key is not null and sign_count is not null)
    ),
    constraint sizes_are_bounded check (
        length(credential_id) between 1 and 1023 and length(public_key) <= 4096 and cardinality(transports) <= 8
    )
);
alter table factors owner to payhub_owner;
create index factors_by_person on factors (tenant_id, person_id);
create unique index one_factor_per_credential on factors (tenant_id, credential_id) where credential_id is not null;
create unique index one_totp_per_person on factors (tenant_id, person_id) where kind = 1 and confirmed_at is not null;

-- What is left when every factor is lost: shown once, each good for once.
create table recovery_codes (
    tenant_id  int not null,
    person_id  uuid not null,
    hash       bytea not null,            -- SHA-256 of the code's 120 random bits
    used_at    timestamptz,
    primary key (tenant_id, person_id, hash),
    foreign key (tenant_id, person_id) references persons (tenant_id, id)
);
alter table recovery_codes owner to payhub_owner;

-- Between the password and the second factor of a log-in.
create table log_in_tickets (
    tenant_id      int not null,
    hash           bytea not null,        -- SHA-256 of the ticket's 256 random bits
    person_id      uuid not null,
    device_id      uuid,                  -- the known device that it began on
    expires_at     timestamptz not null,
    attempts_left  smallint not null,
    used_at        timestamptz,
    primary key (tenant_id, hash),
    foreign key (tenant_id, person_id) references persons (tenant_id, id)
);
alter table log_in_tickets owner to payhub_owner;
create index log_in_tickets_by_end on log_in_tickets (expires_at);
create index log_in_tickets_by_person on log_in_tickets (tenant_id, person_id);

-- A challenge proves by itself that it is ours, for whom and until when; that it was answered is kept until then.
create table spent_challenges (
    tenant_id   int not null,
    challenge   bytea not null,
    expires_at  timestamptz not null,
    primary key (tenant_id, challenge)
);
alter table spent_challenges owner to payhub_owner;
create index spent_challenges_by_end on spent_challenges (expires_at);

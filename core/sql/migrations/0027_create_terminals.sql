-- Tills: each has a key pair of its own, of which the tenant knows the thumbprint, and speaks for one account.
create table terminals (
    tenant_id          int not null,
    id                 uuid not null,
    person_id          uuid not null,        -- the merchant
    account_id         bigint not null,      -- the one that it makes charges for
    session_id         uuid not null,        -- another one when what it may do is changed
    name_sealed        bytea not null,
    may_refund         boolean not null,
    algorithm          text not null,
    thumbprint         text not null,        -- of its public key, RFC 7638
    paired_at          timestamptz not null default now(),
    revoked_at         timestamptz,
    last_used_on       date,
    last_used_network  text,                 -- where from, cut to what names no single person
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    foreign key (tenant_id, account_id) references accounts (tenant_id, id),
    constraint algorithm_is_known check (algorithm in ('EdDSA', 'ES256')),
    constraint thumbprint_is_one check (thumbprint ~ '^[A-Za-z0-9_-]{43}$')
);
alter table terminals owner to payhub_owner;
-- One key is one till, as long as it lives.
create unique index terminals_by_thumbprint on terminals (tenant_id, thumbprint) where revoked_at is null;
create unique index terminals_by_session on terminals (tenant_id, session_id);
create index terminals_by_person on terminals (tenant_id, person_id, paired_at desc, id desc);

-- What a person types into a till, once. Found by a keyed hash: eight letters are guessed from any other.
create table pairing_codes (
    tenant_id    int not null,
    hash         bytea not null,
    person_id    uuid not null,
    account_id   bigint not null,
    name_sealed  bytea not null,
    may_refund   boolean not null,
    made_by      uuid,                  -- null: the installation itself
    made_at      timestamptz not null default now(),
    expires_at   timestamptz not null,
    attempts     smallint not null default 0,
    terminal_id  uuid not null,         -- the till that it is for
    used_at      timestamptz,
    primary key (tenant_id, hash),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    foreign key (tenant_id, account_id) references accounts (tenant_id, id)
);
alter table pairing_codes owner to payhub_owner;
create index pairing_codes_by_person on pairing_codes (tenant_id, person_id, expires_at);
create index pairing_codes_by_end on pairing_codes (expires_at);

-- Who else may say who somebody is: OpenID providers, by tenant. An operator chose them.
create table identity_providers (
    tenant_id         int not null references tenants (id),
    id                text not null,
    issuer            text not null,        -- as it stands in its tokens, letter by letter
    audience          text not null,        -- what it calls us: the client id
    claim             text not null,        -- the one that says who it is
    is_login          boolean not null,     -- that claim is a login of ours; otherwise an id of theirs
    algorithms        text[] not null,
    opens_people      boolean not null,     -- whoever is unknown becomes a customer
    admits_operators  boolean not null,
    set_by            uuid,                 -- null: the installation itself
    set_at            timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint id_is_plain check (id ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
    constraint texts_have_a_length check (length(issuer) <= 500 and length(audience) <= 300 and length(claim) <= 60),
    constraint algorithms_are_known check (cardinality(algorithms) between 1 and 3 and algorithms <@ array['RS256', 'ES256', 'EdDSA'])
);
alter table identity_providers owner to payhub_owner;

-- Which person an identity of such a provider is. What identifies somebody elsewhere is personal data: kept as a keyed
-- hash of issuer, claim and value, to be found again and not read.
create table external_identities (
    tenant_id  int not null,
    hash       bytea not null,
    provider   text not null,
    person_id  uuid not null,
    linked_by  uuid,                    -- null: by coming in with it
    linked_at  timestamptz not null default now(),
    primary key (tenant_id, hash),
    foreign key (tenant_id, provider) references identity_providers (tenant_id, id) on delete cascade,
    foreign key (tenant_id, person_id) references persons (tenant_id, id)
);
alter table external_identities owner to payhub_owner;
create index external_identities_by_person on external_identities (tenant_id, person_id);
create index external_identities_by_provider on external_identities (tenant_id, provider);

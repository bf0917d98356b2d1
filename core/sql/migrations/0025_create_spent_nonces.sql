-- What may be used once and was: nonces of proofs and log-ins, and the proofs themselves, by hash. The unique key
-- decides who was first, whichever hub they came to.
create table spent_nonces (
    tenant_id  int not null references tenants (id),
    hash       bytea not null,          -- SHA-256
    until      timestamptz not null,    -- from then on it is refused for its age
    primary key (tenant_id, hash)
);
alter table spent_nonces owner to payhub_owner;
create index spent_nonces_by_end on spent_nonces (until);

-- Proof of what was posted. Batches of payments, and the audit trail in batches of its own, are the leaves of one
-- Merkle tree per tenant (RFC 6962): see core/proof.

-- Which session asked for a payment: from where.
alter table payments add column session_id uuid;

-- The moment that all payments of a batch were judged at; the root of their tree, where the poster has told it; and
-- whether the log has it. Two look at each row and the later one removes it: the log, and who makes notices.
alter table outbox add column judged_at timestamptz not null default clock_timestamp();
alter table outbox add column root bytea;
alter table outbox add column is_logged boolean not null default false;
create index outbox_not_logged on outbox (tenant_id, batch) where not is_logged;

-- What blinds the parts of a payment that not both sides may know: 32 random bytes per tenant, never told as they are.
create table proof_salts (
    tenant_id  int not null references tenants (id),
    salt       bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    primary key (tenant_id),
    constraint salt_has_a_length check (length(salt) = 32)
);
alter table proof_salts owner to payhub_owner;
insert into proof_salts (tenant_id) select id from tenants;

-- The log's leaves. `number` counts from 0 without a gap.
create table log_leaves (
    tenant_id  int not null,
    number     bigint not null,
    kind       smallint not null,         -- core.proof.leaves.LeafKind: payments or audit entries
    batch      bigint not null,           -- the outbox's; of audit entries the log's own count
    judged_at  timestamptz not null,      -- of payments; of audit entries the latest one's
    ids        uuid[] not null,           -- what is below the root, in the order of its leaves
    root       bytea not null,
    primary key (tenant_id, number),
    constraint root_is_a_hash check (length(root) = 32)
);
alter table log_leaves owner to payhub_owner;
-- A payment's batch is found by the moment it was judged at, which all of a batch share.
create index log_leaves_by_moment on log_leaves (tenant_id, kind, judged_at);

-- The tree above them: the roots of its whole subtrees, each written once and never again.
create table log_nodes (
    tenant_id  int not null,
    level      smallint not null,         -- 0: the leaf hashes
    number     bigint not null,           -- it stands over leaves number * 2^level and up
    hash       bytea not null,
    primary key (tenant_id, level, number)
);
alter table log_nodes owner to payhub_owner;

-- Signed tree heads. The latest one of a tenant is locked by whoever makes the log grow.
create table log_heads (
    tenant_id  int not null,
    size       bigint not null,
    root       bytea not null,
    sealed_at  timestamptz not null,
    kid        text not null,
    signature  bytea not null,
    primary key (tenant_id, size)
);
alter table log_heads owner to payhub_owner;

-- Audit entries that the log does not have yet: the trail itself is never changed.
create table audit_unlogged (
    tenant_id  int not null,
    at         timestamptz not null,
    id         uuid not null,
    primary key (tenant_id, at, id)
);
alter table audit_unlogged owner to payhub_owner;
insert into audit_unlogged (tenant_id, at, id) select tenant_id, at, id from audit_entries;

alter table signing_keys add column purpose text not null default 'tokens';
alter table signing_keys add constraint purpose_is_known check (purpose in ('tokens', 'proofs'));

-- Where the signed heads of the logs are kept outside this database, and how far: see core/proof/anchors.py.

-- How far each place has got with each log: the last head that it took. It is for catching up, and proves nothing.
create table anchors (
    tenant_id    int not null,
    place        text not null,        -- 'file', 'bucket', 'witness:<name>'
    size         bigint not null,      -- of the head
    sealed_at    timestamptz not null, -- of the head
    anchored_at  timestamptz not null,
    primary key (tenant_id, place),
    constraint place_has_a_length check (length(place) between 1 and 100)
);
alter table anchors owner to payhub_owner;

-- A witness's word that it saw a head, and that the log it had seen before is its beginning.
create table cosignatures (
    tenant_id  int not null,
    size       bigint not null,        -- of the head in log_heads
    witness    text not null,          -- the kid of the key that signed
    seen_at    timestamptz not null,   -- by the witness's clock
    signature  bytea not null,
    primary key (tenant_id, size, witness),
    constraint signature_is_ed25519 check (length(signature) = 64)
);
alter table cosignatures owner to payhub_owner;

-- A head that a witness would not take: it has seen one, signed here, that this log does not begin with. The first of
-- each that it has.
create table anchor_refusals (
    tenant_id       int not null,
    place           text not null,
    kept_size       bigint not null,   -- what the witness has seen
    kept_root       bytea not null,
    kept_at         timestamptz not null,
    kept_kid        text not null,
    kept_signature  bytea not null,
    size            bigint not null,   -- what it was shown
    root            bytea not null,
    sealed_at       timestamptz not null,
    kid             text not null,
    signature       bytea not null,
    refused_at      timestamptz not null default clock_timestamp(),
    primary key (tenant_id, place, kept_size)
);
alter table anchor_refusals owner to payhub_owner;

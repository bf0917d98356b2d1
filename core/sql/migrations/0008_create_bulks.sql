-- Files of payments. A bulk's row says what was declared, how many lines were good, and how far it was posted; what
-- became of a line is its payment, whose id follows from the bulk's seed and the line's number.
create table bulks (
    tenant_id       int not null references tenants (id),
    id              uuid not null,
    -- What the ids of its payments are made from. Nobody is told, so that nobody can use one of them up before.
    seed            uuid not null default gen_random_uuid(),
    account         bigint not null,              -- pays each line that names no payer
    is_atomic       boolean not null,             -- all lines or none
    is_again        boolean not null,             -- the same file as one of the last day, on purpose
    status          smallint not null default 0,  -- core.bulk.bulks.BulkStatus
    maker           uuid not null,
    session_at      bigint,                       -- when the maker's session began, seconds since the epoch
    approver        uuid,
    declared_lines  int,
    declared_sum    bigint,
    attempt         int not null default 0,       -- of sending the file: lines of an earlier one are not taken any more
    digest          bytea,                        -- SHA-256 of the file, or of the stream's messages so far
    lines           int not null default 0,
    good            int not null default 0,
    amount          bigint not null default 0,    -- of every line whose amount could be read
    good_amount     bigint not null default 0,    -- of those that will be posted
    through         int not null default 0,       -- the last line that was judged; of an atomic bulk only a progress
    posted          int not null default 0,
    posted_amount   bigint not null default 0,
    refused         int not null default 0,
    failed_line     int,
    failed_code     text,
    created_at      timestamptz not null default now(),
    checked_at      timestamptz,
    approved_at     timestamptz,
    finished_at     timestamptz,
    touched_at      timestamptz not null default now(),   -- bulks take turns by it
    primary key (tenant_id, id),
    foreign key (tenant_id, account) references accounts (tenant_id, id),
    constraint approver_is_not_the_maker check (approver <> maker),
    constraint approved_by_somebody check ((approved_at is null) = (approver is null)),
    constraint good_lines_are_lines check (good between 0 and lines),
    constraint judged_lines_were_good check (posted >= 0 and refused >= 0 and posted + refused <= good),
    constraint amount_is_exact_in_javascript check (amount between 0 and 9007199254740991)
) with (fillfactor = 50);
alter table bulks owner to payhub_owner;
-- What a worker looks for, all tenants together.
create index bulks_to_post on bulks (touched_at) where status in (2, 3);
-- An account's list, newest first, and a tenant's.
create index bulks_by_account on bulks (tenant_id, account, created_at desc, id);
create index bulks_by_tenant on bulks (tenant_id, created_at desc, id);
-- How many an account has open.
create index bulks_open on bulks (tenant_id, account) where status < 5;
-- The same file again?
create index bulks_by_digest on bulks (tenant_id, account, digest) where digest is not null;

-- Its lines, as they were read. They have no foreign key: it would be checked a million times, and only
-- add_bulk_lines, which holds the bulk's row, writes here.
create table bulk_lines (
    tenant_id    int not null,
    bulk_id      uuid not null,
    number       int not null,       -- of the payment in its file, from 1
    payer        bigint not null,
    payee        bigint,             -- null, like the amount, where it could not be read
    amount       bigint,
    description  text,
    reference    text,               -- the maker's own
    code         text,               -- core.bulk.lines.LineCode: what is wrong with it; null: it can be posted
    field        text,               -- which column is wrong
    primary key (tenant_id, bulk_id, number),
    constraint a_good_line_is_whole check (code is not null or (payee is not null and amount is not null))
);
alter table bulk_lines owner to payhub_owner;

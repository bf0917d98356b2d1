-- The books. tenant_id comes first in every key, so that the tables can be distributed by tenant.

-- One row per account, rewritten by each batch that touches it: kept narrow, with room on the
-- page so that the rewrite stays in place and no index entry changes (a HOT update).
create table accounts (
    tenant_id  int not null references tenants (id),
    id         bigint not null,      -- random digits: knowing one account tells nothing of the next
    person_id  uuid,                 -- null: a system account
    status     smallint not null default 0,   -- core.nouns.AccountStatus
    version    bigint not null default 0,     -- number of its last event; the stream has no gap
    balance    bigint not null default 0,     -- credits minus debits, minor units
    floor      bigint not null default 0,     -- the balance may not end below it
    opened_at  timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint version_counts_up check (version >= 0),
    constraint balance_is_exact_in_javascript check (balance between -9007199254740991 and 9007199254740991)
) with (fillfactor = 50);
alter table accounts owner to payhub_owner;
create index accounts_by_person on accounts (tenant_id, person_id) where person_id is not null;

-- One row per payment id ever judged, posted or refused: the row is the idempotency record, the
-- transfer and, seen from either account, the numbered event. A refused payment has no versions.
create table payments (
    tenant_id      int not null,
    id             uuid not null,
    status         smallint not null,     -- core.nouns.PaymentStatus
    payer          bigint,                -- null only where the id was fenced before it arrived
    payee          bigint,
    amount         bigint,
    payer_version  bigint,
    payee_version  bigint,
    payer_balance  bigint,                -- balance after
    payee_balance  bigint,
    judged_at      timestamptz not null,  -- ledger time, the database's clock
    asked_by       uuid not null,         -- the person who asked, not always the payer's owner
    description    text,
    primary key (tenant_id, id),
    constraint posted_has_both_sides check (
        (status = 0) = (payer_version is not null)
        and (status = 0) = (payee_version is not null)
        and (status = 0) = (payer_balance is not null)
        and (status = 0) = (payee_balance is not null)
    ),
    constraint posted_moves_money_between_two check (
        status <> 0 or (amount > 0 and payer <> payee) is true
    )
);
alter table payments owner to payhub_owner;
-- The two event streams. Unique: a number is used once per account, whatever a bug upstream does.
create unique index payments_by_payer on payments (tenant_id, payer, payer_version) where payer_version is not null;
create unique index payments_by_payee on payments (tenant_id, payee, payee_version) where payee_version is not null;

-- What workers must still look at: one row per batch and tenant, in the commit that moved the money.
-- Read in commit order by those whose xid is below pg_snapshot_xmin: an earlier xid may commit later.
create table outbox (
    tenant_id    int not null,
    xid          xid8 not null default pg_current_xact_id(),
    payment_ids  uuid[] not null,
    created_at   timestamptz not null default now(),
    primary key (tenant_id, xid)
);
alter table outbox owner to payhub_owner;

-- How far each follower has said it has seen its account's events. Cumulative.
create table acknowledgements (
    tenant_id   int not null,
    account_id  bigint not null,
    person_id   uuid not null,
    number      bigint not null,
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, account_id, person_id)
) with (fillfactor = 70);
alter table acknowledgements owner to payhub_owner;

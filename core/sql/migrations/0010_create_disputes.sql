-- Payments that a payer wants back. The money itself is reserved and moved in the books alone, in the same commit as
-- the change of the row here; what stands here of it is the sum of those steps.

-- A tenant's own rules for disputes, in place of those that are built in or beside them.
create table dispute_profiles (
    tenant_id   int not null references tenants (id),
    name        text not null,
    rules       jsonb not null,                 -- core.payments.dispute_profiles.Profile
    is_default  boolean not null default false,
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, name),
    constraint name_is_plain check (name ~ '^[a-z][a-z0-9_-]{0,38}[a-z0-9]$')
);
alter table dispute_profiles owner to payhub_owner;
create unique index dispute_profiles_one_default on dispute_profiles (tenant_id) where is_default;

create table disputes (
    tenant_id        int not null,
    id               uuid not null,        -- chosen by whoever opens it: the idempotency key
    payment_id       uuid not null,
    payer            bigint not null,      -- of the payment
    payee            bigint not null,
    amount           bigint not null,      -- what is disputed
    reason           smallint not null,    -- core.payments.dispute_profiles.Reason
    text             text,
    rules            jsonb not null,       -- the profile as it was at the opening
    status           smallint not null default 0,   -- core.payments.disputes.DisputeStatus
    held             bigint not null default 0,     -- reserved on the payee's account
    offered          bigint,               -- what the payee is willing to give back; null: no answer yet
    answer           text,
    awarded          bigint,               -- what the payer is to get back; null: not decided
    note             text,                 -- the operator's, with the decision
    charged_back     bigint not null default 0,
    owed             bigint not null default 0,     -- awarded, and not there yet
    is_overdue       boolean not null default false,  -- a clock has run out, and operators must act
    opened_by        uuid not null,
    by_operator      boolean not null,
    paid_at          timestamptz not null,
    opened_at        timestamptz not null,
    answer_due_at    timestamptz not null,
    answered_at      timestamptz,
    decision_due_at  timestamptz not null,
    decided_at       timestamptz,
    decided_by       uuid,                 -- null: its clock, or the payee by accepting
    claim_due_at     timestamptz,
    claimed_at       timestamptz,
    refund_due_at    timestamptz,
    collect_until    timestamptz,
    closed_at        timestamptz,
    due_at           timestamptz,          -- the next of these clocks; null: none runs
    rest_until       timestamptz,          -- workers leave it alone until then: they failed
    -- What the hold lacks or, once claimed, the refund: workers take it as soon as there is money.
    short            bigint not null generated always as (
        case when closed_at is not null then 0
             when claimed_at is not null then owed
             else coalesce(awarded, amount) - held
        end
    ) stored,
    primary key (tenant_id, id),
    foreign key (tenant_id, payment_id) references payments (tenant_id, id),
    constraint amount_is_in_range check (amount between 1 and 10000000000000),
    constraint held_is_part_of_the_amount check (held between 0 and amount),
    constraint offered_is_part_of_the_amount check (offered between 0 and amount),
    constraint awarded_is_part_of_the_amount check (awarded between 0 and amount),
    constraint no_more_goes_back_than_was_awarded check (
        charged_back >= 0 and owed >= 0 and charged_back + owed <= coalesce(awarded, 0)
    ),
    constraint a_closed_dispute_holds_nothing check (closed_at is null or held = 0),
    constraint a_text_has_a_length check (
        length(text) <= 2000 and length(answer) <= 2000 and length(note) <= 2000
    )
);
alter table disputes owner to payhub_owner;
-- Whoever comes second finds the first.
create unique index disputes_one_at_a_time on disputes (tenant_id, payment_id) where closed_at is null;
-- Lists, newest first: a payer's, a payee's, the operators'.
create index disputes_by_payer on disputes (tenant_id, payer, opened_at, id);
create index disputes_by_payee on disputes (tenant_id, payee, opened_at, id);
create index disputes_by_age on disputes (tenant_id, opened_at, id);
-- Workers ask for what is due, whatever its tenant.
create index disputes_by_due on disputes (due_at) where due_at is not null;
create index disputes_that_are_short on disputes (opened_at) where short > 0;

-- What the sides bring forward. Never changed, never removed.
create table dispute_evidence (
    tenant_id   int not null,
    dispute_id  uuid not null,
    id          uuid not null,
    side        smallint not null,       -- core.payments.disputes.Side
    person_id   uuid not null,
    text        text,
    name        text,                    -- of a file
    media_type  text,
    content     bytea,
    added_at    timestamptz not null,
    primary key (tenant_id, dispute_id, id),
    foreign key (tenant_id, dispute_id) references disputes (tenant_id, id),
    constraint it_says_something check (text is not null or content is not null),
    constraint a_file_is_whole check (
        (content is null) = (name is null) and (content is null) = (media_type is null)
    ),
    constraint a_file_is_small check (length(content) between 1 and 36864),
    constraint a_text_has_a_length check (length(text) between 1 and 2000)
);
alter table dispute_evidence owner to payhub_owner;

-- A payment's later steps: captures, voids, refunds, disputes… Each step is a payment of its own, with its own id
-- and its own events, and names the payment it is about. What the steps add up to stands in standings.

-- Made anew from their files, with more columns.
drop function if exists read_entries_after(int, bigint, bigint, int);
drop function if exists read_entries_before(int, bigint, bigint, int);
drop view if exists entries;

-- Under which conditions an account is held: its fees, and how much a tip may add to what was authorized. Many
-- accounts share a row, and a change of the row holds from the next payment on.
create table terms (
    tenant_id           int not null references tenants (id),
    id                  int not null,
    name                text not null,
    fee_ppm             int not null default 0,       -- of the amount, parts per million, rounded half up
    fee_fixed           bigint not null default 0,    -- added to it
    fee_min             bigint not null default 0,    -- the sum is at least this,
    fee_max             bigint,                       -- at most this, and never more than the amount
    returns_fee         boolean not null default false,   -- whether a refund gives the fee back, in proportion
    tip_percent_max     smallint not null default 0,
    updated_at          timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint name_has_a_length check (length(name) between 1 and 100),
    -- Half of the amount: no honest fee is higher, and amount times parts per million stays within 64 bits.
    constraint fee_ppm_is_at_most_half check (fee_ppm between 0 and 500000),
    constraint fee_fixed_is_an_amount check (fee_fixed between 0 and 10000000000000),
    constraint fee_min_is_an_amount check (fee_min between 0 and 10000000000000),
    constraint fee_max_is_an_amount check (fee_max between fee_min and 10000000000000),
    constraint tip_is_at_most_the_amount check (tip_percent_max between 0 and 100)
);
alter table terms owner to payhub_owner;

alter table accounts add column held bigint not null default 0;   -- reserved by holds and disputes; not available
alter table accounts add column terms int;                        -- null: no fee, no tip
alter table accounts add column limits int;                       -- null: no rule looks at it
alter table accounts add constraint held_is_not_negative check (held >= 0);

alter table payments add column kind smallint not null default 0;   -- core.nouns.Kind
alter table payments add column subject uuid;           -- the payment that this step is about
alter table payments add column charge uuid;            -- the charge that it pays
alter table payments add column hold bigint;            -- change of what is reserved on the payer's account
alter table payments add column payer_held bigint;      -- reserved after, where hold is not null
alter table payments add column fee bigint;             -- to the tenant's fees account; negative: given back
alter table payments add column fee_version bigint;     -- number of that account's event
alter table payments add column fee_balance bigint;
alter table payments add column shared bigint;          -- what went on from the payee to others: their rows in shares
alter table payments add column options jsonb;          -- what else was asked for: lasts_s, final, available, shares
alter table payments add column metadata jsonb;
alter table payments add column rule int;               -- the rule that decided: its row in decisions says how

alter table payments drop constraint posted_has_both_sides;
alter table payments add constraint posted_has_both_sides check (
    (status in (0, 1)) = (payer_version is not null)
    and (status in (0, 1)) = (payee_version is not null)
    and (status in (0, 1)) = (payer_balance is not null)
    and (status in (0, 1)) = (payee_balance is not null)
);
alter table payments drop constraint posted_moves_money_between_two;
alter table payments add constraint posted_moves_money_between_two check (
    status not in (0, 1) or (amount > 0 and payer <> payee) is true
);
alter table payments add constraint a_fee_is_an_event_too check (
    (fee is not null) = (fee_version is not null) and (fee is not null) = (fee_balance is not null)
);
create unique index payments_by_fee on payments (tenant_id, fee_version) where fee_version is not null;
create index payments_by_subject on payments (tenant_id, subject) where subject is not null;
create index payments_by_charge on payments (tenant_id, charge) where charge is not null;

-- What the steps of a payment add up to: one row per authorized or reviewed payment, and per paid one that was
-- refunded or disputed. Written under the locks of both its accounts, which every step takes.
create table standings (
    tenant_id     int not null,
    payment_id    uuid not null,
    held          bigint not null,    -- still reserved on the payer's account
    captured      bigint not null,
    refunded      bigint not null,    -- charged back, too
    disputed      bigint not null,    -- reserved on the payee's account
    fee           bigint not null,    -- what was taken in sum
    fee_returned  bigint not null,
    shared        bigint not null,    -- what went on from the payee to others
    capture_max   bigint,             -- the amount and the largest tip; null: never authorized
    expires_at    timestamptz,
    in_review     boolean not null default false,
    primary key (tenant_id, payment_id),
    constraint held_is_not_negative check (held >= 0),
    constraint captured_is_within_the_hold check (captured <= capture_max),
    constraint refunded_is_within_captured check (refunded >= 0 and disputed >= 0 and refunded + disputed <= captured),
    constraint fee_is_returned_once check (fee_returned between 0 and fee)
) with (fillfactor = 70);
alter table standings owner to payhub_owner;
create index standings_by_expiry on standings (expires_at) where held > 0;
create index standings_in_review on standings (tenant_id, payment_id) where in_review;

-- The shares of a payment that was split: each a transfer from the payee, and an event of its receiver. Negative: what
-- came back when the payment was reversed.
create table shares (
    tenant_id    int not null,
    payment_id   uuid not null,
    account_id   bigint not null,
    amount       bigint not null,
    version      bigint not null,
    balance      bigint not null,     -- the receiver's, after
    primary key (tenant_id, payment_id, account_id),
    constraint a_share_is_not_nothing check (amount <> 0)
);
alter table shares owner to payhub_owner;
create unique index shares_by_account on shares (tenant_id, account_id, version);

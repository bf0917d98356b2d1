-- Limits and risk rules, as data. An account is under one set of limits; a change holds from the next payment on.
create table limits (
    tenant_id   int not null references tenants (id),
    id          int not null,
    name        text not null,
    created_at  timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint name_has_a_length check (length(name) between 1 and 100)
);
alter table limits owner to payhub_owner;

create table rules (
    tenant_id    int not null,
    limits       int not null,
    id           int not null,          -- unique in the tenant: a decision names it
    name         text not null,
    measure      smallint not null,     -- core.nouns.Measure: what it looks at
    max          bigint not null,       -- above it, it acts; minor units, or a count
    action       smallint not null,     -- core.nouns.Action: what it does then
    within_s     int,                   -- velocity: the while; new payee, new device: how long they are new
    night_from   time,                  -- local time
    night_to     time,
    own_max      bigint,                -- how high a person may set it for themselves; null: it is not theirs to set
    raise_wait_s int not null default 86400,   -- a raise of one's own waits so long; to lower is at once
    is_on        boolean not null default true,
    updated_at   timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, limits) references limits (tenant_id, id),
    constraint name_has_a_length check (length(name) between 1 and 100),
    constraint measure_is_known check (measure in (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13)),
    constraint action_is_known check (action in (1, 2, 3)),
    constraint max_is_an_amount check (max between 0 and 9007199254740991),
    constraint velocity_counts check (measure <> 5 or max between 1 and 10000),
    constraint a_while_is_at_most_a_year check (
        (within_s is not null) = (measure in (5, 6, 7, 8)) and (within_s is null or within_s between 1 and 31622400)
    ),
    constraint a_night_has_two_ends check (
        (night_from is not null) = (measure = 3) and (night_to is not null) = (measure = 3)
        and (night_from <> night_to) is not false
    ),
    constraint own_limits_are_amounts_paid check (own_max is null or measure in (1, 2, 3, 4) and own_max between 0 and 9007199254740991),
    constraint a_raise_waits_at_most_a_week check (raise_wait_s between 0 and 604800)
);
alter table rules owner to payhub_owner;
create index rules_by_limits on rules (tenant_id, limits, id);
-- Their sums stand in usages, one of each per account.
create unique index one_night_per_limits on rules (tenant_id, limits) where measure = 3 and is_on;
create unique index one_velocity_per_limits on rules (tenant_id, limits) where measure = 5 and is_on;

-- What people set for themselves. The later value holds from its moment on, without anybody's help.
create table own_limits (
    tenant_id   int not null,
    account_id  bigint not null,
    measure     smallint not null,
    max         bigint not null,
    next_max    bigint,                 -- a raise that still waits
    next_from   timestamptz,
    asked_by    uuid not null,
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, account_id, measure),
    constraint amounts_are_amounts check (max between 0 and 9007199254740991 and (next_max between 0 and 9007199254740991) is not false),
    constraint a_raise_has_its_moment check ((next_max is null) = (next_from is null))
);
alter table own_limits owner to payhub_owner;

-- Whom an account has paid before, and whom its owner allowed or denied. Kept for accounts under limits.
create table payees (
    tenant_id   int not null,
    account_id  bigint not null,        -- 0: listed for everybody, by an operator
    payee       bigint not null,
    since       timestamptz,            -- of the first payment; null: never paid yet
    listing     smallint,               -- 1: allowed beforehand, 2: denied
    listed_from timestamptz,            -- from when; to be allowed waits like a raise, or a thief would allow himself
    primary key (tenant_id, account_id, payee),
    constraint listing_is_known check (listing in (1, 2) and (listing is null) = (listed_from is null)),
    constraint there_is_something_to_say check (since is not null or listing is not null)
);
alter table payees owner to payhub_owner;

-- What accounts under limits have paid and received in their current day, night and month.
create table usages (
    tenant_id           int not null,
    account_id          bigint not null,
    day                 date,
    day_sum             bigint not null default 0,
    night               date,           -- of the evening it began
    night_sum           bigint not null default 0,
    month               date,
    month_sum           bigint not null default 0,
    full_at             timestamptz,    -- velocity: when the bucket is full again (GCRA, ITU-T I.371)
    received_day        date,
    received_day_sum    bigint not null default 0,
    received_month      date,
    received_month_sum  bigint not null default 0,
    primary key (tenant_id, account_id)
) with (fillfactor = 70);
alter table usages owner to payhub_owner;

-- The rule that decided a payment, in the commit of the payment itself: what it measured, and against what.
create table decisions (
    tenant_id   int not null,
    payment_id  uuid not null,
    rule        int not null,
    measure     smallint not null,
    measured    bigint not null,
    max         bigint not null,
    action      smallint not null,
    decided_at  timestamptz not null,
    primary key (tenant_id, payment_id)
);
alter table decisions owner to payhub_owner;
create index decisions_by_time on decisions (tenant_id, decided_at, payment_id);

-- Who changed which setting, when and how: written with the change, and never again.
create table changes (
    tenant_id   int not null,
    changed_at  timestamptz not null default clock_timestamp(),
    id          uuid not null default gen_random_uuid(),
    asked_by    uuid,                   -- null: the operator of the installation, on the command line
    what        text not null,          -- 'terms', 'rule', 'own_limit', 'payee'…
    key         text not null,
    before      jsonb,
    after       jsonb,
    primary key (tenant_id, changed_at, id)
);
alter table changes owner to payhub_owner;

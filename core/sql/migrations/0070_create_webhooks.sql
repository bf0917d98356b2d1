-- Where a merchant's own servers are told what happens on the merchant's accounts.
create table webhooks (
    tenant_id           int not null,
    id                  uuid not null,
    person_id           uuid not null,             -- the merchant
    url_sealed          bytea not null,
    description_sealed  bytea,
    secret_sealed       bytea not null,            -- what signs
    old_secret_sealed   bytea,                     -- what signs beside it, until then
    old_secret_until    timestamptz,
    events              text[],                    -- core.nouns.EventName; null: all
    accounts            bigint[],                  -- null: all that the merchant has
    state               smallint not null default 0,   -- core.webhooks.states.State
    made_by             uuid,
    made_at             timestamptz not null default clock_timestamp(),
    changed_at          timestamptz not null default clock_timestamp(),
    -- How it has been going. Failing: nobody behind it takes anything, whatever it is.
    failing_since       timestamptz,
    fails               int not null default 0,    -- in a row, of all accounts
    free_at             timestamptz,               -- nobody knocks before
    last_taken_at       timestamptz,               -- to the minute
    asides_in_row       int not null default 0,    -- set aside since it took something
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint events_are_some check (cardinality(events) between 1 and 40),
    constraint accounts_are_some check (cardinality(accounts) between 1 and 100),
    constraint an_old_secret_ends check ((old_secret_sealed is null) = (old_secret_until is null))
);
alter table webhooks owner to payhub_owner;
create index webhooks_by_person on webhooks (tenant_id, person_id);

-- How far each account's events have been told. Events are numbered without a gap, so this is all that has to be kept
-- of them: no row per event, and nothing that a payment has to write.
create table webhook_cursors (
    tenant_id   int not null,
    webhook_id  uuid not null,
    account_id  bigint not null,
    only_number bigint not null default 0,         -- 0: the stream; else this one event, beside the stream
    number      bigint not null,                   -- of the last event that was told, or passed over
    is_aside    boolean not null default false,    -- of one event: it was refused, and waits for somebody
    after_gap   boolean not null default false,    -- the event before the next one was set aside
    due_at      timestamptz,                       -- null: nothing to tell; infinity: not now
    tries       smallint not null default 0,       -- of the next event, as far as they count
    failed_at   timestamptz,                       -- first of them
    again_at    timestamptz,                       -- the next that counts
    code        text,                              -- why the last one failed
    lease       uuid,                              -- a worker has it,
    leased_until timestamptz,                      -- until then
    primary key (tenant_id, webhook_id, account_id, only_number),
    foreign key (tenant_id, webhook_id) references webhooks (tenant_id, id) on delete cascade,
    constraint one_event_is_one check (only_number = 0 or number = only_number - 1)
) with (fillfactor = 70);
alter table webhook_cursors owner to payhub_owner;
-- What workers look for, all tenants together.
create index webhook_cursors_due on webhook_cursors (due_at) where due_at is not null;
create index webhook_cursors_leased on webhook_cursors (tenant_id, webhook_id) where lease is not null;
create index webhook_cursors_idle on webhook_cursors (tenant_id, account_id) where due_at is null;

-- What was tried, for a week.
create table webhook_attempts (
    tenant_id   int not null,
    webhook_id  uuid not null,
    id          bigint not null generated always as identity,
    account_id  bigint not null,
    number      bigint not null,
    event_id    uuid not null,
    event       text not null,
    at          timestamptz not null,
    took_ms     int not null,
    status      smallint,                          -- of HTTP; null: no answer
    code        text not null,                     -- core.webhooks.states.Code
    tries       smallint not null,
    primary key (tenant_id, webhook_id, id),
    foreign key (tenant_id, webhook_id) references webhooks (tenant_id, id) on delete cascade
);
alter table webhook_attempts owner to payhub_owner;
create index webhook_attempts_by_time on webhook_attempts (at);

-- Payments at a later date, once or again and again. When they are due follows from the rule, the tenant's time zone
-- and the holidays of its country: core/payments/calendar.py.
alter table tenants add column country text not null default 'BR';
alter table tenants add constraint country_is_iso_3166_1 check (country ~ '^[A-Z]{2}$');

create table schedules (
    tenant_id      int not null references tenants (id),
    id             uuid not null,
    -- What the ids of its payments are made from. Nobody is told, so that nobody can use one of them up before it is due.
    seed           uuid not null default gen_random_uuid(),
    payer          bigint not null,
    payee          bigint not null,
    amount         bigint not null,
    description    text,
    rule           smallint not null,        -- core.payments.calendar.Rule
    first_on       date not null,
    at             time not null,            -- in the tenant's time zone
    day            smallint,                 -- of the month, or the n of an nth business day
    on_closed      smallint not null,        -- core.payments.calendar.Closed
    until          date,
    times          int,                      -- how many dates there are; null: without end, or until then
    attempts_max   smallint not null,        -- for one date, when funds are lacking
    retry_after_s  int not null,
    if_unpaid      smallint not null,        -- core.payments.schedules.IfUnpaid
    created_by     uuid not null,
    created_at     timestamptz not null default now(),
    status         smallint not null default 0,   -- core.payments.schedules.ScheduleStatus
    -- The date that is paid next: its place among all of them, the day that the rule names, the attempts made at it.
    number         int not null,
    on_day         date not null,
    attempts       smallint not null default 0,
    due_at         timestamptz,              -- the next attempt
    primary key (tenant_id, id),
    foreign key (tenant_id, payer) references accounts (tenant_id, id),
    foreign key (tenant_id, payee) references accounts (tenant_id, id),
    constraint amount_is_in_range check (amount between 1 and 10000000000000),
    constraint accounts_differ check (payer <> payee),
    constraint ends_in_one_way check (until is null or times is null),
    constraint due_while_active check ((status = 0) = (due_at is not null)),
    constraint attempts_are_few check (attempts_max between 1 and 10 and attempts between 0 and attempts_max)
) with (fillfactor = 70);
alter table schedules owner to payhub_owner;
-- What a worker looks for, all tenants together.
create index schedules_by_due on schedules (due_at) where due_at is not null;
-- An account's list, newest first; and how many of them go on.
create index schedules_by_payer on schedules (tenant_id, payer, created_at desc, id);
create index schedules_going_on on schedules (tenant_id, payer) where status in (0, 1);

-- What became of each attempt. One row per attempt, whatever a worker does twice.
create table schedule_outcomes (
    tenant_id    int not null,
    schedule_id  uuid not null,
    on_day       date not null,
    attempt      smallint not null,
    payment_id   uuid not null,
    status       smallint not null,          -- core.nouns.PaymentStatus
    at           timestamptz not null,
    primary key (tenant_id, schedule_id, on_day, attempt),
    foreign key (tenant_id, schedule_id) references schedules (tenant_id, id)
);
alter table schedule_outcomes owner to payhub_owner;

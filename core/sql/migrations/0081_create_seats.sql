-- Seats: people with log-ins of their own who act for a merchant, each within scopes. Whether somebody holds one is
-- theirs to say: an invitation to nobody is kept like any other, and one that was declined looks like one that waits.
create table seats (
    tenant_id      int not null,
    id             uuid not null,
    person_id      uuid not null,        -- the merchant
    holder         uuid,                 -- who was invited; null: nobody is found by what was named
    name_sealed    bytea not null,       -- what the merchant calls it
    scopes         text[] not null,      -- hub.protocol.scopes.Scope
    invited_by     uuid,                 -- null: the installation itself
    invited_at     timestamptz not null default now(),
    lapses_at      timestamptz not null, -- until then it is to be accepted
    accepted_at    timestamptz,
    declined_at    timestamptz,          -- which the merchant is not told
    ended_at       timestamptz,
    ended_by       uuid,                 -- null: nobody asked for it, or the installation itself
    last_used_on   date,
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    foreign key (tenant_id, holder) references persons (tenant_id, id),
    constraint scopes_are_some check (cardinality(scopes) between 1 and 40),
    constraint nobody_is_their_own check (holder <> person_id),
    constraint accepted_by_somebody check (accepted_at is null or holder is not null)
);
alter table seats owner to payhub_owner;
create index seats_by_person on seats (tenant_id, person_id, invited_at desc, id desc);
create index seats_by_holder on seats (tenant_id, holder) where holder is not null;
create unique index one_seat_per_holder on seats (tenant_id, person_id, holder)
    where accepted_at is not null and ended_at is null;

-- A seat's session speaks for the merchant and hangs on the log-in that it was opened from: it is over with either.
alter table sessions
    add column seat_id   uuid,
    add column login_id  uuid;
create index sessions_by_seat on sessions (tenant_id, seat_id) where seat_id is not null;
-- Whoever looks for one session is to find it by its key alone. An index that begins with the tenant looks as good to a
-- plan that knows nothing of the table yet, and is read from end to end for each.
drop index sessions_by_person;
create index sessions_by_person on sessions (person_id, tenant_id);

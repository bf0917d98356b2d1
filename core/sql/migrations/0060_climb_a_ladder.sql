-- How a notice reaches its person: over the socket; when nobody acknowledged it there, to the phone; then by mail.
alter table notices
    add column amount      bigint,      -- of money: minor units, positive
    add column happened_at timestamptz not null default now(),
    add column rung        smallint not null default 1,     -- core.notices.ladder.Rung: the next one
    add column climbs_at   timestamptz not null default now(),   -- and when
    add column bell        bigint,      -- its number in the person's own stream; null: an account's event, or a code
    add column session_id  uuid,        -- the session that did it, which does not speak for its person about it
    add column facts       jsonb,       -- core.notices.facts.Facts: nothing that names anybody
    add column heard_at    timestamptz,
    add constraint facts_are_small check (length(facts::text) <= 2000);
create index notices_by_climb on notices (climbs_at) where heard_at is null and rung < 3;
create unique index notices_by_bell on notices (tenant_id, person_id, bell) where bell is not null;
create index notices_by_age on notices (noted_at);
-- What was acknowledged is taken away at once.
create index notices_heard on notices (heard_at) where heard_at is not null and account_id is not null;
create index notices_unheard on notices (tenant_id, person_id, kind) where heard_at is null;

-- How many notices of their own stream a person was left so far. Changed under its row's lock, so the stream has no gap.
create table bells (
    tenant_id   int not null,
    person_id   uuid not null,
    number      bigint not null,
    changed_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_id, person_id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id)
) with (fillfactor = 70);
alter table bells owner to payhub_owner;
-- Hubs look every second at what changed.
create index bells_by_change on bells (changed_at);

-- How long each road has with a tenant's notices of a kind. Without a row, core.notices.ladder.LADDERS holds.
create table ladders (
    tenant_id  int not null references tenants (id),
    kind       smallint not null,       -- core.notices.kinds.NoticeKind
    socket_s   int not null,            -- the socket alone, before anything else
    push_s     int not null,            -- the phone, before the mail
    has_push   boolean not null,
    has_mail   boolean not null,
    set_at     timestamptz not null default now(),
    set_by     uuid,
    primary key (tenant_id, kind),
    -- Shorter than an acknowledgement takes, everybody's phone would ring beside an open page.
    constraint the_socket_has_time check (socket_s between 2 and 86400),
    constraint the_phone_has_time check (push_s between 0 and 604800)
);
alter table ladders owner to payhub_owner;

-- How a person wants to be told.
create table notice_settings (
    tenant_id   int not null,
    person_id   uuid not null,
    language    text,                   -- null: their tenant's
    quiet_from  time,                   -- in the tenant's time zone; holds back what can wait
    quiet_to    time,
    muted       smallint[] not null default '{}',
    set_at      timestamptz not null default now(),
    primary key (tenant_id, person_id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint language_is_known check (language in ('pt', 'en')),
    constraint quiet_has_both_ends check ((quiet_from is null) = (quiet_to is null)),
    constraint muted_are_few check (cardinality(muted) <= 20)
);
alter table notice_settings owner to payhub_owner;

-- Phones and browsers that take pushes for a person, each as long as the session lives that registered it.
create table push_devices (
    tenant_id      int not null,
    id             uuid not null,
    person_id      uuid not null,
    session_id     uuid not null,
    provider       smallint not null,   -- core.notices.targets.Provider
    mark           bytea not null,      -- a keyed hash of its address: one address is one person's
    sealed         bytea not null,      -- core.notices.targets, under the person's key
    language       text not null,
    registered_at  timestamptz not null default clock_timestamp(),
    gone_at        timestamptz,
    gone_code      text,
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint language_is_known check (language in ('pt', 'en')),
    constraint sizes_are_bounded check (length(sealed) <= 4000 and length(mark) = 32 and length(gone_code) <= 60)
);
alter table push_devices owner to payhub_owner;
create unique index push_devices_by_mark on push_devices (tenant_id, mark) where gone_at is null;
create index push_devices_by_person on push_devices (tenant_id, person_id) where gone_at is null;

-- What is to be handed to the outside world: some notices of one kind, to one phone or one mailbox. Its id is the one
-- that others see, the same at every try.
create table deliveries (
    tenant_id     int not null,
    id            uuid not null default gen_random_uuid(),
    road          smallint not null,    -- core.notices.deliveries.Road
    person_id     uuid not null,
    kind          smallint not null,    -- core.notices.kinds.NoticeKind
    notice_ids    uuid[] not null,      -- oldest first; none: it takes away what was shown
    device_id     uuid,                 -- of a push
    field         smallint,             -- of a mail to one contact and no other: a row of person_fields
    field_number  int,
    state         smallint not null default 0,   -- core.notices.deliveries.State
    due_at        timestamptz not null default clock_timestamp(),   -- while somebody has it: when they lose it
    tries         smallint not null default 0,
    code          text,                 -- what came of the last try
    made_at       timestamptz not null default clock_timestamp(),
    ended_at      timestamptz,
    primary key (tenant_id, id),
    constraint an_end_has_a_time check ((state = 0) = (ended_at is null)),
    constraint sizes_are_bounded check (cardinality(notice_ids) <= 100 and length(code) <= 60)
) with (fillfactor = 70);
alter table deliveries owner to payhub_owner;
-- Each tenant's by themselves, so that none stands in another's way.
create index deliveries_due on deliveries (road, tenant_id, due_at) where state = 0;
create index deliveries_by_person on deliveries (tenant_id, person_id, made_at);
create index deliveries_dead on deliveries (tenant_id, made_at) where state = 3;
create index deliveries_by_end on deliveries (ended_at) where state <> 0;

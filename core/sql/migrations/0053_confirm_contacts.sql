-- Codes that were sent to a contact. Of a person's contact the last one counts.
create table contact_codes (
    tenant_id   int not null,
    id          uuid not null,
    person_id   uuid not null,
    field       smallint not null,
    number      int not null,           -- of the row that holds the contact: a code is good for no other
    mark        bytea not null,         -- of the contact: how often it was written to, whoever asked
    hash        bytea not null,         -- a keyed hash of the code
    sent_at     timestamptz not null default clock_timestamp(),
    expires_at  timestamptz not null,
    tries_left  smallint not null,
    used_at     timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id, field, number) references person_fields (tenant_id, person_id, field, number),
    constraint tries_are_few check (tries_left between 0 and 10)
);
alter table contact_codes owner to payhub_owner;
create index contact_codes_by_person on contact_codes (tenant_id, person_id, sent_at);
create index contact_codes_by_mark on contact_codes (tenant_id, mark, sent_at);
create index contact_codes_by_time on contact_codes (tenant_id, sent_at);
create index contact_codes_by_age on contact_codes (sent_at);

-- A notice need not be about money: its kind says what it is about, and what only some kinds have may be missing.
alter table notices drop constraint notices_pkey;
alter table notices
    add column id          uuid not null default gen_random_uuid(),
    add column kind        smallint not null default 0,   -- core.notices.personal.NoticeKind
    add column field       smallint,      -- the contact that it goes to, where it has to be that one:
    add column field_number int,          --   a row of person_fields, whose value the person's key opens
    add column sealed      bytea,         -- what is to be told, under the person's key; gone with the row when it is sent
    add column expires_at  timestamptz,   -- told later, it is of no use
    alter column account_id drop not null,
    alter column number drop not null,
    alter column payment_id drop not null,
    add primary key (tenant_id, id),
    add constraint money_is_on_an_account check (
        kind <> 0 or (account_id is not null and number is not null and payment_id is not null)
    );
create unique index notices_by_event on notices (tenant_id, account_id, number) where account_id is not null;
create index notices_by_person on notices (tenant_id, person_id);
create index notices_by_end on notices (expires_at) where expires_at is not null;

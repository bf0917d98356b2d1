-- How somebody stands, and since when, by whom and why; what was before is in the trail.
alter table persons
    add column status_reason  text,           -- core.people.standing.Reason; null: as they were opened
    add column status_set_at  timestamptz,
    add column status_set_by  uuid,
    add constraint role_is_known check (role between 0 and 4),
    add constraint status_is_known check (status between 0 and 3);
-- An operator is never removed who is the last one.
create index persons_operators on persons (tenant_id, id) where role = 2;
-- Whose accounts follow when the tenant changes what they may.
create index persons_pending on persons (tenant_id, id) where status = 3;

-- What is known of a person: a field per row, and the newest row of a field holds. Rows are added and never changed.
create table person_fields (
    tenant_id   int not null,
    person_id   uuid not null,
    field       smallint not null,      -- core.people.fields.Kind
    number      int not null,           -- of the field: 1, 2, 3…
    sealed      bytea,                  -- null: taken away
    mark        bytea,                  -- a keyed hash, where the value is found by equality
    set_at      timestamptz not null default clock_timestamp(),
    set_by      uuid,                   -- null: the installation itself
    session_id  uuid,
    primary key (tenant_id, person_id, field, number),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint numbers_begin_at_one check (number >= 1),
    constraint sizes_are_bounded check (length(sealed) <= 2000 and length(mark) = 32)
);
alter table person_fields owner to payhub_owner;
create index person_fields_by_mark on person_fields (tenant_id, field, mark) where mark is not null;

-- Values that are somebody's and nobody else's in the tenant: a contact that its person has confirmed, a document of
-- whoever the tenant has identified. What was merely said of oneself is not here.
create table held_fields (
    tenant_id   int not null,
    field       smallint not null,
    mark        bytea not null,
    person_id   uuid not null,
    number      int not null,           -- of the row that holds the value
    held_at     timestamptz not null default clock_timestamp(),
    primary key (tenant_id, field, mark),
    foreign key (tenant_id, person_id, field, number) references person_fields (tenant_id, person_id, field, number)
);
alter table held_fields owner to payhub_owner;
create unique index held_fields_by_person on held_fields (tenant_id, person_id, field);

-- What a tenant asks of its people. Without a row, the defaults hold (core.people.settings.DEFAULT).
create table people_settings (
    tenant_id                int not null references tenants (id),
    customers_begin_pending  boolean not null,
    merchants_begin_pending  boolean not null,
    pending_are_paid         boolean not null,
    pending_pay              boolean not null,
    customers_need           smallint[] not null,   -- fields without which nobody is registered or activated
    merchants_need           smallint[] not null,
    needs_second_operator    boolean not null,      -- for a role among the staff
    updated_at               timestamptz not null default now(),
    primary key (tenant_id),
    constraint who_pays_is_paid check (pending_are_paid or not pending_pay),
    constraint needs_are_few check (cardinality(customers_need) <= 20 and cardinality(merchants_need) <= 20)
);
alter table people_settings owner to payhub_owner;

-- A role among the staff that one operator wants for somebody, until another one wants it, too.
create table role_requests (
    tenant_id  int not null,
    person_id  uuid not null,
    role       smallint not null,
    asked_by   uuid not null,
    asked_at   timestamptz not null default now(),
    primary key (tenant_id, person_id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id)
);
alter table role_requests owner to payhub_owner;

-- What a tenant asks consent for (LGPD art. 8): each change of a text is a new version, and no version is ever changed.
create table consent_purposes (
    tenant_id   int not null references tenants (id),
    purpose     text not null,
    version     int not null,
    title_pt    text not null,
    text_pt     text not null,
    title_en    text not null,
    text_en     text not null,
    asks_again  boolean not null,             -- what was given to an earlier version does not count for this one
    is_open     boolean not null,             -- false: it is asked for no more, and what was given counts no more
    set_at      timestamptz not null default clock_timestamp(),
    set_by      uuid,                         -- null: the installation's operator, at the command line
    primary key (tenant_id, purpose, version),
    constraint purpose_is_plain check (purpose ~ '^[a-z][a-z0-9_]{1,38}[a-z0-9]$'),
    constraint words_have_a_length check (
        length(title_pt) between 1 and 100 and length(title_en) between 1 and 100
        and length(text_pt) between 1 and 2000 and length(text_en) between 1 and 2000
    )
);
alter table consent_purposes owner to payhub_owner;

-- Given and revoked: a row each time. The last one of a person and purpose holds.
create table consents (
    tenant_id   int not null,
    person_id   uuid not null,
    purpose     text not null,
    number      int not null,                 -- counts up for each person and purpose
    version     int not null,
    is_given    boolean not null,
    at          timestamptz not null default clock_timestamp(),
    session_id  uuid,                         -- these three are emptied at an erasure
    door        text,                         -- core.privacy.consents.DOORS
    network     text,
    primary key (tenant_id, person_id, purpose, number),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    foreign key (tenant_id, purpose, version) references consent_purposes (tenant_id, purpose, version)
);
alter table consents owner to payhub_owner;

-- Who was told what about whom (art. 18, VII): written by whatever sends data out, and never changed.
create table disclosures (
    tenant_id  int not null,
    id         uuid not null default gen_random_uuid(),
    person_id  uuid not null,
    at         timestamptz not null default clock_timestamp(),
    recipient  text not null,                 -- an institution or an authority, never a person
    purpose    text not null,
    basis      text not null,                 -- core.privacy.classes.Basis.code
    consent    text,                          -- the purpose of consent it rests on, where the basis is consent
    kinds      text[] not null,               -- core.privacy.classes.Kind
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint words_have_a_length check (length(recipient) between 1 and 200 and length(purpose) between 1 and 200),
    constraint consent_names_its_purpose check ((basis = 'consent') = (consent is not null)),
    constraint something_was_told check (cardinality(kinds) > 0)
);
alter table disclosures owner to payhub_owner;
create index disclosures_by_person on disclosures (tenant_id, person_id, at, id);

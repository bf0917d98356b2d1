-- The register of security incidents (LGPD art. 48; Resolução CD/ANPD 15/2024, art. 10): every one, told to somebody or
-- not. What is learned later is a new revision; no row is ever changed or removed.
create table incidents (
    tenant_id            int not null references tenants (id),
    id                   uuid not null,
    revision             int not null,
    recorded_at          timestamptz not null default clock_timestamp(),
    recorded_by          uuid,                 -- null: the installation's operator, at the command line
    known_at             timestamptz not null, -- when it was known that personal data were hit: the clocks run from here
    began_at             timestamptz not null,
    ended_at             timestamptz not null,
    hit                  jsonb not null,       -- core.privacy.incidents.Hit
    is_small_agent       boolean not null,     -- the clocks run twice as long (art. 6, § 8; art. 9, § 6)
    notes                jsonb not null,       -- core.privacy.incidents.Notes: what the institution says
    persons              bigint not null,
    figures              jsonb not null,       -- persons by kind of data
    total_persons        bigint not null,      -- whose data the tenant holds
    tell_by              timestamptz not null,
    told_authority_at    timestamptz,
    complement_by        timestamptz,          -- of what was told, once it was
    told_persons_at      timestamptz,
    primary key (tenant_id, id, revision),
    constraint it_ended_after_it_began check (began_at <= ended_at),
    constraint a_complement_follows check ((told_authority_at is null) = (complement_by is null))
);
alter table incidents owner to payhub_owner;
create index incidents_by_age on incidents (tenant_id, known_at, id);

-- Whom an incident concerns: ids alone.
create table incident_persons (
    tenant_id    int not null,
    incident_id  uuid not null,
    person_id    uuid not null,
    primary key (tenant_id, incident_id, person_id)
);
alter table incident_persons owner to payhub_owner;
create index incident_persons_by_person on incident_persons (tenant_id, person_id);

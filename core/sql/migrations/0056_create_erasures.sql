-- Who asked to be erased (LGPD art. 18, VI), and what became of it: at once, or in part at once and the rest when
-- nothing obliges to keep it any more (art. 16).
create table erasures (
    tenant_id    int not null,
    person_id    uuid not null,
    status       smallint not null default 0,  -- core.privacy.erasures.ErasureStatus
    asked_at     timestamptz not null default clock_timestamp(),
    asked_by     uuid,                         -- null: the installation's operator, at the command line
    by_operator  boolean not null,
    kept         jsonb not null,               -- core.privacy.duties.Duty: what, by which rule, until when
    due_on       date not null,                -- the first day on which nothing obliges to keep it
    forgotten_at timestamptz,                  -- what nobody is obliged to keep was gone then
    rest_until   timestamptz,                  -- workers leave it alone until then: they failed, or something is in the way
    erased_at    timestamptz,
    primary key (tenant_id, person_id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint erased_ones_have_their_moment check ((status = 2) = (erased_at is not null))
);
alter table erasures owner to payhub_owner;
-- What workers look for, all tenants together.
create index erasures_to_finish on erasures (due_on) where status <> 2;
create index erasures_to_forget on erasures (asked_at) where forgotten_at is null;

-- Whether a person's key would be enough is asked at every erasure, of a table that has no end. Almost nothing is in it.
create index payments_with_plain_words on payments (tenant_id, asked_by) where description is not null;

-- What each run of the retention did: counts alone.
create table retention_runs (
    tenant_id  int not null references tenants (id),
    at         timestamptz not null default clock_timestamp(),
    removed    jsonb not null,                 -- rows by table
    erased     int not null,                   -- persons
    primary key (tenant_id, at)
);
alter table retention_runs owner to payhub_owner;

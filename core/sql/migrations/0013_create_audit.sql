-- What somebody has to answer for, besides payments: written in the commit of what was done, and never changed.
create table audit_entries (
    tenant_id   int not null,
    at          timestamptz not null default clock_timestamp(),
    id          uuid not null default gen_random_uuid(),
    what        text not null,          -- core.audit.trail.Act, or 'setting.<which>'
    who         uuid,                   -- null: the installation itself, or somebody it does not know
    about       text,                   -- an id
    why         text,
    session_id  uuid,
    network     text,                   -- where from, cut to what names no single person
    details     jsonb,
    primary key (tenant_id, id),
    constraint what_is_plain check (what ~ '^[a-z_]+[.][a-z_]+$'),
    constraint words_have_a_length check (length(about) <= 200 and length(why) <= 500 and length(network) <= 60)
);
alter table audit_entries owner to payhub_owner;
create index audit_entries_by_time on audit_entries (tenant_id, at, id);
create index audit_entries_by_what on audit_entries (tenant_id, what, at, id);
create index audit_entries_by_who on audit_entries (tenant_id, who, at, id) where who is not null;
create index audit_entries_by_about on audit_entries (tenant_id, about, at, id) where about is not null;

-- Changed settings were the first of them.
insert into audit_entries (tenant_id, at, id, what, who, about, details)
select tenant_id, changed_at, id, 'setting.' || what, asked_by, key, jsonb_build_object('before', before, 'after', after)
  from changes;
drop table changes;

-- What a person asked to be told of themselves (LGPD art. 18, II and V; art. 19): the job, and the finished files in
-- pieces, sealed under the person's key.
create table privacy_exports (
    tenant_id    int not null,
    id           uuid not null,               -- chosen by whoever asks
    person_id    uuid not null,
    language     text not null,
    status       smallint not null default 0, -- core.privacy.exports.ExportStatus
    session_id   uuid,                        -- that asked for it
    asked_at     timestamptz not null default clock_timestamp(),   -- and what it tells is of this moment
    place        jsonb,                       -- how far it is made: core.privacy.making.Standing
    total        bigint not null default 0,   -- things that there are to tell, as counted at the beginning
    done         bigint not null default 0,
    json_size    bigint not null default 0,   -- bytes
    volumes      int not null default 0,      -- of the PDF
    tries        smallint not null default 0, -- that failed at one place
    free_at      timestamptz not null default clock_timestamp(),   -- a worker has it until then
    finished_at  timestamptz,
    expires_at   timestamptz,                 -- the files are removed then
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint language_is_known check (language in ('pt', 'en')),
    constraint finished_ones_expire check ((status = 2) <= (expires_at is not null))
) with (fillfactor = 70);
alter table privacy_exports owner to payhub_owner;
-- One at a time for each person.
create unique index privacy_exports_under_way on privacy_exports (tenant_id, person_id) where status in (0, 1);
create index privacy_exports_by_person on privacy_exports (tenant_id, person_id, asked_at, id);
-- What workers look for, all tenants together.
create index privacy_exports_to_make on privacy_exports (free_at) where status in (0, 1);
create index privacy_exports_to_forget on privacy_exports (expires_at) where status = 2;

create table privacy_export_pieces (
    tenant_id       int not null,
    export_id       uuid not null,
    form            smallint not null,        -- core.privacy.exports.Form
    volume          int not null,
    number          int not null,
    person_id       uuid not null,
    content_sealed  bytea not null,           -- the JSON's pieces are compressed, each by itself
    primary key (tenant_id, export_id, form, volume, number),
    foreign key (tenant_id, export_id) references privacy_exports (tenant_id, id) on delete cascade,
    constraint a_piece_is_small check (length(content_sealed) between 32 and 4194304)
);
alter table privacy_export_pieces owner to payhub_owner;

-- What people ask of whoever holds their data (LGPD art. 18), where an operator has to answer, and by when.
create table privacy_requests (
    tenant_id      int not null,
    id             uuid not null,             -- chosen by whoever asks: the idempotency key
    person_id      uuid not null,
    what           smallint not null,         -- core.privacy.requests.Right
    field          text,                      -- of a correction: which one
    text_sealed    bytea,                     -- under the person's key, like the answer
    status         smallint not null default 0,   -- core.privacy.requests.RequestStatus
    asked_at       timestamptz not null default clock_timestamp(),
    due_at         timestamptz not null,
    session_id     uuid,
    answer_sealed  bytea,
    answered_by    uuid,
    answered_at    timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, person_id) references persons (tenant_id, id),
    constraint answered_by_somebody check (
        (status = 0) = (answered_at is null) and (answered_at is null) = (answered_by is null)
    ),
    constraint a_sealed_text_has_a_length check (
        length(text_sealed) between 32 and 8031 and length(answer_sealed) between 32 and 8031
    )
);
alter table privacy_requests owner to payhub_owner;
create index privacy_requests_by_person on privacy_requests (tenant_id, person_id, asked_at, id);
create index privacy_requests_open on privacy_requests (tenant_id, due_at, id) where status = 0;

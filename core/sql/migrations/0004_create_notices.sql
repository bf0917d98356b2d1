-- Something a person must be told and has not acknowledged: an event nobody listened to in time.
-- One row per account and event, so that finding it twice notes it once.
create table notices (
    tenant_id   int not null,
    account_id  bigint not null,
    number      bigint not null,
    person_id   uuid not null,
    payment_id  uuid not null,
    noted_at    timestamptz not null default now(),
    primary key (tenant_id, account_id, number)
);
alter table notices owner to payhub_owner;

-- Workers ask for the oldest first, whatever its tenant.
create index outbox_by_age on outbox (created_at);

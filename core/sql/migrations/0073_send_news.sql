-- What a tenant writes to those of its people who agreed to a purpose, and how far it has come.
create table news (
    tenant_id     int not null references tenants (id),
    id            uuid not null,
    purpose       text not null,               -- of consent_purposes
    title         text not null,
    body          text not null,
    sent_by       uuid,
    sent_at       timestamptz not null default clock_timestamp(),
    after_person  uuid,                        -- people are told in the order of their ids: up to here
    told          int not null default 0,
    ended_at      timestamptz,                 -- everybody who had agreed by then was told
    primary key (tenant_id, id),
    constraint words_have_a_length check (length(title) between 1 and 80 and length(body) between 1 and 4000)
);
alter table news owner to payhub_owner;
create index news_by_time on news (tenant_id, sent_at);
create index news_to_tell on news (sent_at) where ended_at is null;

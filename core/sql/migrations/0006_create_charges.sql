-- Requests to be paid: a link, a QR code, a till. Whether one is paid is decided with the payment, under the lock
-- of the account that it is to be paid to.
create table charges (
    tenant_id    int not null references tenants (id),
    id           uuid not null,
    payee        bigint not null,
    amount       bigint,                 -- null: the payer says how much
    description  text,
    reference    text,                   -- the merchant's own number for it
    is_reusable  boolean not null,       -- a poster on the wall; otherwise paid once
    status       smallint not null default 0,   -- core.nouns.ChargeStatus
    paid_count   bigint not null default 0,
    paid_amount  bigint not null default 0,
    asked_by     uuid not null,
    created_at   timestamptz not null default now(),
    lasts_s      int,                    -- as it was asked for; null: it does not expire
    expires_at   timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, payee) references accounts (tenant_id, id),
    constraint amount_is_in_range check (amount between 1 and 10000000000000),
    constraint description_has_a_length check (length(description) between 1 and 140),
    constraint reference_has_a_length check (length(reference) between 1 and 60),
    constraint paid_once_unless_reusable check (is_reusable or paid_count <= 1)
) with (fillfactor = 70);   -- a poster's row is rewritten by every payment: kept on its page
alter table charges owner to payhub_owner;
-- A merchant's list, newest first: all of them, and those of one status.
create index charges_by_payee on charges (tenant_id, payee, created_at desc, id desc);
create index charges_by_status on charges (tenant_id, payee, status, created_at desc, id desc);

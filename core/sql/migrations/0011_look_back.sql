-- What reserved an account's money, and when: the last of these before a moment says what was held then.
create index payments_by_hold on payments (tenant_id, payer, payer_version) where payer_held is not null;
-- What was refused is no event and has no number: it is found by time.
create index payments_refused on payments (tenant_id, payer, judged_at desc, id desc) where payer_version is null;

-- Words of the owner's own about an account. Apart from accounts, whose rows are rewritten with every batch.
create table account_metadata (
    tenant_id   int not null,
    account_id  bigint not null,
    metadata    jsonb not null,
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, account_id),
    foreign key (tenant_id, account_id) references accounts (tenant_id, id)
);
alter table account_metadata owner to payhub_owner;
create index account_metadata_by_word on account_metadata using gin (metadata jsonb_path_ops);

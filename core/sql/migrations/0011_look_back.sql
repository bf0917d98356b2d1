-- What reserved an account's money, and when: the last of these before a moment says what was held then.
create index payments_by_hold on payments (tenant_id, payer, payer_version) where payer_held is not null;
-- What carries words of its owner's is rare among an account's entries, and found without passing the others.
create index payments_with_words_by_payer on payments (tenant_id, payer, payer_version)
 where payer_version is not null and metadata is not null;
create index payments_with_words_by_payee on payments (tenant_id, payee, payee_version)
 where payee_version is not null and metadata is not null;
-- What was refused is no event and has no number: it is found by time.
create index payments_refused on payments (tenant_id, payer, judged_at desc, id desc)
 where payer_version is null and payer is not null;

-- Words of the owner's own about an account. Apart from accounts, whose rows are rewritten with every batch.
create table account_metadata (
    tenant_id   int not null,
    account_id  bigint not null,
    key         text not null,
    value       text not null,
    primary key (tenant_id, account_id, key),
    foreign key (tenant_id, account_id) references accounts (tenant_id, id)
);
alter table account_metadata owner to payhub_owner;
-- By equality alone: behind the wall, nothing else would use an index (LEAKPROOF).
create index account_metadata_by_word on account_metadata (tenant_id, key, value, account_id);

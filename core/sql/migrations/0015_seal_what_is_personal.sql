-- What is personal is sealed under its person's key (core/keys): each column has a twin that holds it sealed, and new rows
-- fill the twin alone. Rows of before keep what they have until `payhub keys seal` has been through; it is read from
-- either. Hubs of the version before go on working until then.

-- 31 bytes longer than what was sealed (core.keys.cipher.OVERHEAD_BYTES), and a character is four bytes at most.
alter table profiles alter column display_name drop not null;
alter table profiles add column display_name_sealed bytea;
alter table profiles add constraint a_name_stands_once check (num_nonnulls(display_name, display_name_sealed) = 1);
alter table profiles add constraint a_sealed_name_has_a_length check (length(display_name_sealed) between 32 and 431);

-- Found by a keyed hash (core.keys.safe.Safe.index), shown from what is sealed.
alter table credentials drop constraint credentials_pkey;
alter table credentials add constraint credentials_pkey primary key using index credentials_by_person;
alter table credentials alter column login drop not null;
alter table credentials add column login_index bytea;
alter table credentials add column login_sealed bytea;
create unique index credentials_by_login on credentials (tenant_id, login) where login is not null;
create unique index credentials_by_login_index on credentials (tenant_id, login_index) where login_index is not null;
alter table credentials add constraint a_login_stands_once check (
    num_nonnulls(login, login_index) = 1 and (login_index is null) = (login_sealed is null)
);
alter table credentials add constraint an_index_is_a_hash check (length(login_index) = 32);
alter table credentials add constraint a_sealed_login_has_a_length check (length(login_sealed) between 32 and 131);

alter table charges add column description_sealed bytea;
alter table charges add column reference_sealed bytea;
alter table charges add constraint a_word_stands_once check (
    num_nonnulls(description, description_sealed) <= 1 and num_nonnulls(reference, reference_sealed) <= 1
);
alter table charges add constraint a_sealed_word_has_a_length check (
    length(description_sealed) between 32 and 591 and length(reference_sealed) between 32 and 271
);

alter table schedules add column description_sealed bytea;
alter table schedules add constraint a_description_stands_once check (
    num_nonnulls(description, description_sealed) <= 1
);
alter table schedules add constraint a_sealed_description_has_a_length check (
    length(description_sealed) between 32 and 591
);

-- A dispute's text and the operators' note are the payer's, the answer is the payee's.
alter table disputes add column text_sealed bytea;
alter table disputes add column answer_sealed bytea;
alter table disputes add column note_sealed bytea;
alter table disputes add constraint a_word_stands_once check (
    num_nonnulls(text, text_sealed) <= 1 and num_nonnulls(answer, answer_sealed) <= 1
    and num_nonnulls(note, note_sealed) <= 1
);
alter table disputes add constraint a_sealed_word_has_a_length check (
    length(text_sealed) between 32 and 8031 and length(answer_sealed) between 32 and 8031
    and length(note_sealed) between 32 and 8031
);

-- A piece of evidence is that of whoever added it.
alter table dispute_evidence add column text_sealed bytea;
alter table dispute_evidence add column name_sealed bytea;
alter table dispute_evidence add column content_sealed bytea;
alter table dispute_evidence drop constraint it_says_something;
alter table dispute_evidence drop constraint a_file_is_whole;
alter table dispute_evidence add constraint it_says_something check (
    num_nonnulls(text, content, text_sealed, content_sealed) > 0
);
alter table dispute_evidence add constraint a_file_is_whole check (
    num_nonnulls(content, content_sealed) = num_nonnulls(name, name_sealed)
    and num_nonnulls(content, content_sealed) = num_nonnulls(media_type)
    and num_nonnulls(text, text_sealed) <= 1
);
alter table dispute_evidence add constraint a_sealed_piece_has_a_length check (
    length(text_sealed) between 32 and 8031 and length(name_sealed) between 32 and 431
    and length(content_sealed) between 32 and 36895
);

-- What is not sealed yet: empty soon, and then they cost nothing.
create index profiles_not_sealed on profiles (tenant_id) where display_name is not null;
create index charges_with_plain_description on charges (tenant_id) where description is not null;
create index charges_with_plain_reference on charges (tenant_id) where reference is not null;
create index schedules_not_sealed on schedules (tenant_id) where description is not null;
create index disputes_with_plain_text on disputes (tenant_id) where text is not null;
create index disputes_with_plain_answer on disputes (tenant_id) where answer is not null;
create index disputes_with_plain_note on disputes (tenant_id) where note is not null;
create index dispute_evidence_with_plain_text on dispute_evidence (tenant_id) where text is not null;
create index dispute_evidence_with_plain_file on dispute_evidence (tenant_id) where name is not null or content is not null;

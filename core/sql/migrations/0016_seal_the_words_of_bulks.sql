-- What lines of a bulk say (descriptions, references) is sealed under the key of the account's owner, many lines at once:
-- line by line it would cost half of a file's speed. Lines of before keep theirs until `payhub keys seal`.
create table bulk_words (
    tenant_id  int not null,
    bulk_id    uuid not null,
    first      int not null,         -- number of its first line
    length     int not null,         -- lines
    person_id  uuid not null,        -- whose key sealed it: the account's owner; of the tenant's own books, the maker
    sealed     bytea not null,       -- core.bulk.words
    primary key (tenant_id, bulk_id, first),
    constraint a_chunk_has_a_length check (first > 0 and length between 1 and 1000)
);
alter table bulk_words owner to payhub_owner;

-- By it, references that repeat are found: a keyed hash of one, good for this bulk alone.
alter table bulk_lines add column reference_hash bytea;
alter table bulk_lines add constraint a_reference_hash_has_a_length check (length(reference_hash) = 16);
alter table bulk_lines add constraint a_reference_stands_once check (num_nonnulls(reference, reference_hash) <= 1);
create index bulk_lines_not_sealed on bulk_lines (tenant_id, bulk_id, number)
 where description is not null or reference is not null;

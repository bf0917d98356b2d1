-- Whose keys were destroyed: what a database of keys that comes out of a backup is told (core/keys/erasing.py).
create table erased_persons (
    tenant_id  int not null,
    person_id  uuid not null,
    erased_at  timestamptz not null,
    primary key (tenant_id, person_id)
);
alter table erased_persons owner to payhub_owner;

-- Which key service wrapped a signing key; null: the master key's file, before there were others.
alter table signing_keys add column wrapped_by text;

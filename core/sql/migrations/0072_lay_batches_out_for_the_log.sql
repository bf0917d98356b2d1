-- What a batch still needs of the log stands in a narrow row of its own, as audit entries have one. In the outbox it was
-- two updates, each of which copied the batch's hundred ids and their indexes.
create table batches_unlogged (
    tenant_id   int not null,
    batch       bigint not null,                    -- of the outbox
    created_at  timestamptz not null default now(),
    root        bytea,                              -- of its payments' tree, where the poster has told it
    primary key (tenant_id, batch)
) with (fillfactor = 50);                           -- room on the page for the root
alter table batches_unlogged owner to payhub_owner;
insert into batches_unlogged (tenant_id, batch, created_at, root)
select tenant_id, batch, created_at, root from outbox where not is_logged;

alter table outbox drop column is_logged;
alter table outbox drop column root;

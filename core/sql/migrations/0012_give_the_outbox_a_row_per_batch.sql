-- A transaction may post many batches (an atomic bulk). As one row they were copied whole with each batch that was
-- added, a quarter of such a bulk's time, and a worker had to take all of them at once.
alter table outbox drop constraint outbox_pkey;
alter table outbox add column batch bigint generated always as identity;
alter table outbox add primary key (tenant_id, batch);

-- How far each tenant's log has been told at each sink of the operator's. The log is whole, numbered and never changed, so
-- this is all that has to be kept: no row per event, and nothing that a payment has to write.
create table sink_cursors (
    tenant_id      int not null,       -- 0: since when there is this sink, and nothing to tell
    sink           text not null,      -- its name in the operator's file
    number         bigint not null,    -- of the log's leaf that is told next
    taken          int not null default 0,       -- events of that leaf that were taken
    due_at         timestamptz not null default clock_timestamp(),
    lease          uuid,               -- a worker has it,
    leased_until   timestamptz,        -- until then
    fails          int not null default 0,       -- in a row
    failing_since  timestamptz,
    code           text,               -- why the last one failed
    last_taken_at  timestamptz,
    made_at        timestamptz not null default clock_timestamp(),
    primary key (tenant_id, sink),
    constraint sink_is_plain check (sink ~ '^[a-z][a-z0-9-]{0,39}$'),
    constraint number_counts_up check (number >= 0 and taken >= 0),
    constraint a_lease_ends check ((lease is null) = (leased_until is null))
) with (fillfactor = 50);
alter table sink_cursors owner to payhub_owner;

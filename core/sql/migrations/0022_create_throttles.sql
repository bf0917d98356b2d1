-- How often somebody was not let in lately, by whatever it is counted for. A key is a mark that only the instance can
-- make: nothing that a stranger typed stands here, and whether there is such a login makes no difference.
create table throttles (
    tenant_id      int not null,
    kind           smallint not null,     -- core.people.throttles.Kind
    key            bytea not null,
    level          double precision not null,   -- failures that are not forgotten yet, as of `at`
    at             timestamptz not null,
    blocked_until  timestamptz,
    primary key (tenant_id, kind, key)
) with (fillfactor = 70);
alter table throttles owner to payhub_owner;

-- Heads come up to four a second, and those of long ago are needed no more often than places outside were given them
-- (core/proof/anchors.py). One function takes the others away; it is its owner's alone, a role that does nothing else and
-- that nobody logs in as.
do $$
begin
    if not exists (select from pg_roles where rolname = 'payhub_thinner') then
        create role payhub_thinner nologin;
    end if;
    -- A managed database's administrator is no superuser and must be a member to hand objects over.
    if not pg_has_role(current_user, 'payhub_thinner', 'set') then
        grant payhub_thinner to current_user;
    end if;
end
$$;
grant usage, create on schema payhub to payhub_thinner;

-- Up to which head each log was looked through.
create table thinned_logs (
    tenant_id  int not null,
    size       bigint not null,
    primary key (tenant_id)
);
alter table thinned_logs owner to payhub_owner;

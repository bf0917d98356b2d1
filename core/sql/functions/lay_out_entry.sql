-- Lays every new audit entry out for the log, whoever wrote it.
create or replace function lay_out_entry() returns trigger
language plpgsql
set search_path = payhub, pg_temp
as $$
begin
    insert into audit_unlogged (tenant_id, at, id) values (new.tenant_id, new.at, new.id);
    return null;
end
$$;
alter function lay_out_entry owner to payhub_owner;
revoke all on function lay_out_entry from public;

drop trigger if exists lay_out_entry on audit_entries;
create trigger lay_out_entry after insert on audit_entries for each row execute function lay_out_entry();

-- For tables that are only ever added to: whoever changes or removes a row is refused, the table's owner too. One function
-- takes old heads away (thin_heads), and is its owner's alone.
create or replace function keep_as_written() returns trigger
language plpgsql
set search_path = payhub, pg_temp
as $$
begin
    if tg_table_name = 'log_heads' and tg_op = 'DELETE' and current_user = 'payhub_thinner' then
        return null;
    end if;
    raise exception '% is only ever added to', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
alter function keep_as_written owner to payhub_owner;
revoke all on function keep_as_written from public;

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'audit_entries', 'payments', 'shares', 'decisions', 'proof_salts', 'log_leaves', 'log_nodes', 'log_heads',
        'cosignatures', 'anchor_refusals',
        'consent_purposes', 'disclosures', 'incidents', 'incident_persons'
    ] loop
        execute format('drop trigger if exists keep_as_written on %I', v_table);
        execute format(
            'create trigger keep_as_written before update or delete or truncate on %I execute function keep_as_written()',
            v_table
        );
    end loop;
end
$$;

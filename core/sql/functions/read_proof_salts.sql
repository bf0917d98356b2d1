-- What blinds the commitments of the given tenants' payments: a hub signs batches of many tenants.
create or replace function read_proof_salts(p_tenants int[])
returns table (tenant_id int, salt bytea)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select proof_salts.tenant_id, proof_salts.salt
      from proof_salts
     where proof_salts.tenant_id = any (p_tenants)
$$;
alter function read_proof_salts owner to payhub_ledger;
revoke all on function read_proof_salts from public;
grant execute on function read_proof_salts to payhub_app;

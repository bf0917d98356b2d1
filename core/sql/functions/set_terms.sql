-- Writes a tenant's terms, new or changed. They hold from the next payment on, for every account under them.
create or replace function set_terms(
    p_tenant           int,
    p_asked_by         uuid,
    p_id               int,
    p_name             text,
    p_fee_ppm          int,
    p_fee_fixed        bigint,
    p_fee_min          bigint,
    p_fee_max          bigint,
    p_returns_fee      boolean,
    p_tip_percent_max  int
) returns void
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_before jsonb;
    v_after  jsonb;
begin
    select to_jsonb(terms) into v_before from terms where tenant_id = p_tenant and id = p_id for update;
    insert into terms (tenant_id, id, name, fee_ppm, fee_fixed, fee_min, fee_max, returns_fee, tip_percent_max)
    values (p_tenant, p_id, p_name, p_fee_ppm, p_fee_fixed, p_fee_min, p_fee_max, p_returns_fee, p_tip_percent_max)
        on conflict (tenant_id, id) do update
       set name = excluded.name, fee_ppm = excluded.fee_ppm, fee_fixed = excluded.fee_fixed,
           fee_min = excluded.fee_min, fee_max = excluded.fee_max, returns_fee = excluded.returns_fee,
           tip_percent_max = excluded.tip_percent_max, updated_at = now()
    returning to_jsonb(terms) into v_after;
    perform note_change(p_tenant, p_asked_by, 'terms', p_id::text, v_before, v_after);
end
$$;
alter function set_terms owner to payhub_ledger;
revoke all on function set_terms from public;
grant execute on function set_terms to payhub_app;

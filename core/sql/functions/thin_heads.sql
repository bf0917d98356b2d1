-- Takes away, of the heads that are older than an hour, all but the last of each half of a minute (which is what every
-- place outside is given) and those that a witness cosigned. The newest head of a log always stays. How many heads were
-- looked at, p_limit of each log at the most.
create or replace function thin_heads(p_limit int)
returns bigint
language plpgsql volatile security definer
set search_path = payhub, pg_temp
set enable_seqscan = off
as $$
declare
    c_kept    constant interval := '1 hour';
    c_stride  constant interval := '30 seconds';            -- core.proof.anchors.STRIDE
    c_origin  constant timestamptz := '2000-01-01 00:00:00Z'; -- as in find_unanchored
    c_before  constant timestamptz := clock_timestamp() - c_kept;
    v_tenant  int;
    v_looked  bigint;
    v_to      bigint;
    v_count   bigint := 0;
begin
    for v_tenant in select 0 union all select tenants.id from tenants loop
        with next as materialized (
            select size, sealed_at, lead(sealed_at) over (order by size) as next_at
              from (select log_heads.size, log_heads.sealed_at
                      from log_heads
                     where log_heads.tenant_id = v_tenant
                       and log_heads.size > coalesce(
                               (select thinned_logs.size from thinned_logs where thinned_logs.tenant_id = v_tenant), 0
                           )
                     order by log_heads.size
                     limit p_limit) as few
        ), old as materialized (
            select size, sealed_at, next_at from next where sealed_at < c_before and next_at is not null
        ), gone as (
            delete from log_heads
             using old
             where log_heads.tenant_id = v_tenant and log_heads.size = old.size
               -- A place is given what was signed up to a round moment, the moment itself included.
               and date_bin(c_stride, old.sealed_at - interval '1 microsecond', c_origin)
                 = date_bin(c_stride, old.next_at - interval '1 microsecond', c_origin)
               and not exists (
                   select from cosignatures where cosignatures.tenant_id = v_tenant and cosignatures.size = old.size
               )
        )
        select count(*), max(size) into v_looked, v_to from old;
        if v_looked > 0 then
            insert into thinned_logs (tenant_id, size)
            values (v_tenant, v_to)
                on conflict (tenant_id) do update set size = excluded.size;
            v_count := v_count + v_looked;
        end if;
    end loop;
    return v_count;
end
$$;
alter function thin_heads owner to payhub_thinner;
revoke all on function thin_heads from public;
grant execute on function thin_heads to payhub_app;

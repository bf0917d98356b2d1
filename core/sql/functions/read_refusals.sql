-- Payments out of an account that were refused, newest first, before a moment and id: at most p_limit with this status,
-- out of at most p_look_max that are looked at. The last row may have no status: it only says how far it was looked, and
-- the next page goes on there.
drop function if exists read_refusals(int, bigint, timestamptz, uuid, smallint, int, int);
create or replace function read_refusals(
    p_tenant    int,
    p_payer     bigint,
    p_before    timestamptz,
    p_before_id uuid,
    p_status    smallint,
    p_limit     int,
    p_look_max  int
) returns table (
    id uuid, status smallint, kind smallint, payee bigint, amount bigint, judged_at_us bigint, description text,
    subject uuid, rule int, description_sealed bytea, asked_by uuid
)
language plpgsql volatile security invoker
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    return query
    with looked as (
        select payments.*, row_number() over (order by payments.judged_at desc, payments.id desc) as place
          from payments
         where payments.tenant_id = p_tenant and payments.payer = p_payer and payments.payer_version is null
           and payments.payer is not null
           and (payments.judged_at, payments.id)
             < (coalesce(p_before, 'infinity'), coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
         order by payments.judged_at desc, payments.id desc
         limit p_look_max
    ), fitting as (
        select looked.* from looked where p_status is null or looked.status = p_status order by looked.place limit p_limit
    ), shown as (
        select fitting.id, fitting.status, fitting.kind, fitting.payee, fitting.amount, fitting.judged_at,
               fitting.description, fitting.subject, fitting.rule, fitting.place, fitting.description_sealed,
               fitting.asked_by
          from fitting
        union all
        -- Looked as far as it is allowed, and the page is not full.
        select looked.id, null, null, null, null, looked.judged_at, null, null, null, looked.place + 1,
               null, null
          from looked
         where looked.place = p_look_max and (select count(*) from fitting) < p_limit
    )
    select shown.id, shown.status, shown.kind, shown.payee, shown.amount,
           (extract(epoch from shown.judged_at) * 1000000)::bigint, shown.description, shown.subject, shown.rule,
           shown.description_sealed, shown.asked_by
      from shown
     order by shown.place;
end
$$;
alter function read_refusals owner to payhub_owner;
revoke all on function read_refusals from public;
grant execute on function read_refusals to payhub_app;

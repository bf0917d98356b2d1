-- Follows the logs that a sink is to be told of and that it does not follow yet, and says so in their trails; p_slugs null:
-- all tenants'. Returns how many. What was before the sink is told by a replay; of a tenant that was opened after it,
-- everything is told.
create or replace function begin_sink(p_sink text, p_slugs text[])
returns int
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_begun timestamptz;
    v_tenant int;
    v_count int := 0;
begin
    insert into sink_cursors (tenant_id, sink, number, due_at)
    values (0, p_sink, 0, 'infinity')
        on conflict do nothing;
    select sink_cursors.made_at into v_begun from sink_cursors where tenant_id = 0 and sink = p_sink;
    for v_tenant in
        insert into sink_cursors (tenant_id, sink, number)
        select tenants.id, p_sink,
               -- A tenant is a little older than the moment at which it can be seen.
               case when tenants.created_at > v_begun - interval '1 minute' then 0 else log.size end
          from tenants
         cross join lateral (
              select coalesce(max(log_leaves.number) + 1, 0) as size
                from log_leaves
               where log_leaves.tenant_id = tenants.id
         ) log
         where (p_slugs is null or tenants.slug = any (p_slugs))
           and not exists (select from sink_cursors as known where known.tenant_id = tenants.id and known.sink = p_sink)
        on conflict do nothing
        returning tenant_id
    loop
        v_count := v_count + 1;
        perform note_audit(v_tenant, 'sink.begun', null, p_sink, null, null, null, null);
    end loop;
    return v_count;
end
$$;
alter function begin_sink owner to payhub_ledger;
revoke all on function begin_sink from public;
grant execute on function begin_sink to payhub_app;

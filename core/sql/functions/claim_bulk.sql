-- Takes the approved bulk that has waited longest, for the rest of the caller's transaction; all tenants together.
-- Any number of workers may call it at once: each bulk is one worker's. The lock is an advisory one and not the
-- row's, so that the progress of a long transaction can be written from beside it; it ends with the transaction,
-- and with a worker that is killed.
create or replace function claim_bulk()
returns table (
    tenant_id int, id uuid, seed uuid, is_atomic boolean, maker uuid, session_at bigint, lines int, through int
)
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_waiting record;
begin
    for v_waiting in
        select bulks.tenant_id, bulks.id
          from bulks
         where bulks.status in (2, 3)
         order by bulks.touched_at
         limit 100
    loop
        if pg_try_advisory_xact_lock(hashtextextended('bulk ' || v_waiting.tenant_id || ' ' || v_waiting.id, 0)) then
            -- As it stands now: whoever had the lock before may have ended it.
            return query
            select bulks.tenant_id, bulks.id, bulks.seed, bulks.is_atomic, bulks.maker, bulks.session_at, bulks.lines,
                   bulks.through
              from bulks
             where bulks.tenant_id = v_waiting.tenant_id and bulks.id = v_waiting.id and bulks.status in (2, 3);
            if found then
                return;
            end if;
        end if;
    end loop;
end
$$;
alter function claim_bulk owner to payhub_ledger;
revoke all on function claim_bulk from public;
grant execute on function claim_bulk to payhub_app;

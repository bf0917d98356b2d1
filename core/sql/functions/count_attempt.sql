-- Counts an attempt as failed, before anybody looks at it, under every key that it falls under; or refuses it without a
-- look. Gives 0, or the seconds to wait. Attempts that come at once wait for one another here, so that a thousand of
-- them are a thousand and not one.
--
-- A failure is forgotten every p_forget_s seconds. Above p_free that are not, each doubles the wait, from p_first_s up to
-- p_max_s. p_now is null except in tests.
create or replace function count_attempt(
    p_tenant     int,
    p_kinds      smallint[],
    p_keys       bytea[],
    p_free       double precision[],
    p_forget_s   double precision[],
    p_first_s    double precision[],
    p_max_s      double precision[],
    p_now        timestamptz
) returns double precision
language plpgsql volatile security invoker
as $$
declare
    v_now   timestamptz := coalesce(p_now, clock_timestamp());
    v_wait  double precision := 0;
    v_level double precision;
    v_row   record;
    v_key   record;
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    insert into throttles (tenant_id, kind, key, level, at)
    select p_tenant, asked.kind, asked.key, 0, v_now
      from unnest(p_kinds, p_keys) as asked (kind, key)
     order by asked.kind, asked.key
        on conflict do nothing;

    -- All of them locked, in one order, before any is judged.
    for v_row in
        select throttles.blocked_until
          from unnest(p_kinds, p_keys) as asked (kind, key)
          join throttles on throttles.tenant_id = p_tenant and throttles.kind = asked.kind and throttles.key = asked.key
         order by throttles.kind, throttles.key
           for update of throttles
    loop
        if v_row.blocked_until > v_now then
            v_wait := greatest(v_wait, extract(epoch from v_row.blocked_until - v_now));
        end if;
    end loop;
    if v_wait > 0 then
        return v_wait;
    end if;

    for v_key in
        select * from unnest(p_kinds, p_keys, p_free, p_forget_s, p_first_s, p_max_s)
            as asked (kind, key, free, forget_s, first_s, max_s)
    loop
        select greatest(0, throttles.level - extract(epoch from v_now - throttles.at) / v_key.forget_s) + 1
          into v_level
          from throttles
         where throttles.tenant_id = p_tenant and throttles.kind = v_key.kind and throttles.key = v_key.key;
        update throttles
           set level = v_level,
               at = v_now,
               blocked_until = case
                   -- Rounded: what was forgotten of ten failures within a minute does not make an eleventh free.
                   when round(v_level) >= v_key.free
                   then v_now + make_interval(
                       secs => least(v_key.max_s, v_key.first_s * 2 ^ least(round(v_level) - v_key.free, 60))
                   )
               end
         where throttles.tenant_id = p_tenant and throttles.kind = v_key.kind and throttles.key = v_key.key;
    end loop;
    return 0;
end
$$;
alter function count_attempt owner to payhub_owner;
revoke all on function count_attempt from public;
grant execute on function count_attempt to payhub_app;

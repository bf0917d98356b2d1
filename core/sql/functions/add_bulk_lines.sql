-- Takes the next lines of a bulk that is being received: the first of them has the number p_first. Accounts are
-- looked up here; everything else about a line was checked before. Returns nothing unless the bulk is still being
-- received, by this attempt, and p_first is its next number.
drop function if exists add_bulk_lines(
    int, uuid, int, int, bigint[], bigint[], bigint[], text[], text[], text[], text[], bytea
);
create or replace function add_bulk_lines(
    p_tenant        int,
    p_bulk          uuid,
    p_attempt       int,
    p_first         int,
    p_payers        bigint[],     -- null: the bulk's own account
    p_payees        bigint[],
    p_amounts       bigint[],
    p_descriptions  text[],       -- null, like the next: they are sealed (p_sealed)
    p_references    text[],
    p_codes         text[],       -- null: nothing wrong so far
    p_fields        text[],
    p_digest        bytea,        -- null: it comes at the end
    p_hashes        bytea[] default null,   -- of the references
    p_person        uuid default null,      -- whose key sealed what the lines say
    p_sealed        bytea default null
) returns table (lines int, good int)
language plpgsql volatile security invoker
set search_path = payhub, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_account  bigint;
    v_lines    int;
    v_good     int;
    v_amount   bigint;
    v_good_amount bigint;
begin
    perform set_config('payhub.tenant_id', p_tenant::text, true);
    select bulks.account into v_account
      from bulks
     where bulks.tenant_id = p_tenant and bulks.id = p_bulk
       and bulks.status = 0 and bulks.attempt = p_attempt and bulks.lines + 1 = p_first
       for no key update;
    if not found then
        return;
    end if;

    with added as (
        insert into bulk_lines (
            tenant_id, bulk_id, number, payer, payee, amount, description, reference, reference_hash, code, field
        )
        select p_tenant, p_bulk, p_first - 1 + line.at, coalesce(line.payer, v_account), line.payee, line.amount,
               line.description, line.reference, line.reference_hash, coalesce(line.code, wrong.code),
               case when line.code is null then wrong.field else line.field end
          from unnest(p_payers, p_payees, p_amounts, p_descriptions, p_references, p_hashes, p_codes, p_fields)
               with ordinality as line (payer, payee, amount, description, reference, reference_hash, code, field, at)
          left join lateral (
              select true as is_there from accounts
               where accounts.tenant_id = p_tenant and accounts.id = line.payee
              offset 0
          ) payee on true
          left join lateral (
              select true as is_there from accounts
               where accounts.tenant_id = p_tenant and accounts.id = line.payer
              offset 0
          ) payer on true
         cross join lateral (
              select case when payee.is_there is null then 'account_not_found'
                          when line.payer is not null and payer.is_there is null then 'account_not_found'
                          when line.payee = coalesce(line.payer, v_account) then 'accounts_must_differ' end as code,
                     case when payee.is_there is null then 'payee'
                          when line.payer is not null and payer.is_there is null then 'payer'
                          when line.payee = coalesce(line.payer, v_account) then 'payee' end as field
         ) wrong
        returning bulk_lines.code, bulk_lines.amount
    )
    select count(*), count(*) filter (where added.code is null), coalesce(sum(added.amount), 0),
           coalesce(sum(added.amount) filter (where added.code is null), 0)
      into v_lines, v_good, v_amount, v_good_amount
      from added;

    if p_sealed is not null then
        insert into bulk_words (tenant_id, bulk_id, first, length, person_id, sealed)
        values (p_tenant, p_bulk, p_first, v_lines, p_person, p_sealed);
    end if;

    return query
    update bulks
       set lines = bulks.lines + v_lines, good = bulks.good + v_good, amount = bulks.amount + v_amount,
           good_amount = bulks.good_amount + v_good_amount, digest = coalesce(p_digest, bulks.digest)
     where bulks.tenant_id = p_tenant and bulks.id = p_bulk
    returning bulks.lines, bulks.good;
end
$$;
alter function add_bulk_lines owner to payhub_owner;
revoke all on function add_bulk_lines from public;
grant execute on function add_bulk_lines to payhub_app;

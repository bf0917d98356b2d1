"""The catalogue gate: no table, view, function or role lets one tenant's row through to another.

`find_holes` reads PostgreSQL's own catalogue. Each kind of hole is also planted, to prove that it is found.
"""

import uuid

import asyncpg
import pytest

from core.database import Pool, in_tenant
from core.ledger.posting import post_payments
from core.people.opening import Tenant
from tests.conftest import Books, Database

# Functions that run with more than the caller's rights, each with the reason why that is no hole.
DEFINERS = {
    "post_payments": "a batch holds several tenants; accounts are matched by (tenant, id) pair by pair",
    "settle_payments": "fences ids, which the caller may not insert itself; works on the tenant it is given",
    "read_versions": "numbers of followed accounts, matched pair by pair",
    "acknowledge": "gathers many tenants' acknowledgements; writes the tenant it is given",
    "note_unheard": "workers empty all tenants' outbox; returns counts alone",
    "climb_notices": "workers let all tenants' notices climb; returns counts alone",
    "claim_deliveries": "workers hand over for all tenants; each row is one tenant's, and goes to that tenant's people",
    "settle_deliveries": "workers settle what they claimed, by tenant, id and try; returns a count alone",
    "retry_deliveries": "sends again what was set aside in the tenant it is given; returns its ids",
    "read_deliveries_state": "workers count all tenants' deliveries; returns figures of all together",
    "forget_told": "workers clean all tenants' deliveries and notices; returns a count alone",
    "spread_news": "workers leave all tenants' news for those who agreed to them; returns a count alone",
    "stop_news": "the caller may not change notices itself; marks one person's in the tenant it is given",
    "hear_notices": "the caller may not change notices itself; marks one person's in the tenant it is given",
    "warn_of_holds": "workers look at all tenants' holds, and leave each payee a notice; returns a count alone",
    "bounce_delivery": "marks the mail that a signed return path names, in the tenant it is given; tells a boolean",
    "hear_delivery": "marks what one delivery told, by a key that only its receiver has; returns whose it was",
    "find_rung": "a hub asks for all whom it serves; returns ids and numbers, and no notice",
    "forget_heard": "workers clean all tenants' notices; returns a count alone",
    "forget_sessions": "workers clean all tenants' sessions; returns a count alone",
    "read_outbox_state": "totals for operators; no tenant's own figures",
    "find_unbalanced_tenants": "returns only tenants whose books are broken",
    "find_tenant": "slug to tenant, before a tenant can be named",
    "find_revoked": "ended sessions among those given, matched pair by pair",
    "open_accounts": "the caller may not write accounts itself; works on the tenant it is given",
    "set_floor": "the caller may not write accounts itself; works on the tenant it is given",
    "rotate_refresh_token": "works on the tenant it is given",
    "claim_due_schedules": "workers claim all tenants' due schedules, in the transaction that pays them",
    "advance_schedules": "writes the schedules that were claimed, matched pair by pair",
    "put_off_schedules": "lets claimed schedules wait, matched pair by pair",
    "find_expired_holds": "workers find all tenants' expired holds; what is done with them is a payment's judgement",
    "set_terms": "the caller may not write terms itself; works on the tenant it is given",
    "put_under_terms": "the caller may not write accounts itself; works on the tenant it is given",
    "set_limits": "the caller may not write limits itself; works on the tenant it is given",
    "set_rule": "the caller may not write rules itself; works on the tenant it is given",
    "put_under_limits": "the caller may not write accounts itself; works on the tenant it is given",
    "set_own_limit": "the caller may not write limits itself; works on the tenant and the account it is given",
    "list_payee": "the caller may not write payees itself; works on the tenant and the account it is given",
    "cancel_charge": "the caller may not change charges itself; works on the tenant and the charge it is given",
    "create_tenant": "the administrator's alone",
    "claim_bulk": "workers post all tenants' bulks; a worker reads the rest with the tenant named",
    "lock_bulk_accounts": "the caller may not lock accounts itself; works on the tenant it is given, and tells nothing",
    "read_bulk_progress": "counts of watched bulks, matched pair by pair",
    "note_audit": "the caller may not write the trail itself; adds to the tenant it is given, and tells nothing",
    "forget_pairing_codes": "workers clean all tenants' codes; returns a count alone",
    "forget_spent": "workers clean all tenants' used nonces; returns a count alone",
    "note_key_events": "the caller may not write the trail itself; adds what the database of keys tells, pair by pair",
    "list_erased_persons": "at a start, all tenants' erased persons; returns ids alone",
    "find_unerased": "erased persons among those given, matched pair by pair",
    "touch_sessions": "a hub gathers many tenants' sessions; matched pair by pair, returns a count alone",
    "set_security": "the caller may not write these settings itself; works on the tenant it is given",
    "read_security": "settings of the tenants that a hub serves, matched one by one",
    "forget_tickets": "workers clean all tenants' tickets and challenges; returns a count alone",
    "forget_throttles": "workers clean all tenants' counts; returns a count alone",
    "read_proof_salts": "a hub signs batches of many tenants; what blinds commitments, matched tenant by tenant",
    "note_roots": "the caller may not write what waits for the log; roots of batches, matched pair by pair",
    "find_unlogged": "workers make all tenants' logs grow; returns tenants alone",
    "claim_unlogged": "the caller may not look at what waits for the log; works on the tenant it is given",
    "grow_log": "the caller may not write the log itself; works on the tenant it is given",
    "set_person_status": "the caller may not write accounts or statuses itself; works on the tenant it is given",
    "set_person_role": "the caller may not write roles itself; works on the tenant it is given",
    "set_people_settings": "the caller may not write settings or accounts itself; works on the tenant it is given",
    "read_quotas": "what the tenants that a hub serves may ask of it; returns their quotas alone",
    "find_restood": "how live sessions' persons stand, matched pair by pair",
    "leave_notice": "the caller may not write notices itself; leaves one in the tenant it is given, and tells nothing",
    "forget_person": "the caller may not change a person's fields itself; works on the tenant it is given",
    "forget_late": "workers clean all tenants' notices and codes; returns a count alone",
    "find_unanchored": "workers bring all tenants' heads to the places outside; signed roots, and no tenant's figures",
    "find_shortened": "workers look after all tenants' logs; returns tenants and counts of leaves alone",
    "note_anchors": "the caller may not write anchors itself; what a place took, matched pair by pair",
    "note_anchor_refusal": "the caller may not write refusals itself; works on the tenant it is given",
    "thin_heads": "workers thin all tenants' heads; returns a count alone",
    "claim_export": "workers make all tenants' exports; returns ids alone, and a worker names the tenant for the rest",
    "read_export_progress": "counts of watched exports, matched pair by pair",
    "find_expired_exports": "workers remove all tenants' old exports; returns ids alone",
    "count_untold_incidents": "how many incidents wait to be told of, for operators; counts alone",
    "count_due_requests": "how many requests are due, for operators; counts alone",
    "close_person": "the caller may not write persons and accounts itself; works on the tenant and the person it is given",
    "find_due_erasures": "workers finish all tenants' erasures; returns ids alone",
    "find_old_requests": "workers empty all tenants' old requests; returns tenants alone",
    "wake_webhooks": "workers look which accounts of all tenants moved; returns a count alone",
    "spread_webhooks": "webhooks of all tenants follow new accounts of their merchants; returns a count alone",
    "claim_webhooks": "workers bring all tenants' webhooks; what a merchant says of one is sealed under their key",
    "settle_webhook": "the caller may not write attempts itself; works on the tenant and the claim it is given",
    "forget_webhook_attempts": "workers clean all tenants' attempts; returns a count alone",
    "begin_sink": "workers follow all tenants' logs for an operator's sink; returns a count alone",
    "claim_sink": "workers tell all tenants' logs to an operator's sink; a worker reads each with its tenant named",
    "settle_sink": "the caller may not write how far a sink is; works on the tenant and the claim it is given",
    "read_sinks": "how far operators' sinks are with all tenants' logs; slugs, counts of leaves and moments",
    "replay_sink": "the administrator's alone",
    "forget_sink": "the administrator's alone",
    "find_due_disputes": "workers keep all tenants' clocks; returns ids alone",
}
# Not a tenant's: the list of tenants itself (walled by id), the instance's keys, the migrations' memory.
INSTANCE_TABLES = {"tenants", "signing_keys", "applied_files"}
SERVING_ROLE = "payhub_app"
# What payhub_thinner may look at, for its one function.
THINNED = {"tenants", "log_heads", "cosignatures", "thinned_logs"}

TABLES = """
select c.relname as name, c.relkind::text as kind, c.relrowsecurity as walled, c.relforcerowsecurity as forced,
       coalesce(c.reloptions::text, '') as options, pg_get_userbyid(c.relowner) as owner,
       has_table_privilege('payhub_app', c.oid, 'select,insert,update,delete,truncate') as reachable,
       (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnum > 0) as tenanted
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname in ('payhub', 'public') and c.relkind in ('r', 'p', 'v', 'm', 'f')
"""
POLICIES = """
select tablename, policyname, permissive, roles::text[] as roles, coalesce(qual, '') as using_, coalesce(with_check, '') as check_
  from pg_policies where schemaname = 'payhub'
"""
FUNCTIONS = """
select p.proname as name, p.prosecdef as definer, coalesce(p.proconfig::text, '') as config,
       has_function_privilege('payhub_app', p.oid, 'execute') as reachable,
       exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0) as public_
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where n.nspname in ('payhub', 'public')
"""
KEYS = """
select c.relname as "table", i.relname as name,
       (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum = x.indkey[0]) as first_column
  from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'payhub' and x.indisunique and c.relkind = 'r'
"""
ROLE = """
select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as powerful,
       exists (select from pg_auth_members m where m.member = r.oid) as member_of_another,
       exists (select from pg_class c where c.relowner = r.oid) or exists (select from pg_proc p where p.proowner = r.oid) as owner,
       has_schema_privilege(r.oid, 'payhub', 'create') or has_schema_privilege(r.oid, 'public', 'create') as creates
  from pg_roles r where rolname = 'payhub_app'
"""
# The books are written by functions alone.
READ_ONLY = (
    "accounts",
    "terms",
    "payments",
    "standings",
    "shares",
    "charges",
    "limits",
    "rules",
    "security_settings",
    "own_limits",
    "payees",
    "usages",
    "decisions",
    "audit_entries",
    "erased_persons",
    "people_settings",
    "role_requests",
    "outbox",
    "acknowledgements",
    "notices",
    "tenants",
    "signing_keys",
)


async def find_holes(connection: asyncpg.Connection) -> set[str]:
    """Every hole in the wall, by name. Empty is the only good answer."""
    holes: set[str] = set()
    wall = "current_setting('payhub.tenant_id'"
    policies = await connection.fetch(POLICIES)
    for table in await connection.fetch(TABLES):
        name, kind = table["name"], table["kind"]
        if kind == "m":
            holes.add(f"materialized view {name}")
        elif kind == "v":
            if table["reachable"] and "security_invoker=true" not in table["options"]:
                holes.add(f"view {name} runs as its owner")
        elif name not in INSTANCE_TABLES or name == "tenants":
            own = [policy for policy in policies if policy["tablename"] == name]
            if not table["walled"] or not table["forced"]:
                holes.add(f"table {name} has no forced wall")
            if not table["tenanted"] and name != "tenants":
                holes.add(f"table {name} has no tenant")
            app = [policy for policy in own if SERVING_ROLE in policy["roles"] or "public" in policy["roles"]]
            if len(app) != 1 or wall not in app[0]["using_"] or (wall not in app[0]["check_"] and name != "tenants"):
                holes.add(f"table {name} lets the serving role past its wall")
            for policy in own:
                allowed = {SERVING_ROLE, "payhub_ledger", *({"payhub_thinner"} if name in THINNED else ())}
                if not set(policy["roles"]) <= allowed:
                    holes.add(f"policy {policy['policyname']} on {name} is for {policy['roles']}")
        if table["owner"] == SERVING_ROLE:
            holes.add(f"the serving role owns {name}")
    for function in await connection.fetch(FUNCTIONS):
        if function["public_"]:
            holes.add(f"function {function['name']} is everybody's")
        if function["definer"] and function["name"] not in DEFINERS:
            holes.add(f"function {function['name']} runs with its owner's rights")
        if function["definer"] and "search_path=payhub, pg_temp" not in function["config"]:
            holes.add(f"function {function['name']} has an open search path")
    for key in await connection.fetch(KEYS):
        if key["table"] not in INSTANCE_TABLES and key["first_column"] != "tenant_id":
            holes.add(f"unique key {key['name']} does not start with the tenant")
    for book in READ_ONLY:
        if await connection.fetchval(
            "select has_table_privilege('payhub_app', $1, 'insert,update,delete,truncate')", f"payhub.{book}"
        ):
            holes.add(f"the serving role writes {book}")
    role = await connection.fetchrow(ROLE)
    assert role is not None
    holes.update(f"the serving role: {fault}" for fault, has in dict(role).items() if has)
    return holes


async def test_the_wall_has_no_hole(admin: Pool) -> None:
    async with admin.acquire() as connection:
        assert await find_holes(connection) == set()  # type: ignore[arg-type]


PLANTED = {
    "a table without a wall": "create table payhub.loot (tenant_id int primary key); grant select on payhub.loot to payhub_app",
    "a wall that is not forced": "alter table payhub.payments no force row level security",
    "a wall that is switched off": "alter table payhub.accounts disable row level security",
    "a second, permissive policy": "create policy open_door on payhub.accounts for select to payhub_app using (true)",
    "a policy for the thinner of heads": "create policy open_door on payhub.payments for select to payhub_thinner using (true)",
    "a policy for everybody": "create policy open_door on payhub.profiles for select to public using (true)",
    "a wall without a check": "drop policy tenant_wall on payhub.persons; create policy tenant_wall on payhub.persons for all"
    " to payhub_app using (tenant_id = nullif(current_setting('payhub.tenant_id', true), '')::int) with check (true)",
    "a view that runs as its owner": "create view payhub.peek as select * from payhub.accounts;"
    " grant select on payhub.peek to payhub_app",
    "a materialized view": "create materialized view payhub.copy as select * from payhub.accounts",
    "a function with its owner's rights": "create function payhub.all_accounts() returns setof payhub.accounts language sql"
    " security definer set search_path = payhub, pg_temp as 'select * from accounts';"
    " revoke all on function payhub.all_accounts from public; grant execute on function payhub.all_accounts to payhub_app",
    "a function with an open search path": "alter function payhub.set_floor reset search_path",
    "a function that is everybody's": "create function payhub.hello() returns int language sql as 'select 1'",
    "a global key": "create unique index one_session on payhub.sessions (id)",
    "a powerful serving role": "alter role payhub_app bypassrls",
    "a serving role that is in another": "grant payhub_ledger to payhub_app",
    "a serving role that owns": "grant create on schema payhub to payhub_app; alter table payhub.notices owner to payhub_app",
    "a serving role that writes the books": "grant update on payhub.accounts to payhub_app",
}


@pytest.mark.parametrize("hole", PLANTED)
async def test_a_planted_hole_is_found(admin: Pool, hole: str) -> None:
    async with admin.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(PLANTED[hole])
            assert await find_holes(connection) != set()  # type: ignore[arg-type]
        finally:
            await transaction.rollback()


async def test_without_a_tenant_nothing_is_seen_and_nothing_written(books: Books, pool: Pool) -> None:
    async with pool.acquire() as connection:
        for table in (
            "accounts",
            "payments",
            "entries",
            "outbox",
            "persons",
            "profiles",
            "credentials",
            "sessions",
            "tenants",
        ):
            assert await connection.fetchval(f"select count(*) from {table}") == 0, table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "insert into persons (tenant_id, id, role) values ($1, $2, 0)", books.tenant.id, uuid.uuid4()
            )


async def test_a_tenant_sees_its_own_rows_and_no_others(books: Books, other_tenant: Tenant, pool: Pool) -> None:
    async with in_tenant(pool, other_tenant.id) as connection:
        assert await connection.fetchval("select count(*) from accounts where tenant_id = $1", books.tenant.id) == 0
        assert {row[0] for row in await connection.fetch("select distinct tenant_id from accounts")} == {
            other_tenant.id
        }
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "insert into persons (tenant_id, id, role) values ($1, $2, 0)", books.tenant.id, uuid.uuid4()
            )


async def test_the_tenant_of_one_transaction_is_gone_in_the_next(books: Books, database: Database) -> None:
    pool = await asyncpg.create_pool(
        database.app_url, min_size=1, max_size=1, server_settings={"search_path": "payhub"}
    )
    try:
        async with in_tenant(pool, books.tenant.id) as connection:
            assert await connection.fetchval("select count(*) from accounts") > 0
        async with pool.acquire() as connection:
            assert await connection.fetchval("select count(*) from accounts") == 0
            # Reading functions name their tenant for their own statement only.
            await connection.fetch("select * from read_account($1, $2)", books.tenant.id, books.account(0))
            assert await connection.fetchval("select count(*) from accounts") == 0
    finally:
        await pool.close()


@pytest.mark.parametrize(
    "statement",
    [
        "update accounts set balance = balance + 1",
        "delete from payments",
        "truncate payments",
        "insert into outbox (tenant_id, payment_ids, account_ids) values (1, '{}', '{}')",
        "alter table accounts disable row level security",
        "set role payhub_ledger",
        "set session authorization postgres",
        "create table payhub.mine (id int)",
        "select payhub.create_tenant('x-y', 'x', 'BRL', 'UTC', '{}', 0)",
    ],
)
async def test_the_serving_role_is_refused(pool: Pool, statement: str) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_posting_into_another_tenant_by_a_mixed_batch_is_not_possible(
    books: Books, other_tenant: Tenant, open_books: object, pool: Pool
) -> None:
    others = await open_books(other_tenant, people=1, funds=500)  # type: ignore[operator]
    mixed = books.payment(0, 1, 10)._replace(payee=others.account(0))
    async with pool.acquire() as connection:
        answers = await post_payments(connection, [mixed, others.payment(-1, 0, 5)])
    assert [answer.status for answer in answers] == [41, 0]

"""The database of keys: nobody but its own role gets in, who sees one tenant's rows and writes none by hand."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from core.database import Pool, open_pool
from core.keys.safe import Safe
from core.keys.store import SQL
from core.migrate import files
from core.people.opening import Tenant
from tests.conftest import Database
from tests.core.keys.weather import somebody

TABLES = {"tenant_keys", "holders", "person_keys", "key_events"}
# With more than the caller's rights, which may write nothing by itself, each with the reason why that is no hole.
DEFINERS = {
    "put_tenant_key": "works on the tenant it is given",
    "rewrap_tenant_key": "works on the tenant it is given",
    "replace_tenant_key": "works on the tenant it is given",
    "drop_tenant_key": "works on the tenant it is given, and on keys that wrap nothing",
    "put_person_keys": "works on the tenant it is given",
    "add_person_keys": "works on the tenant it is given",
    "switch_person_keys": "works on the tenant it is given",
    "rewrap_person_keys": "works on the tenant it is given",
    "drop_person_keys": "works on the tenant it is given, and never on the key that seals",
    "destroy_person_keys": "after a restore, of all tenants; matched pair by pair",
    "take_key_events": "all tenants' notes for the trail, which hold ids alone",
    "drop_key_events": "notes that were taken, matched pair by pair",
    "find_undestroyed": "persons among those given, matched pair by pair",
    "list_destroyed": "at a start, all tenants' destroyed keys; returns ids and times alone",
    "list_tenant_keys": "what a rotation of the master key goes through; returns ids alone",
}


@pytest_asyncio.fixture
async def app(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.keys_url, size_max=1, name="payhub-tests")
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def keys_admin(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.keys_admin_url, size_max=1, name="payhub-tests")
    yield pool
    await pool.close()


def test_a_function_file_holds_one_function_of_its_own_name() -> None:
    for name, text, _ in files(SQL):
        if name.startswith("functions/"):
            stem = name.removeprefix("functions/").removesuffix(".sql")
            assert text.count("create or replace function") == 1, name
            assert f"create or replace function {stem}(" in text, name
            assert f"revoke all on function {stem} from public" in text, name


async def test_every_table_has_a_forced_wall_and_a_key_that_starts_with_the_tenant(keys_admin: Pool) -> None:
    rows = await keys_admin.fetch(
        """
        select c.relname, c.relrowsecurity and c.relforcerowsecurity as walled, pg_get_userbyid(c.relowner) as owner,
               (select count(*) from pg_policies where tablename = c.relname and 'payhub_keys_app' = any (roles)
                   and qual like '%payhub.tenant_id%' and with_check like '%payhub.tenant_id%') as walls,
               (select count(*) from pg_policies where tablename = c.relname) as policies
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('payhub', 'public') and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname <> 'applied_files'
        """
    )
    assert {row["relname"] for row in rows} == TABLES
    for row in rows:
        assert row["walled"], row
        assert row["owner"] == "payhub_keys_owner"
        assert (row["walls"], row["policies"]) == (1, 2), row
    keys = await keys_admin.fetch(
        """
        select i.relname, (select a.attname from pg_attribute a where a.attrelid = x.indrelid and a.attnum = x.indkey[0]) as first
          from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
         where n.nspname = 'payhub' and x.indisunique and i.relname <> 'applied_files_pkey'
        """
    )
    assert {row["first"] for row in keys} == {"tenant_id"}


async def test_only_listed_functions_run_with_more_rights_and_none_is_everybodys(keys_admin: Pool) -> None:
    rows = await keys_admin.fetch(
        """
        select p.proname, p.prosecdef, coalesce(p.proconfig::text, '') as config,
               exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0) as public_
          from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('payhub', 'public')
        """
    )
    assert {row["proname"] for row in rows if row["prosecdef"]} == DEFINERS.keys()
    assert not [row["proname"] for row in rows if row["public_"] or "search_path=payhub, pg_temp" not in row["config"]]


async def test_the_serving_role_is_no_more_than_it_needs_to_be(keys_admin: Pool) -> None:
    role = await keys_admin.fetchrow(
        """
        select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as powerful,
               exists (select from pg_auth_members m where m.member = r.oid) as member,
               exists (select from pg_class c where c.relowner = r.oid) as owns,
               has_schema_privilege(r.oid, 'payhub', 'create') or has_schema_privilege(r.oid, 'public', 'create') as creates
          from pg_roles r where rolname = 'payhub_keys_app'
        """
    )
    assert not any(role.values())  # type: ignore[union-attr]
    for table in TABLES:
        assert not await keys_admin.fetchval(
            "select has_table_privilege('payhub_keys_app', $1, 'insert,update,delete,truncate,references,trigger')",
            f"payhub.{table}",
        )


async def test_whoever_serves_the_ledger_does_not_get_in(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await asyncpg.connect(database.keys_url.replace("payhub_keys_app@", "payhub_app@"))


async def test_a_tenant_sees_its_own_keys_and_no_others(
    keys: Safe, app: Pool, tenant: Tenant, other_tenant: Tenant
) -> None:
    await keys.one(tenant.id, somebody(), create=True)
    await keys.one(other_tenant.id, somebody(), create=True)
    async with app.acquire() as connection:
        for table in TABLES - {"key_events"}:
            assert await connection.fetchval(f"select count(*) from {table}") == 0
        async with connection.transaction():
            await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant.id))
            for table in TABLES - {"key_events"}:
                found = await connection.fetch(f"select distinct tenant_id from {table}")
                assert [row[0] for row in found] == [tenant.id]
        await connection.fetch("select * from read_person_keys($1, $2)", tenant.id, [somebody()])
        assert await connection.fetchval("select count(*) from tenant_keys") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update holders set destroyed_at = null",
        "delete from holders",
        "delete from person_keys",
        "insert into person_keys values (1, gen_random_uuid(), 1, '', gen_random_uuid())",
        "update tenant_keys set wrapped = ''",
        "select * from key_events",
        "truncate tenant_keys",
        "set role payhub_keys_keeper",
        "alter table holders disable row level security",
        "create table payhub.mine (id int)",
    ],
)
async def test_the_serving_role_is_refused(app: Pool, statement: str) -> None:
    async with app.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)

"""The audit trail: with what it tells of or not at all, in its tenant, and never changed by anybody."""

import uuid

import asyncpg
import pytest

from core.audit.trail import Act, By, note, read_trail
from core.database import Pool, acquire, in_tenant
from core.ledger.posting import post_payments
from core.people.opening import Tenant
from tests.conftest import Books

ANA = By(str(uuid.uuid4()), str(uuid.uuid4()), "192.0.2.0/24")


async def test_an_entry_is_there_if_and_only_if_what_it_tells_of_is(pool: Pool, tenant: Tenant) -> None:
    async with in_tenant(pool, tenant.id) as connection:
        await note(connection, tenant.id, ANA, Act.SESSION_STARTED, "a phone", "because", {"door": "web"})

    async def fail() -> None:
        async with in_tenant(pool, tenant.id) as connection:
            await note(connection, tenant.id, ANA, Act.SESSION_ENDED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    (entry,) = await read_trail(pool, tenant.id, 10)
    assert (entry.what, entry.who, entry.session_id, entry.network) == ("session.started", *ANA)
    assert (entry.about, entry.why, entry.details) == ("a phone", "because", {"door": "web"})


async def test_a_trail_is_read_page_by_page_and_by_who_what_and_about(
    pool: Pool, tenant: Tenant, other_tenant: Tenant
) -> None:
    async with in_tenant(pool, tenant.id) as connection:
        for at in range(10):
            await note(connection, tenant.id, ANA if at % 2 else By(), Act.SESSION_STARTED, str(at // 5))
        await note(connection, tenant.id, ANA, Act.SESSION_ENDED)
    found: list[str] = []
    before = None
    while page := await read_trail(pool, tenant.id, 3, before=before):
        found += [one.id for one in page]
        before = page[-1].at, page[-1].id
    assert len(found) == len(set(found)) == 11
    assert len(await read_trail(pool, tenant.id, 50, who=ANA.person_id)) == 6
    assert len(await read_trail(pool, tenant.id, 50, what=Act.SESSION_STARTED, about="1")) == 5
    assert await read_trail(pool, other_tenant.id, 50) == []


@pytest.mark.parametrize(
    "table", ["audit_entries", "payments", "shares", "decisions", "log_leaves", "log_nodes", "log_heads"]
)
async def test_nobody_changes_what_was_written(books: Books, pool: Pool, admin: Pool, table: str) -> None:
    """Not the serving role, not the functions that work for all tenants, not the owner, not the administrator."""
    async with acquire(pool) as connection:
        await post_payments(connection, [books.payment(0, 1, 5)])
    for statement in (
        f"update payhub.{table} set tenant_id = tenant_id",
        f"delete from payhub.{table}",
        f"truncate payhub.{table}",
    ):
        for role in ("payhub_app", "payhub_ledger", "payhub_owner", None):
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)):
                await execute_as(admin, role, statement)


async def execute_as(admin: Pool, role: str | None, statement: str) -> None:
    async with acquire(admin) as connection, connection.transaction():
        if role is not None:
            await connection.execute(f"set local role {role}")
        await connection.execute(statement)

"""Whoever borrows a connection next finds nothing of whoever was ended on it. The long run is tests.core.poisoning."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core.database import Pool, in_tenant
from core.keys.safe import Safe
from core.people.opening import Tenant
from tests.conftest import Database
from tests.core.poisoning import TIMEOUTS, Poisoned, Poisoner, make_poisoner, poster_of
from tests.core.stage import Found, find_functions

# A driver that is cancelled while it connects leaves the closing of its socket to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FUNCTIONS = find_functions()
# Of each function, so many of its endings: some hundreds in all.
ENDINGS = 4


@pytest_asyncio.fixture
async def poisoner(
    database: Database, admin: Pool, pool: Pool, keys: Safe, tenant: Tenant, other_tenant: Tenant
) -> AsyncIterator[Poisoner]:
    made = await make_poisoner(database.app_url, admin, pool, keys, tenant, other_tenant)
    yield made
    await made.pool.close()


async def test_a_function_that_is_ended_leaves_nothing_behind(poisoner: Poisoner, database: Database) -> None:
    with poster_of(database.app_url, poisoner.stage) as posting:
        for found in [*FUNCTIONS, posting]:
            await poisoner.run_through(found, ENDINGS)
    assert len(poisoner.undisturbed) == len(FUNCTIONS) + 1
    assert poisoner.endings.total() > 3 * len(FUNCTIONS)
    # Most of them were in the middle of something that would have been done. The rest meets a refusal on its way: what
    # they are told about (a ticket, an assertion, a code) has to be drawn for each of them.
    refused = {name: how for name, how in poisoner.undisturbed.items() if how != "done"}
    assert len(refused) < len(FUNCTIONS) * 0.3, refused


@pytest.mark.parametrize("name", ["create_charge", "open_dispute", "approve_bulk", "open_people"])
async def test_a_function_that_waits_too_long_leaves_nothing_behind(
    poisoner: Poisoner, database: Database, name: str
) -> None:
    (found,) = [one for one in FUNCTIONS if one.name.endswith(f".{name}")]
    await poisoner.run_into_locks(found, database.app_url)
    assert poisoner.endings.keys() == TIMEOUTS.keys()


async def test_every_room_is_looked_into() -> None:
    rooms = {found.name.split(".")[1] for found in FUNCTIONS}
    assert {"audit", "bulk", "ledger", "notices", "payments", "people"} <= rooms


async def leave_the_tenant(pool: Pool, tenant_id: int) -> None:
    async with in_tenant(pool, tenant_id) as connection:
        # As it would be with a setting of the session, and a driver that resets nothing.
        await connection.execute("select set_config('payhub.tenant_id', $1, false)", str(tenant_id))


async def leave_a_transaction(pool: Pool, tenant_id: int) -> None:
    connection = await pool.acquire()
    await connection.execute("begin")
    await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant_id))
    await pool.release(connection)


async def leave_a_lock(pool: Pool, tenant_id: int) -> None:
    async with pool.acquire() as connection:
        await connection.execute("select pg_advisory_lock($1)", tenant_id)


@pytest.mark.parametrize("leave", [leave_the_tenant, leave_a_transaction, leave_a_lock])
async def test_what_is_left_behind_would_be_found(
    poisoner: Poisoner, monkeypatch: pytest.MonkeyPatch, leave: object
) -> None:
    monkeypatch.setattr("asyncpg.connection.Connection.get_reset_query", lambda _: "")
    monkeypatch.setattr("asyncpg.connection.Connection.is_in_transaction", lambda _: False)

    async def reset(*_: object, **__: object) -> None:
        """Nothing."""

    monkeypatch.setattr("asyncpg.connection.Connection.reset", reset)
    with pytest.raises(Poisoned):
        await poisoner.run_through(Found("planted.left", leave), 1)  # type: ignore[arg-type]

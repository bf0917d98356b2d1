"""A commit whose survival is not certain is never acknowledged, on a real server that waits for a standby.

With synchronous_standby_names set and no standby there, a commit waits. Cancelling that wait makes
PostgreSQL report success with a mere warning: the row is visible and would be gone after a failover.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from config.embedded import Servers, temporary_servers
from core.database import Pool, open_pool
from core.errors import CoreError, OutcomeUnknown
from core.keys.safe import Safe
from core.ledger.batcher import FLIGHTS_MAX, Batcher
from core.ledger.posting import Posters
from core.ledger.reading import settle_payments
from core.migrate import migrate
from core.nouns import Payment, PaymentStatus
from core.people.opening import create_tenant, open_people
from core.people.persons import Role
from tests.conftest import Books


@pytest.fixture(scope="module")
def own_servers() -> Iterator[Servers]:
    with temporary_servers(durable=True) as running:
        yield running


@pytest_asyncio.fixture
async def admin_connection(own_servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    await migrate(own_servers.admin_database_url)
    connection = await asyncpg.connect(own_servers.admin_database_url, server_settings={"synchronous_commit": "local"})
    yield connection
    await wait_for_standby(connection, "")
    await connection.close()


@pytest_asyncio.fixture
async def own_pool(own_servers: Servers, admin_connection: asyncpg.Connection) -> AsyncIterator[Pool]:
    pool = await open_pool(own_servers.database_url, size_max=4, name="payhub-waiting")
    yield pool
    pool.terminate()


@pytest.fixture
def batcher(own_servers: Servers) -> Iterator[Batcher]:
    posters = Posters(own_servers.database_url, FLIGHTS_MAX)
    yield Batcher(posters)
    posters.close()


async def wait_for_standby(connection: asyncpg.Connection, name: str) -> None:
    await connection.execute(f"alter system set synchronous_standby_names = '{name}'")
    await connection.execute("select pg_reload_conf()")
    for _ in range(100):
        if await connection.fetchval("show synchronous_standby_names") == name:
            return
        await asyncio.sleep(0.02)


async def end_waits(connection: asyncpg.Connection, how: str, count: int = 1) -> None:
    """Cancel or terminate the backends that wait for the standby."""
    for _ in range(500):
        found = await connection.fetch(
            f"select {how}(pid) from pg_stat_activity where wait_event = 'SyncRep' and application_name in ('payhub-posting', 'payhub-waiting')"
        )
        if len(found) >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waited for the standby")


async def end_lock_waits(connection: asyncpg.Connection) -> None:
    """Terminate the backends that wait for an account."""
    for _ in range(500):
        # Inside a transaction, the list of backends is a snapshot.
        await connection.execute("select pg_stat_clear_snapshot()")
        if await connection.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where wait_event_type = 'Lock' and application_name = 'payhub-posting'"
        ):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waited for the account")


async def open_world(admin: asyncpg.Connection, pool: Pool, keys: Safe, slug: str) -> Books:
    tenant = await create_tenant(admin, slug, "World", "BRL", "UTC")
    books = Books(tenant, await open_people(pool, keys, tenant.id, Role.CUSTOMER, ["a", "b"]), pool, keys)
    await books.fund(1_000)
    return books


async def outcome(batcher: Batcher, payment: Payment) -> object:
    try:
        return (await batcher.post(payment)).status
    except CoreError as error:
        return type(error)


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
async def test_a_cancelled_wait_is_unknown_and_asking_again_settles_it_only_when_a_standby_has_it(
    admin_connection: asyncpg.Connection, own_pool: Pool, keys: Safe, batcher: Batcher, how: str
) -> None:
    books = await open_world(admin_connection, own_pool, keys, f"wait-{how[3:9]}")
    payment = books.payment(0, 1, 100)
    await wait_for_standby(admin_connection, "nobody")

    first = asyncio.ensure_future(outcome(batcher, payment))
    await end_waits(admin_connection, how)
    assert await first is OutcomeUnknown

    # It is visible here already. Yet asking again must wait for the standby, too, and not be told "posted".
    again = asyncio.ensure_future(outcome(batcher, payment))
    settling = asyncio.ensure_future(settle_payments(own_pool, books.tenant.id, payment.asked_by, [payment.id]))
    await asyncio.sleep(0.5)
    assert not again.done()
    assert not settling.done()

    await wait_for_standby(admin_connection, "")
    assert await again == PaymentStatus.POSTED
    assert (await settling)[0].status == PaymentStatus.POSTED
    balance = await admin_connection.fetchval(
        "select balance from payhub.accounts where tenant_id = $1 and id = $2", books.tenant.id, books.account(0)
    )
    assert balance == 900


async def test_a_fence_whose_wait_was_cancelled_is_not_called_a_fence(
    admin_connection: asyncpg.Connection, own_pool: Pool, keys: Safe
) -> None:
    books = await open_world(admin_connection, own_pool, keys, "wait-fence")
    never_sent = books.payment(0, 1, 100)
    await wait_for_standby(admin_connection, "nobody")

    settling = asyncio.ensure_future(settle_payments(own_pool, books.tenant.id, never_sent.asked_by, [never_sent.id]))
    await end_waits(admin_connection, "pg_cancel_backend")
    with pytest.raises(OutcomeUnknown):
        await settling

    await wait_for_standby(admin_connection, "")
    (settled,) = await settle_payments(own_pool, books.tenant.id, never_sent.asked_by, [never_sent.id])
    assert settled.status == PaymentStatus.FENCED


async def test_a_backend_that_dies_before_the_commit_leaves_the_outcome_unknown_and_nothing_moved(
    admin_connection: asyncpg.Connection, own_pool: Pool, keys: Safe, batcher: Batcher
) -> None:
    books = await open_world(admin_connection, own_pool, keys, "dies-before")
    payment = books.payment(0, 1, 100)
    async with admin_connection.transaction():
        # Hold the account, so that the batch waits inside its transaction, and end its backend there.
        await admin_connection.execute(
            "select from payhub.accounts where tenant_id = $1 and id = $2 for update", books.tenant.id, books.account(0)
        )
        first = asyncio.ensure_future(outcome(batcher, payment))
        await end_lock_waits(admin_connection)
        assert await first is OutcomeUnknown

    assert await outcome(batcher, payment) == PaymentStatus.POSTED

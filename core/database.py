"""The one door to PostgreSQL: pools, transactions inside a tenant, and what an error means.

It never retries on its own and knows no table.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import asyncpg

from core.errors import OutcomeUnknown, Unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
RawConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_TIMEOUT_S = 5.0
# A server that says nothing for so long is gone, even if its kernel took the request. Posting waits longer:
# giving up makes a payment unknown.
COMMAND_TIMEOUT_S = 10.0
POST_TIMEOUT_S = 15.0
CONNECTION_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What the driver calls a bug of its own is a backend that was ended between two statements.
    asyncpg.InternalClientError,
    asyncio.TimeoutError,
)


async def open_pool(url: str, *, size_max: int, name: str) -> Pool:
    """A pool of connections that see only the payhub schema and no tenant until one is named."""
    try:
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size_max,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings=_session(name),
        )
    except CONNECTION_ERRORS as error:
        raise Unavailable(f"PostgreSQL cannot be reached: {type(error).__name__}") from error


async def connect(url: str, *, name: str) -> RawConnection:
    """One such connection for a single user, outside any pool."""
    try:
        return await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S, server_settings=_session(name))
    except CONNECTION_ERRORS as error:
        raise Unavailable(f"PostgreSQL cannot be reached: {type(error).__name__}") from error


def _session(name: str) -> dict[str, str]:
    return {
        "application_name": name,
        "search_path": "payhub",
        "timezone": "UTC",
        "jit": "off",
        # A warning may say that a commit is not on the standby: it has to arrive (see Doubts).
        "client_min_messages": "warning",
        # A client that vanished must not hold the accounts' locks.
        "idle_in_transaction_session_timeout": "10000",
        "tcp_user_timeout": "10000",
    }


@asynccontextmanager
async def in_tenant(pool: Pool, tenant_id: int) -> AsyncIterator[Connection]:
    """A transaction that sees one tenant's rows only. The setting is local: it ends with the transaction."""
    async with acquire(pool) as connection, transaction(connection):
        await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant_id))
        yield connection


@asynccontextmanager
async def transaction(connection: Connection, *, is_rehearsal: bool = False) -> AsyncIterator[None]:
    """A transaction that ends with the block: committed, or rolled back after an exception or a rehearsal.

    Whoever is cancelled while it begins waits for that moment, or it would be left open for the connection's next user.
    A connection that broke has nothing to roll back, and what went wrong inside is what is told.
    """
    begun = connection.transaction()
    beginning = asyncio.ensure_future(begun.start())
    try:
        await asyncio.shield(beginning)
    except asyncio.CancelledError:
        with suppress(*CONNECTION_ERRORS):
            await beginning
            await begun.rollback()
        raise
    try:
        yield
    except BaseException:
        with suppress(*CONNECTION_ERRORS):
            await begun.rollback()
        raise
    if is_rehearsal:
        await begun.rollback()
    else:
        await begun.commit()


@asynccontextmanager
async def acquire(pool: Pool) -> AsyncIterator[Connection]:
    """A connection from the pool.

    An unreachable server is Unavailable; a connection that breaks while it is used is OutcomeUnknown.
    """
    try:
        connection = await pool.acquire(timeout=CONNECT_TIMEOUT_S)
    except CONNECTION_ERRORS as error:
        raise Unavailable(f"PostgreSQL cannot be reached: {type(error).__name__}") from error
    try:
        yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        if is_rolled_back(error) or isinstance(error, ValueError):
            raise
        raise OutcomeUnknown from error
    finally:
        # One that cannot be made ready for its next user is ended by the pool; what was done on it is known by now.
        with suppress(*CONNECTION_ERRORS):
            await pool.release(connection)


class Doubts:
    """Hears, on one connection, that a commit may not survive a failover.

    When the wait for a synchronous standby is cancelled, PostgreSQL reports the commit as done, with only a
    warning; the row is visible here and gone after a failover. The warning has no SQLSTATE of its own and its
    text may be translated, so any warning counts: nothing that Payhub calls gives one otherwise.
    """

    def __init__(self) -> None:
        self.heard = False

    def __call__(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        """Take one message from the server (called by asyncpg)."""
        if message.severity_en in {"WARNING", None}:
            self.heard = True


@asynccontextmanager
async def without_doubt(connection: Connection) -> AsyncIterator[None]:
    """What is committed inside is certain afterwards, or OutcomeUnknown is raised."""
    doubts = Doubts()
    connection.add_log_listener(doubts)
    try:
        yield
    finally:
        connection.remove_log_listener(doubts)
    if doubts.heard:
        raise OutcomeUnknown


def is_race(error: BaseException) -> bool:
    """Deadlock, serialization failure, or two batches that met the same new id: trying again settles it."""
    return getattr(error, "sqlstate", None) in {"40P01", "40001", "23505"}


def is_payments_fault(error: BaseException) -> bool:
    """Whether a rolled-back error is about the batch (a race, a value) and not about the server as a whole.

    A read-only or full server, a missing right or function: every batch fails alike, and here always will.
    """
    return (getattr(error, "sqlstate", None) or "").startswith(("22", "23", "40"))


def is_rolled_back(error: BaseException) -> bool:
    """Whether the error proves that nothing was committed.

    An error that the server reports for a statement ends its transaction; a broken connection, a server
    that is shutting down (57P01..57P03) or a cancelled wait proves nothing.
    """
    if not isinstance(error, asyncpg.PostgresError):
        return False
    code = error.sqlstate
    return bool(code) and not code.startswith(("08", "57P", "57014"))

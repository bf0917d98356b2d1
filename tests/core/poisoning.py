"""Ends core's functions in the middle, wherever they wait, and looks at what the connection's next user finds.

    python -m tests.core.poisoning --endings 10000

Each function is ended at each of its waits in turn: cancelled at once, cancelled a moment later, or with its backend
killed. Then another tenant borrows the same connection.
"""

import argparse
import asyncio
import inspect
import random
import sys
import tempfile
import types
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from config.embedded import temporary_servers
from config.settings import ensure_master_key
from core.database import Pool, _session, acquire, in_tenant, open_pool
from core.errors import CoreError, OutcomeUnknown, Unavailable
from core.keys.choosing import Choice, open_safe
from core.keys.safe import Safe
from core.ledger.posting import Poster
from core.people.opening import Tenant, create_tenant, open_people
from core.people.persons import Role
from tests.conftest import make_database
from tests.core.stage import Found, Stage, find_functions

AT_ONCE, LATER, KILLED = "cancelled at once", "cancelled a moment later", "backend killed"
# A statement takes about so long: some endings meet it on its way, some at the server, some its answer.
MOMENT_MAX_S: Final = 0.002
PATIENCE_S: Final = 20.0


class Patience(NamedTuple):
    """How long a statement may take, to the server and to the driver."""

    server_ms: str
    driver_s: float


TIMEOUTS: Final = {
    "timed out by the server": Patience("150", 10.0),
    "timed out by the driver": Patience("1000", 0.15),
}
TRIES_MAX: Final = 3
# What a function may raise that was not given what it needs, or was ended.
REFUSALS: Final = (
    CoreError,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    asyncio.TimeoutError,
)

TABLES: Final = """
select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnum > 0
 where n.nspname = 'payhub' and c.relkind in ('r', 'p') and has_table_privilege('payhub_app', c.oid, 'select')
"""
# As the administrator sees the connection that nothing was asked on yet.
BACKEND: Final = """
select state, (select count(*) from pg_locks where pg_locks.pid = pg_stat_activity.pid) as locks
  from pg_stat_activity where pid = $1
"""
STATE: Final = "select coalesce(current_setting('payhub.tenant_id', true), '') as tenant, {rows} as rows"


class Poisoned(Exception):
    """The next user of a connection found what is not theirs."""


class Poisoner:
    """One pool of one connection, and two tenants who take turns at it."""

    def __init__(self, pool: Pool, stage: Stage, admin: Pool, other: Tenant, seed: int = 1) -> None:
        self.pool = pool
        self.stage = stage
        self.endings: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.undisturbed: dict[str, str] = {}
        self._admin = admin
        self._other = other
        self._random = random.Random(seed)
        self._tables: list[str] = []
        self._state = self._foreign = ""

    async def begin(self) -> None:
        """Learn which tables there are."""
        tables = self._tables = [row[0] for row in await self._admin.fetch(TABLES)]
        self._state = STATE.format(rows=" + ".join(f"(select count(*) from {table})" for table in tables))
        foreign = " + ".join(f"(select count(*) from {table} where tenant_id <> {self._other.id})" for table in tables)
        self._foreign = f"select {foreign} as foreign, (select count(*) from persons) as own"

    async def check(self) -> None:
        """Borrow the connection as its next user would. Raises Poisoned."""
        for tried in range(1, TRIES_MAX + 1):
            try:
                await self._check()
                return
            except (Unavailable, OutcomeUnknown):
                # The end of its backend reaches the driver a moment later; who comes after finds a new one.
                if tried == TRIES_MAX:
                    raise Poisoned("there is no connection any more") from None
                await asyncio.sleep(0.01)

    async def _check(self) -> None:
        async with asyncio.timeout(PATIENCE_S), acquire(self.pool) as connection:
            if connection.is_in_transaction():
                raise Poisoned("the driver thinks that a transaction is open")
            backend = await self._admin.fetchrow(BACKEND, connection.get_server_pid())
            if backend is None or tuple(backend) != ("idle", 0):
                raise Poisoned(f"the backend: {backend and dict(backend)}")
            state = await connection.fetchrow(self._state)
            assert state is not None
            if any(state):
                raise Poisoned(str(dict(state)))
        async with asyncio.timeout(PATIENCE_S), in_tenant(self.pool, self._other.id) as connection:
            rows = await connection.fetchrow(self._foreign)
            assert rows is not None
            if rows["foreign"] or not rows["own"]:
                raise Poisoned(str(dict(rows)))

    async def run_through(self, found: Found, endings_max: int = 10**9) -> None:
        """End the function at each of its waits, in each way, until there are no more or enough."""
        waits = await self._count_waits(found)
        ways = [(wait, way) for wait in range(1, waits + 1) for way in (AT_ONCE, LATER, KILLED)]
        self._random.shuffle(ways)
        for wait, way in ways[:endings_max]:
            await self.stage.prepare(found.name)
            self.outcomes[await self._end(found, wait, way)] += 1
            self.endings[way] += 1
            try:
                await self.check()
            except Poisoned as error:
                raise Poisoned(f"{found.name}, {way} at wait {wait}: {error}") from None

    async def run_into_locks(self, found: Found, url: str, waits_max: int = 2) -> None:
        """Let the function wait for a table until the server, or the driver, loses patience."""
        for way, patience in TIMEOUTS.items():
            session = {**_session("payhub-poisoned"), "statement_timeout": patience.server_ms}
            pool = await asyncpg.create_pool(
                url, min_size=1, max_size=1, command_timeout=patience.driver_s, server_settings=session
            )
            mine, self.pool, self.stage.pool = self.pool, pool, pool
            try:
                waits = 0
                for table in self._random.sample(self._tables, len(self._tables)):
                    # Most functions need only a few tables.
                    if waits < waits_max and await self._wait_for(found, table):
                        waits += 1
                        self.endings[way] += 1
                    try:
                        await self.check()
                    except Poisoned as error:
                        raise Poisoned(f"{found.name}, {way} at {table}: {error}") from None
            finally:
                self.pool = self.stage.pool = mine
                await pool.close()

    async def _wait_for(self, found: Found, table: str) -> bool:
        """Whether the function met the lock on this table and was not let through."""
        await self.stage.prepare(found.name)
        arguments = self.stage.arguments(found.function)
        async with self._admin.acquire() as connection, connection.transaction():
            await connection.execute(f"lock table payhub.{table} in access exclusive mode")
            async with asyncio.timeout(PATIENCE_S):
                try:
                    await found.function(**arguments)
                except OutcomeUnknown:
                    return True
                except REFUSALS:
                    pass
        return False

    async def _count_waits(self, found: Found) -> int:
        waits = 0

        def count(step: int) -> None:
            nonlocal waits
            waits = step

        await self.stage.prepare(found.name)
        work = found.function(**self.stage.arguments(found.function))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await stepping(work, count)  # type: ignore[arg-type]
            self.undisturbed[found.name] = "done"
        except REFUSALS as error:
            self.undisturbed[found.name] = type(error).__name__
        await self.check()
        return waits

    async def _end(self, found: Found, wait: int, way: str) -> str:
        loop = asyncio.get_running_loop()
        killing: list[asyncio.Task[Any]] = []

        def at_each(step: int) -> None:
            if step != wait:
                return
            if way == AT_ONCE:
                loop.call_soon(task.cancel)
            elif way == LATER:
                loop.call_later(self._random.uniform(0, MOMENT_MAX_S), task.cancel)
            else:
                killing.append(loop.create_task(self._kill()))

        work = found.function(**self.stage.arguments(found.function))
        task: asyncio.Task[Any] = loop.create_task(stepping(work, at_each))  # type: ignore[arg-type]
        done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
        if not done:
            task.cancel()
            raise Poisoned(f"{found.name}, {way} at wait {wait}, does not end")
        await asyncio.gather(*killing)
        if task.cancelled():
            return "cancelled"
        error = task.exception()
        if error is not None and not isinstance(error, REFUSALS):
            raise error
        return "done" if error is None else type(error).__name__

    async def _kill(self) -> None:
        await self._admin.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'payhub-poisoned'"
        )


@types.coroutine
def stepping(work: Coroutine[Any, Any, Any], at_each: Callable[[int], None]) -> Generator[Any, Any, Any]:
    """Drive a coroutine, and tell at which of its waits it stands."""
    step = 0
    sent, thrown = None, None
    while True:
        try:
            waits_for = work.send(sent) if thrown is None else work.throw(thrown)
        except StopIteration as done:
            return done.value
        step += 1
        at_each(step)
        sent, thrown = None, None
        try:
            sent = yield waits_for
        except BaseException as error:
            thrown = error


@contextmanager
def poster_of(url: str, stage: Stage) -> Iterator[Found]:
    """Posting has connections of its own; after an ending, the next batch must be judged as if nothing had been."""
    poster = Poster(url, stage.keys)

    async def post(batch: list[Any]) -> None:
        await poster.post([one._replace(id=str(stage.payment(1, 2, 3).id)) for one in batch])

    try:
        yield Found("core.ledger.posting.Poster", post)
    finally:
        poster.close()


async def make_poisoner(
    url: str, admin: Pool, beside: Pool, keys: Safe, tenant: Tenant, other: Tenant, seed: int = 1
) -> Poisoner:
    """With a pool of its own, to be closed by whoever asked."""
    pool = await open_pool(url, size_max=1, name="payhub-poisoned")
    stage = Stage(pool, beside, admin, keys, tenant)
    await stage.furnish()
    await open_people(beside, keys, other.id, Role.MERCHANT, ["Somebody", "Else"])
    poisoner = Poisoner(pool, stage, admin, other, seed)
    await poisoner.begin()
    await poisoner.check()
    return poisoner


async def _main(endings: int, seed: int, folder: Path) -> int:
    master_key_file = folder / "master.key"
    ensure_master_key(master_key_file)
    async with AsyncExitStack() as ending:
        servers = ending.enter_context(temporary_servers(durable=False))
        database = await make_database(servers, master_key_file)
        keys = await open_safe(Choice(database.keys_url, "local", master_key_file), name="payhub-poisoners")
        ending.push_async_callback(keys.close)
        admin = await open_pool(database.admin_url, size_max=2, name="payhub-poisoners-admin")
        ending.push_async_callback(admin.close)
        beside = await open_pool(database.app_url, size_max=2, name="payhub-beside")
        ending.push_async_callback(beside.close)
        tenant, other = [
            await create_tenant(admin, slug, "A tenant", "BRL", "America/Sao_Paulo") for slug in ("here", "there")
        ]
        poisoner = await make_poisoner(database.app_url, admin, beside, keys, tenant, other, seed)
        ending.push_async_callback(poisoner.pool.close)
        with poster_of(database.app_url, poisoner.stage) as posting:
            poisoned = await _poison(poisoner, [*find_functions(), posting], database.app_url, endings)
        _say(f"endings: {dict(poisoner.endings)}")
        _say(f"outcomes: {dict(poisoner.outcomes.most_common())}")
        _say(f"undisturbed: {dict(Counter(poisoner.undisturbed.values()).most_common())}")
        _say(f"  {[f'{name}: {how}' for name, how in poisoner.undisturbed.items() if how != 'done']}")
        return poisoned


async def _poison(poisoner: Poisoner, functions: Sequence[Found], url: str, endings: int) -> int:
    poisoned = rounds = 0
    while poisoner.endings.total() < endings:
        rounds += 1
        for found in functions:
            try:
                await poisoner.run_through(found)
                if rounds == 1 and "pool" in inspect.signature(found.function).parameters:
                    await poisoner.run_into_locks(found, url)
            except Poisoned as error:
                poisoned += 1
                _say(f"POISONED {error}")
            except Exception as error:
                poisoned += 1
                _say(f"BUG {found.name}: {error!r}")
        _say(f"{poisoner.endings.total():>7,} endings of {len(functions)} functions, {poisoned} poisoned")
    return poisoned


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        sys.exit(min(asyncio.run(_main(given.endings, given.seed, Path(made))), 1))

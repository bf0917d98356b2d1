"""One road of a worker: what is claimed is sent, what fails waits or is set aside, and nobody waits for anybody."""

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.database import Pool, in_tenant
from core.notices.deliveries import TRIES_MAX, Claimed, Road, Settled, read_dead, settle
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from tests.conftest import Books, Database
from tests.core.notices.reaching import claim_mine, climb_all, give_phone
from workers.delivering import Composed, Delivering
from workers.outcome import Delivered, Gone, Later, Outcome, Refused
from workers.waking import wake


class Service:
    """The other side, as a test wants it: it answers by the message, and remembers what it was given."""

    def __init__(self, tenant_id: int, answer: Callable[[Claimed], Awaitable[Outcome]] | None = None) -> None:
        self.tenant_id, self.answer = tenant_id, answer
        self.got: list[str] = []
        self.at: dict[str, float] = {}
        self.most_at_once = self._at_once = 0

    def service_of(self, message: Claimed) -> str:
        return "service"

    async def send(self, message: Claimed) -> Outcome:
        if message.tenant_id != self.tenant_id:
            return Later("anothers", 3_600.0)
        self.got.append(message.id)
        self.at.setdefault(message.id, time.monotonic())
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return Delivered() if self.answer is None else await self.answer(message)
        finally:
            self._at_once -= 1

    async def close(self) -> None:
        pass


async def compose(claimed: Sequence[Claimed]) -> list[Composed[Claimed]]:
    return [Composed(one, one) for one in claimed]


@asynccontextmanager
async def delivering(
    books: Books, service: Service, places: int = 50, **more: object
) -> AsyncIterator[Delivering[Claimed]]:
    one = Delivering(books.pool, Road.APPLE, more.pop("compose", compose), service, places=places, **more)  # type: ignore[arg-type]
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def warn_many(books: Books, admin: Pool, count: int) -> None:
    """So many deliveries to one phone, each by itself."""
    await give_phone(books, 0)
    for _ in range(count):
        await warn_once(books, admin)


AN_HOUR_AGO = """
with mine as (select tenant_id, id from deliveries where tenant_id = $1 order by id for update)
update deliveries
   set made_at = deliveries.made_at - interval '1 hour'
  from mine
 where deliveries.tenant_id = mine.tenant_id and deliveries.id = mine.id
"""


async def warn_once(books: Books, admin: Pool) -> None:
    async with in_tenant(books.pool, books.tenant.id) as connection:
        person = books.people[0].person_id
        await leave(connection, books.tenant.id, NoticeKind.NEW_DEVICE, person, Facts(at=datetime.now(UTC)))
    # Those before are of another hour: a phone does not ring all the time. Locked in the order in which they are settled
    # meanwhile.
    await admin.execute(AN_HOUR_AGO, books.tenant.id)
    await climb_all(admin, books)


async def states(admin: Pool, books: Books) -> Counter[int]:
    rows = await admin.fetch("select state from deliveries where tenant_id = $1", books.tenant.id)
    return Counter(row[0] for row in rows)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < ends, "it did not come about in time"
        await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once; and a service that is away is asked ten times a second."""
    monkeypatch.setattr("workers.delivering.BACKOFF_S", 0.05)
    monkeypatch.setattr("workers.delivering.BACKOFF_FACTOR", 1.0)
    monkeypatch.setattr("workers.delivering.PAUSE_S", 0.05)
    for module in ("breaker", "delivering"):
        monkeypatch.setattr(f"workers.{module}.PROBE_S", 0.1)


async def test_everything_is_sent_once_and_written_down(books: Books, admin: Pool) -> None:
    await warn_many(books, admin, 30)
    service = Service(books.tenant.id)
    async with delivering(books, service):
        await until(lambda: _is(states(admin, books), {1: 30}))
    assert len(service.got) == len({*service.got}) == 30


async def _is(found: Awaitable[Counter[int]], expected: dict[int, int]) -> bool:
    return await found == expected


async def test_no_more_are_under_way_than_there_are_places(books: Books, admin: Pool) -> None:
    await warn_many(books, admin, 20)

    async def slowly(_: Claimed) -> Outcome:
        await asyncio.sleep(0.02)
        return Delivered()

    service = Service(books.tenant.id, slowly)
    async with delivering(books, service, places=3):
        await until(lambda: _is(states(admin, books), {1: 20}))
    assert service.most_at_once == 3


async def test_a_poisoned_message_is_set_aside_after_five_tries_and_delays_nobody(
    books: Books, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warn_many(books, admin, 1)
    (poison,) = await admin.fetch("select id::text from deliveries where tenant_id = $1", books.tenant.id)
    bad = poison[0]

    async def answer(claimed: Claimed) -> Outcome:
        if claimed.id == bad:
            raise ValueError("poison")
        return Delivered()

    service = Service(books.tenant.id, answer)
    async with delivering(books, service):
        for _ in range(TRIES_MAX):
            before = time.monotonic()
            await warn_once(books, admin)
            newest = await admin.fetchval(
                "select id::text from deliveries where tenant_id = $1 order by made_at desc limit 1", books.tenant.id
            )

            async def is_sent(one: str = newest) -> bool:
                return one in service.at

            await until(is_sent)
            assert service.at[newest] - before < 1.0
        await until(lambda: _is(states(admin, books), {1: TRIES_MAX, 3: 1}))
    assert service.got.count(bad) == TRIES_MAX
    (dead,) = await read_dead(books.pool, books.tenant.id, 10)
    assert (dead.id, dead.code, dead.tries) == (bad, "internal", TRIES_MAX)


async def test_a_message_that_fells_a_service_that_others_find_well_is_set_aside_too(books: Books, admin: Pool) -> None:
    """Its server answers 503 to this one and takes all others: without an end it would come back for ever."""
    await warn_many(books, admin, 1)
    bad = await admin.fetchval("select id::text from deliveries where tenant_id = $1", books.tenant.id)

    async def answer(claimed: Claimed) -> Outcome:
        return Later("503", is_theirs=True) if claimed.id == bad else Delivered()

    service = Service(books.tenant.id, answer)
    async with delivering(books, service):

        async def is_over() -> bool:
            await warn_once(books, admin)
            return (await states(admin, books))[3] == 1

        await until(is_over, 12.0)
    (dead,) = await read_dead(books.pool, books.tenant.id, 10)
    assert (dead.id, dead.code) == (bad, "503")


async def test_what_ends_while_it_is_written_down_is_written_down(
    books: Books, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is told to end in the middle of settling settles; nobody is told twice."""
    await warn_many(books, admin, 5)
    entered = asyncio.Event()

    async def slowly(pool: Pool, settled: Sequence[Settled]) -> int:
        if not entered.is_set():
            entered.set()
            await asyncio.sleep(3_600)
        return await settle(pool, settled)

    monkeypatch.setattr("workers.delivering.settle", slowly)
    async with delivering(books, Service(books.tenant.id)):
        await asyncio.wait_for(entered.wait(), 5.0)
    assert await states(admin, books) == {1: 5}


async def test_one_that_hangs_holds_its_place_and_nobody_up(
    books: Books, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warn_many(books, admin, 10)
    hanging: list[str] = []

    async def answer(claimed: Claimed) -> Outcome:
        if not hanging or claimed.id in hanging:
            hanging.append(claimed.id)
            await asyncio.sleep(3_600)
        return Delivered()

    service = Service(books.tenant.id, answer)
    async with delivering(books, service, places=2, send_s_max=0.3):
        await until(lambda: _is(states(admin, books), {0: 1, 1: 9}))
        assert await admin.fetchval(
            "select code from deliveries where tenant_id = $1 and state = 0", books.tenant.id
        ) in {"timeout", None}


async def test_each_outcome_has_its_end(books: Books, admin: Pool) -> None:
    await warn_many(books, admin, 4)
    outcomes: list[Outcome] = [Delivered("x"), Refused("PayloadTooLarge"), Later("429", 0.0), Gone("Unregistered")]
    answers: dict[str, Outcome] = {}

    async def answer(claimed: Claimed) -> Outcome:
        return answers.setdefault(claimed.id, outcomes[len(answers)])

    service = Service(books.tenant.id, answer)
    async with delivering(books, service, places=1):

        async def is_over() -> bool:
            found = await states(admin, books)
            return found[1] == 1 and found[3] == 1 and found[4] == 1 and len(service.got) >= 4

        await until(is_over)
    # The phone is gone, so what still waited for it has nobody to go to.
    assert (await states(admin, books))[0] + (await states(admin, books))[2] == 1


async def test_a_service_that_is_down_costs_no_try_and_is_told_everything_when_it_returns(
    books: Books, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warn_many(books, admin, 40)
    is_up = False

    async def answer(_: Claimed) -> Outcome:
        return Delivered() if is_up else Later("unreachable", is_theirs=True)

    service = Service(books.tenant.id, answer)
    async with delivering(books, service, places=10):
        await asyncio.sleep(1.0)
        # The first places, and then one every tenth of a second: not forty again and again.
        assert len(service.got) < 30
        assert await states(admin, books) == {0: 40}
        tried = await admin.fetchval("select max(tries) from deliveries where tenant_id = $1", books.tenant.id)
        assert tried <= 1
        is_up = True
        await until(lambda: _is(states(admin, books), {1: 40}))
    assert await read_dead(books.pool, books.tenant.id, 10) == []


async def test_one_service_of_several_that_is_down_holds_up_no_other(
    books: Books, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warn_many(books, admin, 30)
    rows = await admin.fetch("select id::text from deliveries where tenant_id = $1 order by due_at", books.tenant.id)
    # The oldest are all the dead one's.
    dead = {row[0] for row in rows[:20]}

    class Services(Service):
        def service_of(self, message: Claimed) -> str:
            return "dead" if message.id in dead else "live"

    async def answer(claimed: Claimed) -> Outcome:
        return Later("unreachable", is_theirs=True) if claimed.id in dead else Delivered()

    service = Services(books.tenant.id, answer)
    async with delivering(books, service, places=8, is_one_service=False):
        await until(lambda: _is(states(admin, books), {0: 20, 1: 10}), 3.0)
        assert sum(service.got.count(one) for one in dead) < 20


async def test_a_key_service_that_is_away_sends_everything_back_untried(books: Books, admin: Pool) -> None:
    await warn_many(books, admin, 3)
    is_there = False

    async def composing(claimed: Sequence[Claimed]) -> list[Composed[Claimed]]:
        if not is_there:
            raise ConnectionError
        return await compose(claimed)

    service = Service(books.tenant.id)
    async with delivering(books, service, compose=composing):
        await asyncio.sleep(0.3)
        assert service.got == []
        is_there = True

        async def is_over() -> bool:
            return await states(admin, books) == {1: 3}

        await until(is_over)
    assert await admin.fetchval("select max(tries) from deliveries where tenant_id = $1", books.tenant.id) == 1


async def test_what_cannot_be_composed_is_set_aside_at_once(books: Books, admin: Pool) -> None:
    await warn_many(books, admin, 2)

    async def composing(claimed: Sequence[Claimed]) -> list[Composed[Claimed]]:
        return [Composed(one, None, Refused("no_words")) for one in claimed]

    async with delivering(books, Service(books.tenant.id), compose=composing):
        await until(lambda: _is(states(admin, books), {3: 2}))


async def test_a_worker_that_ends_lets_go_of_nothing_that_is_under_way(books: Books, admin: Pool) -> None:
    await warn_many(books, admin, 12)

    async def slowly(_: Claimed) -> Outcome:
        await asyncio.sleep(0.2)
        return Delivered()

    service = Service(books.tenant.id, slowly)
    async with delivering(books, service, places=5):
        await until(lambda: _has(service, 5))
    # Five were under way: they are done, and written down; nobody has the others.
    assert await states(admin, books) == {0: 7, 1: 5}
    assert len(await claim_mine(books, Road.APPLE)) == 7


async def _has(service: Service, count: int) -> bool:
    return len(service.got) >= count


async def test_two_workers_share_the_work(books: Books, admin: Pool) -> None:
    await warn_many(books, admin, 60)

    async def slowly(_: Claimed) -> Outcome:
        await asyncio.sleep(0.01)
        return Delivered()

    one, other = Service(books.tenant.id, slowly), Service(books.tenant.id, slowly)
    async with delivering(books, one, places=4), delivering(books, other, places=4):
        await until(lambda: _is(states(admin, books), {1: 60}))
    assert len(one.got) + len(other.got) == len({*one.got, *other.got}) == 60
    assert one.got
    assert other.got


async def test_whoever_sleeps_is_woken_by_the_commit(books: Books, admin: Pool, database: Database) -> None:
    await warn_many(books, admin, 0)
    event = asyncio.Event()
    waking = asyncio.create_task(wake(database.app_url, [event]))
    try:
        # Set once when it listens, in case something was made before.
        await asyncio.wait_for(event.wait(), 5.0)
        event.clear()
        began = time.monotonic()
        await warn_once(books, admin)
        await asyncio.wait_for(event.wait(), 5.0)
        assert time.monotonic() - began < 1.0
    finally:
        waking.cancel()
        await asyncio.gather(waking, return_exceptions=True)


async def test_killed_at_any_moment_a_worker_loses_nothing(
    books: Books, admin: Pool, database: Database, tmp_path: Path
) -> None:
    """SIGKILL at eight moments: each delivery reaches the other side, twice at most where a kill came in between."""
    await warn_many(books, admin, 60)
    received = tmp_path / "received"
    received.touch()
    for turn in range(8):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.workers.delivering_process",
            database.app_url,
            str(books.tenant.id),
            str(received),
            cwd=Path(__file__).parents[2],
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"ready"
        await asyncio.sleep(0.02 + 0.03 * turn)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        # As long as a lease lasts there, and no longer.
        await asyncio.sleep(0.35)
    async with delivering(books, Service(books.tenant.id), lease=timedelta(seconds=5)) as _:
        await until(lambda: _none_waits(admin, books))
    got = Counter(received.read_text().split())
    done = await admin.fetch("select id::text, state, tries from deliveries where tenant_id = $1", books.tenant.id)
    assert len(done) == 60
    for id_, state, tries in done:
        assert state == 1 or (state == 3 and tries > TRIES_MAX)
        # At least once, and once more for each claim that was lost.
        assert got[id_] <= tries
    assert any(got.values())


async def _none_waits(admin: Pool, books: Books) -> bool:
    return (await states(admin, books))[0] == 0

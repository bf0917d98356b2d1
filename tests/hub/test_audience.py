"""Streams of events: whatever becomes of the hints, everybody hears each number once and in order."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from core.nouns import Entry
from hub import audience as module
from hub.audience import CATCH_UP_PAGE, EARLY_MAX, Audience, Key
from hub.commands.context import to_event
from hub.protocol.messages import Event

KEY: Key = (1, 77)


class Books:
    """An account's entries, and how often somebody read them."""

    def __init__(self, count: int = 0) -> None:
        self.entries: list[Entry] = []
        self.reads = 0
        self.failing = False
        for _ in range(count):
            self.post()

    def post(self) -> Event:
        number = len(self.entries) + 1
        entry = Entry(KEY[1], number, f"payment-{number}", 5, 9, 5 * number, 1_700_000_000_000_000 + number, None)
        self.entries.append(entry)
        return to_event(entry)

    async def read_after(self, tenant_id: int, account: int, after: int, limit: int) -> list[Entry]:
        await asyncio.sleep(0)
        if self.failing:
            raise OSError("PostgreSQL is away")
        self.reads += 1
        return self.entries[after : after + limit]

    async def read_versions(self, keys: list[Key]) -> list[int | None]:
        return [len(self.entries) for _ in keys]


class Ear:
    """A follower that remembers what it heard."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.balance = 0
        self.is_open = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.catching_up = asyncio.Lock()

    def hear(self, event: Event, frame: bytes | None) -> None:
        self.numbers.append(event.number)
        self.balance = event.balance

    @property
    def keeps_up(self) -> bool:
        return self.gate.is_set()

    async def writable(self) -> None:
        await self.gate.wait()


async def until(true: Callable[[], bool], timeout_s: float = 30.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # the code under test tells nobody
            await asyncio.sleep(0.005)


def audience_of(books: Books) -> Audience:
    return Audience(books.read_after, books.read_versions, to_event)


async def with_sweep(audience: Audience, work: Callable[[], Awaitable[None]]) -> None:
    sweeping = asyncio.create_task(audience.sweep())
    try:
        await work()
    finally:
        sweeping.cancel()
        await audience.close()


async def test_events_in_order_are_heard_in_order_and_doubles_once() -> None:
    books, ear = Books(), Ear()
    audience = audience_of(books)
    audience.follow(ear, KEY, 0, 0)
    for _ in range(5):
        event = books.post()
        audience.deliver(KEY, event.number, event, None)
        audience.deliver(KEY, event.number, event, None)
    assert ear.numbers == [1, 2, 3, 4, 5]
    await audience.close()


async def test_an_early_event_waits_for_the_ones_before_it() -> None:
    books, ear = Books(), Ear()
    audience = audience_of(books)
    audience.follow(ear, KEY, 0, 0)
    await asyncio.sleep(0.02)
    first, second, third = books.post(), books.post(), books.post()
    reads = books.reads
    audience.deliver(KEY, 3, third, None)
    audience.deliver(KEY, 2, second, None)
    assert ear.numbers == []
    audience.deliver(KEY, 1, first, None)
    assert ear.numbers == [1, 2, 3]
    await asyncio.sleep(0.1)
    assert books.reads == reads
    await audience.close()


async def test_a_gap_that_stays_is_read_from_the_books() -> None:
    books, ear = Books(), Ear()
    audience = audience_of(books)
    audience.follow(ear, KEY, 0, 0)
    await asyncio.sleep(0.02)
    books.post()
    second = books.post()
    audience.deliver(KEY, 2, second, None)
    await until(lambda: ear.numbers == [1, 2])
    await audience.close()


async def test_a_number_that_nothing_stands_behind_is_never_heard() -> None:
    books, ear = Books(3), Ear()
    audience = audience_of(books)
    audience.follow(ear, KEY, 3, 3)
    invented = to_event(Entry(KEY[1], 9, "invented", 1_000_000, 9, 1_000_000, 0, None))
    audience.deliver(KEY, 9, invented, None)
    await asyncio.sleep(0.2)
    assert ear.numbers == []
    event = books.post()
    audience.deliver(KEY, 4, event, None)
    assert ear.numbers == [4]
    await audience.close()


async def test_more_early_events_than_are_kept_are_read_instead() -> None:
    books, ear = Books(), Ear()
    audience = audience_of(books)
    audience.follow(ear, KEY, 0, 0)
    await asyncio.sleep(0.02)
    events = [books.post() for _ in range(2 * EARLY_MAX)]
    for event in events[1:]:
        audience.deliver(KEY, event.number, event, None)
    await until(lambda: ear.numbers == list(range(1, 2 * EARLY_MAX + 1)))
    await audience.close()


async def test_the_past_is_sent_page_by_page_at_the_pace_of_the_reader() -> None:
    books, slow, quick = Books(5 * CATCH_UP_PAGE), Ear(), Ear()
    audience = audience_of(books)
    slow.gate.clear()
    audience.follow(slow, KEY, 0, 5 * CATCH_UP_PAGE)
    audience.follow(quick, KEY, 5 * CATCH_UP_PAGE, 5 * CATCH_UP_PAGE)
    await asyncio.sleep(0.05)
    assert len(slow.numbers) <= CATCH_UP_PAGE
    event = books.post()
    audience.deliver(KEY, event.number, event, None)
    assert quick.numbers == [event.number]
    slow.gate.set()
    await until(lambda: slow.numbers == list(range(1, 5 * CATCH_UP_PAGE + 2)))
    assert quick.numbers == [event.number]
    await audience.close()


async def test_one_who_has_seen_more_than_the_hub_sent_makes_it_catch_up() -> None:
    books, behind, ahead = Books(2), Ear(), Ear()
    audience = audience_of(books)
    audience.follow(behind, KEY, 2, 2)
    await asyncio.sleep(0.02)
    for _ in range(3):
        books.post()  # on another hub, and the hints were lost
    audience.follow(ahead, KEY, 5, 5)
    await until(lambda: behind.numbers == [3, 4, 5])
    assert ahead.numbers == []
    await audience.close()


async def test_what_could_not_be_read_is_found_by_the_sweep() -> None:
    books, ear, late = Books(3), Ear(), Ear()
    audience = audience_of(books)
    books.failing = True
    audience.follow(ear, KEY, 3, 3)
    audience.follow(late, KEY, 0, 3)
    books.post()
    await asyncio.sleep(0.1)
    assert (ear.numbers, late.numbers) == ([], [])
    books.failing = False

    async def work() -> None:
        await until(lambda: ear.numbers == [4] and late.numbers == [1, 2, 3, 4], 10)

    await with_sweep(audience, work)


async def test_one_who_left_hears_nothing_and_leaves_nothing_behind() -> None:
    books, ear = Books(), Ear()
    audience = audience_of(books)
    audience.follow(ear, KEY, 0, 0)
    assert audience.followed == 1
    audience.unfollow(ear, KEY)
    event = books.post()
    audience.deliver(KEY, 1, event, None)
    await asyncio.sleep(0.1)
    assert (ear.numbers, audience.followed, audience.sent(ear, KEY)) == ([], 0, None)
    await audience.close()


class Script:
    """What happens to each event's hint, and when followers come."""

    hints = st.lists(
        st.tuples(st.sampled_from(["at once", "later", "lost", "twice"]), st.integers(0, 3)),
        min_size=1,
        max_size=25,
    )
    arrivals = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=4)


@given(Script.hints, Script.arrivals)
@settings(max_examples=40, deadline=None)
def test_whatever_becomes_of_the_hints_each_follower_hears_each_number_once_in_order(
    hints: list[tuple[str, int]], arrivals: list[tuple[int, int]]
) -> None:
    async def play() -> None:
        books = Books(2)
        audience = audience_of(books)
        followers: list[tuple[Ear, int]] = []
        waiting: list[tuple[int, Event]] = []
        for at, (fate, delay) in enumerate(hints):
            for when, seen in arrivals:
                if when == at:
                    ear = Ear()
                    cursor = min(seen, len(books.entries))
                    ear.balance = 5 * cursor
                    followers.append((ear, cursor))
                    audience.follow(ear, KEY, cursor, len(books.entries))
            event = books.post()
            if fate in {"at once", "twice"}:
                audience.deliver(KEY, event.number, event, None)
            if fate in {"later", "twice"}:
                waiting.append((at + 1 + delay, event))
            for due, one in [row for row in waiting if row[0] <= at]:
                audience.deliver(KEY, one.number, one, None)
                waiting.remove((due, one))
            if delay == 0:
                await asyncio.sleep(0)
        for _, one in reversed(waiting):
            audience.deliver(KEY, one.number, one, None)

        async def work() -> None:
            total = len(books.entries)
            await until(lambda: all(ear.numbers[-1:] == [total] or cursor == total for ear, cursor in followers), 10)
            for ear, cursor in followers:
                assert ear.numbers == list(range(cursor + 1, total + 1))
                # What it knew, and what it heard since, is what a fresh look would say.
                assert ear.balance == books.entries[-1].balance

        before = module.SWEEP_PERIOD_S
        module.SWEEP_PERIOD_S = 0.02
        try:
            await with_sweep(audience, work)
        finally:
            module.SWEEP_PERIOD_S = before

    asyncio.run(play())


async def test_one_who_cannot_read_as_fast_as_it_happens_is_left_behind_and_brought_up_later() -> None:
    books, slow, quick = Books(), Ear(), Ear()
    audience = audience_of(books)
    for ear in (slow, quick):
        audience.follow(ear, KEY, 0, 0)
    await asyncio.sleep(0.02)
    for number in range(1, 51):
        if number == 11:
            slow.gate.clear()
        event = books.post()
        audience.deliver(KEY, event.number, event, None)
    assert (slow.numbers, quick.numbers) == (list(range(1, 11)), list(range(1, 51)))
    await asyncio.sleep(0.05)
    assert slow.numbers == list(range(1, 11))
    slow.gate.set()
    await until(lambda: slow.numbers == list(range(1, 51)))
    event = books.post()
    audience.deliver(KEY, event.number, event, None)
    await until(lambda: slow.numbers == list(range(1, 52)))
    assert quick.numbers == slow.numbers
    await audience.close()

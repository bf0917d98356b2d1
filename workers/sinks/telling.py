"""Walks along tenants' logs and has sinks take what is there, leaf after leaf, until there is no more, or it fails.

Each walk is a task of its own, so whoever hangs holds up nobody else; how many walk at once is bounded, and so is what
each of them holds: two pages and one answer's head. Nothing is set aside and nothing given up: what a sink does not
take waits in the log, which grows anyway. A worker that is killed loses its claims; what it had sent and not written
down is sent again, under the same ids.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client import Counter, Gauge

from core.database import Pool
from core.sinks import cursors
from core.sinks.cursors import Claim
from core.sinks.events import Told
from core.sinks.reading import Log, LogBroken, Page, read_page
from workers.breaker import Breaker
from workers.sinks.choices import Sink
from workers.sinks.places import ABOUT_EVENTS, Code, NotTaken, Taking

log = logging.getLogger(__name__)

# Of one sink, all workers together: each is a connection to it, and two pages.
WALKS_PER_SINK: Final = 8
# Then others have their turn, and the sink's name is looked up anew.
WALK_LASTS: Final = timedelta(seconds=15)
# Whoever was held up for longer asks whether the claim is still theirs before they send: an answer may take the rest.
SURE: Final = cursors.LEASE / 2
# After a failure, doubling: what comes back is told within a minute, this and one answer's time.
RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 30.0
# Longer than they ask and it is not believed: they may be back.
AFTER_S_MAX: Final = 45.0
# So that what failed together does not come back together.
JITTER: Final = 0.2
STOP_S: Final = 5.0
LOOK_S: Final = 0.25
# Tenants that are opened, and named in a file, are followed so soon after.
BEGIN_S: Final = 10.0
WATCH_S: Final = 5.0
# An idle look costs the database about this share of one of its cores at most, however many logs there are.
SHARE_MAX: Final = 0.05
# A sink that is that far behind is worth somebody's while: what comes back is told within a minute.
LATE_S: Final = 120

events_taken = Counter("payhub_sink_events", "Events that a sink has taken.", ["sink"])
failures = Counter("payhub_sink_failures", "Times that a sink did not take what it was sent, by why.", ["sink", "code"])
behind_leaves = Gauge("payhub_sink_behind_leaves", "Batches in tenants' logs that a sink was not told of.", ["sink"])
behind_seconds = Gauge("payhub_sink_behind_seconds", "For how long the oldest of them has been there.", ["sink"])
failing_logs = Gauge("payhub_sink_failing_logs", "Tenants' logs of which a sink takes nothing now.", ["sink"])


def _now() -> datetime:
    return datetime.now(UTC)


class Telling:
    """All that a worker tells. `source`: of the installation, as events name it.

    `now`: what time it is; `ticks`: seconds of a clock that does not jump; `draw`: the dice.
    """

    def __init__(
        self,
        pool: Pool,
        sinks: Sequence[Sink],
        source: str,
        *,
        now: Callable[[], datetime] = _now,
        ticks: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        share_max: float = SHARE_MAX,
    ) -> None:
        self.pool = pool
        self._sinks = sinks
        self.source = source
        self.now = now
        self._ticks = ticks
        self._draw = draw
        self._share_max = share_max
        self._walks: set[asyncio.Task[None]] = set()
        self._breakers = {sink.name: Breaker() for sink in sinks}
        # What a sink takes at once, since it said that more is too much.
        self.most = {sink.name: sink.place.events_max for sink in sinks}
        self._looks_at = 0.0
        self.is_stopping = False

    async def begin(self) -> int:
        """Follow the logs that sinks do not follow yet; how many."""
        return sum([await cursors.begin(self.pool, sink.name, sink.tenants) for sink in self._sinks])

    async def look(self) -> int:
        """Begin walks for what is due; how many. It waits for none of them."""
        began = self._ticks()
        if began < self._looks_at or self.is_stopping:
            return 0
        count = 0
        for sink in self._sinks:
            count += await self._claim(sink)
        ended = self._ticks()
        if not count:
            self._looks_at = ended + (ended - began) / self._share_max
        return count

    async def watch(self) -> int:
        """Show how far behind the sinks are."""
        if not self._sinks:
            return 0
        progress = await cursors.read_progress(self.pool)
        at = self.now()
        for sink in self._sinks:
            of_sink = [one for one in progress if one.sink == sink.name]
            waits = [(at - one.waits_since).total_seconds() for one in of_sink if one.waits_since is not None]
            behind_leaves.labels(sink.name).set(sum(one.behind for one in of_sink))
            behind_seconds.labels(sink.name).set(max(waits, default=0.0))
            failing_logs.labels(sink.name).set(sum(one.failing_since is not None for one in of_sink))
        return 0

    async def settle(self) -> None:
        """Wait until nobody walks."""
        while self._walks:
            await asyncio.wait(self._walks)

    async def close(self, stop_s: float = STOP_S) -> None:
        """Give walks a moment to hear their answer, and end them."""
        self.is_stopping = True
        if self._walks:
            _, late = await asyncio.wait(self._walks, timeout=stop_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def heard(self, sink: Sink, count: int) -> None:
        """So many events were taken there."""
        self._breakers[sink.name].heard(self._ticks())
        events_taken.labels(sink.name).inc(count)

    async def _claim(self, sink: Sink) -> int:
        breaker = self._breakers[sink.name]
        if not breaker.may_ask(self._ticks()):
            return 0
        # Of a sink that is down one log is tried, each time that of another tenant.
        limit = 1 if breaker.is_open else WALKS_PER_SINK
        claims = await cursors.claim(self.pool, sink.name, sink.tenants, self.now(), limit, WALKS_PER_SINK)
        for claim in claims:
            task = asyncio.create_task(self._walk(sink, claim))
            self._walks.add(task)
            task.add_done_callback(self._walks.discard)
        return len(claims)

    async def _walk(self, sink: Sink, claim: Claim) -> None:
        breaker = self._breakers[sink.name]
        walk = _Walk(self, sink, claim)
        try:
            try:
                await walk.go()
            except NotTaken as error:
                failures.labels(sink.name, error.code).inc()
                if error.code in ABOUT_EVENTS:
                    breaker.heard(self._ticks())
                else:
                    breaker.failed(self._ticks(), None if error.after_s is None else min(error.after_s, AFTER_S_MAX))
                if walk.claim.fails == 0:
                    log.warning("sink_failed", extra={"sink": sink.name, "tenant": claim.slug, "code": error.code})
                at = self.now()
                due_at = at + timedelta(seconds=self._rest(walk.claim.fails, error.after_s))
                await cursors.settle_failed(self.pool, walk.claim, at, error.code, due_at)
        except Exception as error:
            # The claim runs out, and somebody begins where the database says that this one came.
            log.warning("sink_walk_failed", extra={"sink": sink.name, "error": type(error).__name__})

    def _rest(self, fails: int, after_s: float | None) -> float:
        wait_s = min(RETRY_S_MIN * 2.0 ** min(fails, 10), RETRY_S_MAX) * (1 - JITTER * self._draw())
        return wait_s if after_s is None else max(wait_s, min(after_s, AFTER_S_MAX))


class _Walk:
    """A walk along one log to one sink. `claim` says how far it was told."""

    def __init__(self, telling: Telling, sink: Sink, claim: Claim) -> None:
        self._telling = telling
        self._pool = telling.pool
        self._sink = sink
        self._log = Log(claim.tenant_id, f"{telling.source}/tenants/{claim.slug}", claim.currency)
        self._ends_at = telling.now() + WALK_LASTS
        self._is_ours_until = telling.now() + SURE
        self.claim = claim

    async def go(self) -> None:
        """Until there is no more, or the claim is somebody else's, or it is the turn of others. Raises NotTaken."""
        page = await self._read(self.claim.number, self.claim.taken)
        while not page.events:
            # Nobody is asked for nothing.
            if not await self._settle(page.number, page.taken):
                return
            if page.is_last or not self._goes_on:
                await self._give_back()
                return
            page = await self._read(page.number, page.taken)
        async with self._sink.place.open() as way:
            await self._go_along(way, page)

    @property
    def _goes_on(self) -> bool:
        return not self._telling.is_stopping and self._telling.now() < self._ends_at

    async def _go_along(self, way: Taking, page: Page) -> None:
        while True:
            # The next page is read while this one is on its way.
            following = None if page.is_last else asyncio.create_task(self._read(page.number, page.taken))
            try:
                if not await self._send(way, page):
                    return
                if following is None or not self._goes_on:
                    await self._give_back()
                    return
                page = await following
            finally:
                if following is not None:
                    await asyncio.gather(following, return_exceptions=True)

    async def _send(self, way: Taking, page: Page) -> bool:
        """Have a page taken. False: the claim was given back, or is somebody else's."""
        at, most = 0, self._telling.most
        while at < len(page.events):
            batch = list(_batch(page.events, at, most[self._sink.name], self._sink.place.bytes_max))
            if self._telling.now() > self._is_ours_until and not await self._settle(*self.claim.place):
                return False
            try:
                await way.take(self.claim.slug, batch)
            except NotTaken as error:
                if error.code is Code.TOO_LARGE and len(batch) > 1:
                    most[self._sink.name] = len(batch) // 2
                    continue
                raise
            self._telling.heard(self._sink, len(batch))
            at += len(batch)
            if at == len(page.events):
                break
            if not await self._settle(batch[-1].number, batch[-1].taken):
                return False
            if not self._goes_on:
                await self._give_back()
                return False
        # With it, past what is not wanted at its end.
        return await self._settle(page.number, page.taken)

    async def _settle(self, number: int, taken: int) -> bool:
        at = self._telling.now()
        self.claim = self.claim._replace(number=number, taken=taken, fails=0)
        self._is_ours_until = at + SURE
        return await cursors.settle_taken(self._pool, self.claim, at, number, taken)

    async def _give_back(self) -> None:
        await cursors.give_back(self._pool, self.claim, self._telling.now())

    async def _read(self, number: int, taken: int) -> Page:
        try:
            return await read_page(self._pool, self._log, number, taken, self._sink.is_wanted)
        except LogBroken as error:
            log.error("sink_log_broken", extra={"tenant": self.claim.slug, "missing": str(error)})
            raise NotTaken(Code.LOG_BROKEN) from None


def _batch(events: Sequence[Told], at: int, count_max: int, bytes_max: int) -> Iterator[Told]:
    """The next that are sent together: one at least, however large."""
    size = 0
    for event in events[at : at + count_max]:
        size += len(event.body) + 1
        if size > bytes_max and size > len(event.body) + 1:
            return
        yield event

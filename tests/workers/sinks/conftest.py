"""A tenant whose log is told to sinks: a real HTTP server and a real Valkey, and a worker whose clock is the test's."""

import asyncio
import itertools
import json
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest_asyncio
from redis.asyncio import Redis

from core.database import Pool, acquire
from core.ledger.posting import post_payments
from core.outside import Outside, Way
from core.proof.notary import Signer
from core.proof.sealing import seal_log
from core.sinks.cursors import Progress, forget, read_progress
from tests.conftest import Books, Database
from tests.core.webhooks.receiver import Heard, Receiver
from tests.workers.webhooks.conftest import LOOPBACK
from tests.workers.webhooks.conftest import Clock as WallClock
from workers.sinks.choices import Sink
from workers.sinks.http import HttpChoice, HttpSink
from workers.sinks.places import Place
from workers.sinks.stream import StreamChoice, StreamSink
from workers.sinks.telling import Telling

SOURCE = "https://pay.example.com"
# Tests do not wait until a look at all logs has been paid for.
EAGER = math.inf
LENGTH_MAX = 1_000

_names = itertools.count()


class Clock(WallClock):
    """Both clocks of a worker."""

    def ticks(self) -> float:
        return self().timestamp()


class Hasty(Outside):
    """Does not wait for an answer for as long as it might."""

    def __init__(self, waits_s: float) -> None:
        super().__init__(LOOPBACK)
        self._waits_s = waits_s

    @asynccontextmanager
    async def open(self, url: str, timeout_s: float = 0.0) -> AsyncIterator[Way]:
        async with super().open(url, timeout_s or self._waits_s) as way:
            yield way


class Desk(NamedTuple):
    """What a test of sinks needs."""

    pool: Pool
    admin: Pool
    signer: Signer
    clock: Clock
    books: Books
    receiver: Receiver
    redis: "Redis"
    redis_url: str
    names: list[str]

    def http(self, path: str = "/events", *, waits_s: float = 15.0, **more: Any) -> Sink:
        """A sink behind the receiver; of this tenant alone, unless told otherwise."""
        return self.sink(HttpSink(HttpChoice(self.receiver.url(path)), Hasty(waits_s)), **more)

    def stream(self, length_max: int = LENGTH_MAX, **more: Any) -> Sink:
        """A sink that is a stream of this tenant's own."""
        return self.sink(StreamSink(StreamChoice(self.redis_url, "events:{tenant}", length_max)), **more)

    def sink(self, place: Place, *, types: tuple[str, ...] | None = None, tenants: Sequence[str] | None = ()) -> Sink:
        self.names.append(f"s{os.getpid()}-{next(_names)}")
        slugs = None if tenants is None else tuple(tenants) or (self.books.tenant.slug,)
        return Sink(self.names[-1], slugs, types, place)

    def telling(self, *sinks: Sink) -> Telling:
        return Telling(
            self.pool, sinks, SOURCE, now=self.clock, ticks=self.clock.ticks, draw=lambda: 0.0, share_max=EAGER
        )

    async def begin(self, *sinks: Sink) -> Telling:
        """A worker, when its sinks follow their logs."""
        await self.seal()
        telling = self.telling(*sinks)
        await telling.begin()
        # A little later by the database's clock, too.
        self.clock.now_ = datetime.now(UTC) + timedelta(minutes=1)
        await self.seal()
        return telling

    async def pay(self, count: int, *, payer: int = 0, payee: int = 1) -> None:
        """Payments of one, a batch each, and in the log."""
        for _ in range(count):
            async with acquire(self.pool) as connection:
                await post_payments(connection, [self.books.payment(payer, payee, 1)])
        await self.seal()

    async def seal(self, *others: int) -> None:
        """Bring what is committed into this tenant's log, and these tenants'. Everybody's is much: all tests so far."""
        for tenant_id in (self.books.tenant.id, *others):
            while await seal_log(self.pool, tenant_id, self.signer, time.time, timedelta(0)):
                pass

    @property
    def outside(self) -> Outside:
        return Outside(LOOPBACK)

    @staticmethod
    def is_told(progress: Progress) -> bool:
        """Whether nothing is left to tell."""
        return progress.behind == 0

    async def progress(self, sink: Sink, slug: str | None = None) -> Progress:
        (found,) = [
            one
            for one in await read_progress(self.admin)
            if (one.sink, one.slug) == (sink.name, slug or self.books.tenant.slug)
        ]
        return found

    async def streamed(self) -> list[dict[str, Any]]:
        """The events in the stream, in order, each under its own id."""
        found = []
        rows: Any = await self.redis.xrange(f"events:{self.books.tenant.slug}")
        for _, fields in rows:
            event = json.loads(fields[b"event"])
            assert fields[b"id"].decode() == event["id"]
            found.append(event)
        return found


OpenDesk = Callable[[Books], Desk]


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    running = await Receiver().start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def desk(
    pool: Pool, admin: Pool, signer: Signer, books: Books, receiver: Receiver, database: Database
) -> AsyncIterator[Desk]:
    redis = Redis.from_url(database.redis_url)
    async with acquire(admin) as connection:
        # One that was there before its sinks.
        await connection.execute(
            "update payhub.tenants set created_at = now() - interval '1 day' where id = $1", books.tenant.id
        )
    found = Desk(pool, admin, signer, Clock(), books, receiver, redis, database.redis_url, [])
    yield found
    for name in found.names:
        await forget(admin, name)
    await redis.aclose()


def events_of(heard: Sequence[Heard]) -> list[dict[str, Any]]:
    """The events of these batches, in order."""
    return [event for one in heard for event in json.loads(one.body)]


def moved(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are about money."""
    return [one for one in events if not one["type"].startswith("payhub.audit.")]


def numbers(events: Sequence[dict[str, Any]], account: int) -> list[int]:
    """The numbers of an account's events, as they came."""
    return [int(one["sequence"]) for one in moved(events) if one["subject"] == str(account)]


def once(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those that came before: what a receiver that remembers ids makes of them."""
    return list({one["id"]: one for one in events}.values())


async def tell_all(*workers: Telling) -> None:
    """Look until there is nothing to do at this moment of the clock."""
    idle = 0
    while idle < 2:
        found = sum(await asyncio.gather(*(worker.look() for worker in workers)))
        await asyncio.gather(*(worker.settle() for worker in workers))
        idle = 0 if found else idle + 1

"""Hands deliveries over on one road: claims them, has each sent, and writes down what came of it.

Many are under way at once and none waits for another: one that hangs holds a place, and nothing else. What fails by
itself is tried again after a while, and set aside after five tries; what fails because the whole service is down uses
up no try and is not even claimed, so that half an hour of silence costs neither memory nor a message. A worker that is
killed loses its claims when their lease ends, and the next one sends them under the same ids.
It knows no protocol: whoever sends says how it went (workers/outcome.py).
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from core.database import Pool
from core.notices.deliveries import TRIES_MAX, Claimed, Road, Settled, State, claim, settle
from workers.breaker import PROBE_S, Breaker
from workers.outcome import AFTER_S_MAX, Delivered, Gone, Later, Outcome, Refused

log = logging.getLogger(__name__)

# Longer than any sender takes to give up, and short enough that what a killed worker had is soon told.
LEASE: Final = timedelta(seconds=60)
# The last resort: senders have deadlines of their own, well within the lease.
SEND_S_MAX: Final = 45.0
CLAIMED_MAX: Final = 200
# While some are being written and signed, the next are claimed.
TURNS_AT_ONCE: Final = 2
# Places that become free gather for so long, rather than that each has a claim of its own: a claim costs the database
# as much as twenty of the deliveries in it.
GATHER_S: Final = 0.01
# Where nobody notifies (a pooler between, a lost connection), looking is what finds the work.
LOOK_S: Final = 0.5
# Several that ended are written down with one statement; none waits longer for it.
SETTLE_S: Final = 0.05
SETTLED_MAX: Final = 500
# Tries are two, eight, thirty-two… seconds apart, more or less.
BACKOFF_S: Final = 2.0
BACKOFF_FACTOR: Final = 4.0
# After an error of ours, or of the database.
PAUSE_S: Final = 1.0
# What waits for one of several services that is down comes back so often, and within a minute of its return is told.
AWAY_S: Final = 30.0
SERVICES_MAX: Final = 1_000
# What is under way when a worker ends may take so long; the rest is another's when its lease ends.
FINISH_S: Final = 10.0

delivered = Counter(
    "payhub_deliveries", "Deliveries that were tried, by road and what came of it.", ["road", "outcome"]
)
under_way = Gauge("payhub_deliveries_under_way", "Deliveries that are being handed over now.", ["road"])
services_down = Gauge("payhub_delivery_services_down", "Services that do not answer. Should be 0.", ["road"])
started_late = Histogram(
    "payhub_delivery_start_seconds",
    "From when a delivery was made to its first try.",
    ["road"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1_800),
)

Message = TypeVar("Message")
Message_contra = TypeVar("Message_contra", contravariant=True)


class Sender(Protocol[Message_contra]):
    """Hands messages over by one protocol. It never raises for what the other side does."""

    def service_of(self, message: Message_contra) -> str:
        """What is up or down as a whole: a host, a provider."""
        ...

    async def send(self, message: Message_contra) -> Outcome:
        """Hand it over once."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Composed(NamedTuple, Generic[Message]):
    """A claimed delivery as it is sent; None: why it cannot be, as a Refused or a Later."""

    claimed: Claimed
    message: Message | None
    why_not: Outcome | None = None


Occasioned = TypeVar("Occasioned", bound="HasClaimed")


class HasClaimed(Protocol):
    """Whatever a message is made of."""

    @property
    def claimed(self) -> Claimed:
        """The delivery that it is about."""
        ...


def compose_each(
    occasions: Sequence[Occasioned], compose: Callable[[Occasioned], Composed[Message]]
) -> list[Composed[Message]]:
    """Each by itself: one whose seal is broken, or that no template can say, is tried and set aside like any other."""
    composed: list[Composed[Message]] = []
    for one in occasions:
        try:
            composed.append(compose(one))
        except Exception as error:
            extra = {"delivery": one.claimed.id, "error": type(error).__name__}
            log.warning("delivery_not_composed", extra=extra)
            composed.append(Composed(one.claimed, None, Later("not_composed")))
    return composed


Compose = Callable[[Sequence[Claimed]], Awaitable[Sequence[Composed[Message]]]]


class Delivering(Generic[Message]):
    """One road of one worker. `places`: how many it hands over at once.

    `is_one_service`: when that one is down nothing is claimed but what tries it; otherwise each message is looked at.
    """

    def __init__(
        self,
        pool: Pool,
        road: Road,
        compose: Compose[Message],
        sender: Sender[Message],
        *,
        places: int,
        is_one_service: bool = True,
        lease: timedelta = LEASE,
        send_s_max: float = SEND_S_MAX,
    ) -> None:
        self._pool, self._road, self._compose, self._sender = pool, road, compose, sender
        self._send_s_max = send_s_max
        self._places, self._lease, self._is_one_service = places, lease, is_one_service
        self._breakers: dict[str, Breaker] = {}
        self._sending: set[asyncio.Task[None]] = set()
        # Places of what is being claimed and written; and whether there was as much as was asked for.
        self._promised = 0
        self._was_full = False
        self._settled: list[Settled] = []
        self._to_settle = asyncio.Event()
        # Set by whoever hears that there is something, or has freed a place.
        self.woken = asyncio.Event()
        self._labels = road.name.lower()
        # Looked up once: each look-up costs as much as a tenth of a push.
        self._under_way, self._down = under_way.labels(self._labels), services_down.labels(self._labels)
        self._started_late = started_late.labels(self._labels)

    async def run(self) -> None:
        """Deliver until cancelled; then finish what is under way, and write it down."""
        settling = asyncio.create_task(self._settle_all())
        try:
            await asyncio.gather(*(self._take_turns() for _ in range(TURNS_AT_ONCE)))
        finally:
            await self._finish(settling)

    async def _take_turns(self) -> None:
        while True:
            # Whoever ends in the middle of a claim would leave it to its lease.
            turn = asyncio.ensure_future(self._turn())
            try:
                took = await asyncio.shield(turn)
            except asyncio.CancelledError:
                await asyncio.gather(turn, return_exceptions=True)
                raise
            except Exception as error:
                log.warning("delivering_failed", extra={"road": self._labels, "error": type(error).__name__})
                took = 0
                await asyncio.sleep(PAUSE_S)
            if not took:
                await self._rest()

    async def _rest(self) -> None:
        self.woken.clear()
        try:
            async with asyncio.timeout(LOOK_S):
                await self.woken.wait()
        except TimeoutError:
            pass

    async def _turn(self) -> int:
        """Claim what there is room for, and begin to send it; how many."""
        share = -(-self._places // TURNS_AT_ONCE)
        if 0 < self._free < share // 2:
            await asyncio.sleep(GATHER_S)
        if self._free <= 0 or (self._promised and not self._was_full):
            # Nothing is free, or somebody is looking already and there is little to be found.
            return 0
        limit = min(self._free, share, CLAIMED_MAX)
        if self._is_down():
            # Whoever is asked now is asked for all of them.
            if self._sending or self._promised or not self._may_probe():
                return 0
            limit = 1
        self._promised += limit
        try:
            return await self._claim(limit)
        finally:
            self._promised -= limit

    @property
    def _free(self) -> int:
        return self._places - len(self._sending) - self._promised

    async def _claim(self, limit: int) -> int:
        claimed = await claim(self._pool, self._road, limit, self._lease)
        self._was_full = len(claimed) == limit
        if not claimed:
            return 0
        for one in claimed:
            if one.tries == 1:
                self._started_late.observe((datetime.now(UTC) - one.made_at).total_seconds())
        fresh = [one for one in claimed if one.tries <= TRIES_MAX]
        for one in claimed:
            if one.tries > TRIES_MAX:
                # So often somebody had it and was not heard of again.
                self._note(Settled(one, State.DEAD, "abandoned"), "dead")
        try:
            composed = await self._compose(fresh)
        except Exception as error:
            # No message's fault: a key service that is away, a database.
            log.warning("composing_failed", extra={"road": self._labels, "error": type(error).__name__})
            for one in fresh:
                self._note(Settled(one, State.WAITING, "composing", _spread(PROBE_S), gives_back=True), "later")
            await asyncio.sleep(PAUSE_S)
            return 0
        for each in composed:
            self._begin(each)
        return len(claimed)

    def _begin(self, composed: Composed[Message]) -> None:
        if composed.message is None:
            assert composed.why_not is not None
            self._take(composed.claimed, composed.why_not)
            return
        breaker = self._breaker(self._sender.service_of(composed.message))
        if breaker.is_open and not self._is_down() and not breaker.may_ask(time.monotonic()):
            # One of several services is down: its own wait, and the others' pass.
            self._note(
                Settled(composed.claimed, State.WAITING, "unavailable", _spread(AWAY_S), gives_back=True), "later"
            )
            return
        task = asyncio.create_task(self._send(composed.claimed, composed.message, breaker))
        self._sending.add(task)
        task.add_done_callback(self._freed)
        self._under_way.set(len(self._sending))

    def _freed(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._under_way.set(len(self._sending))
        self.woken.set()

    async def _send(self, claimed: Claimed, message: Message, breaker: Breaker) -> None:
        try:
            async with asyncio.timeout(self._send_s_max):
                outcome = await self._sender.send(message)
        except TimeoutError:
            outcome = Later("timeout")
        except Exception as error:
            log.warning("sender_failed", extra={"road": self._labels, "error": type(error).__name__})
            outcome = Later("internal")
        now = time.monotonic()
        if not (isinstance(outcome, Later) and outcome.is_theirs):
            breaker.heard(now)
        elif outcome.after_s is None and breaker.is_healthy(now):
            # It takes what others send it: one that fells it each time is set aside like any other.
            breaker.failed(now, outcome.after_s)
            outcome = outcome._replace(is_theirs=False)
        else:
            breaker.failed(now, outcome.after_s)
        self._down.set(sum(one.is_open for one in self._breakers.values()))
        self._take(claimed, outcome)

    def _take(self, claimed: Claimed, outcome: Outcome) -> None:
        match outcome:
            case Delivered():
                self._note(Settled(claimed, State.TAKEN), "taken")
            case Gone(code):
                self._note(Settled(claimed, State.GONE, code), "gone")
            case Refused(code):
                self._note(Settled(claimed, State.DEAD, code), "dead")
            case Later(code, after_s, is_theirs=True):
                wait = _spread(min(after_s or PROBE_S, AFTER_S_MAX))
                self._note(Settled(claimed, State.WAITING, code, wait, gives_back=True), "later")
            case Later(code, after_s):
                if claimed.tries >= TRIES_MAX:
                    self._note(Settled(claimed, State.DEAD, code), "dead")
                    return
                wait = _spread(BACKOFF_S * BACKOFF_FACTOR ** (claimed.tries - 1))
                self._note(Settled(claimed, State.WAITING, code, max(wait, min(after_s or 0.0, AFTER_S_MAX))), "later")

    def _note(self, settled: Settled, outcome: str) -> None:
        delivered.labels(self._labels, outcome).inc()
        if settled.state is State.DEAD:
            log.warning(
                "delivery_set_aside",
                extra={"road": self._labels, "delivery": settled.claimed.id, "code": settled.code},
            )
        self._settled.append(settled)
        self._to_settle.set()

    async def _settle_all(self) -> None:
        while True:
            await self._to_settle.wait()
            await asyncio.sleep(SETTLE_S)
            await self._settle_some()

    async def _settle_some(self) -> None:
        some, self._settled = self._settled[:SETTLED_MAX], self._settled[SETTLED_MAX:]
        if not self._settled:
            self._to_settle.clear()
        try:
            await settle(self._pool, some)
        except BaseException as error:
            # Again: what they were told stands as long as nobody else claims it, and then it is sent once more. Nor is
            # it forgotten when the worker ends in the middle of it.
            self._settled = [*some, *self._settled]
            self._to_settle.set()
            if not isinstance(error, Exception):
                raise
            log.warning("settling_failed", extra={"road": self._labels, "error": type(error).__name__})
            await asyncio.sleep(PAUSE_S)

    async def _finish(self, settling: asyncio.Task[None]) -> None:
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=FINISH_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        while self._settled:
            before = len(self._settled)
            await self._settle_some()
            if len(self._settled) >= before:
                # The database is gone: whoever comes next sends it once more.
                break
        await self._sender.close()

    def _breaker(self, service: str) -> Breaker:
        if len(self._breakers) >= SERVICES_MAX:
            # Whoever registers browsers names hosts: of those that are well there is nothing to remember.
            self._breakers = {name: one for name, one in self._breakers.items() if one.is_open}
        return self._breakers.setdefault(service, Breaker())

    def _is_down(self) -> bool:
        return self._is_one_service and any(one.is_open for one in self._breakers.values())

    def _may_probe(self) -> bool:
        now = time.monotonic()
        asked = [one.may_ask(now) for one in self._breakers.values()]
        return any(asked)


def _spread(seconds: float) -> float:
    """A quarter more or less, so that what failed together does not come back together."""
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311  # spreads load, keeps no secret

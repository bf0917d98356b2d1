"""Authenticated WebSocket payments per second, acknowledged after commit, each payee following its account.

Payers and payees are different people on different connections, spread over the hubs so that half of the
pairs sit on two hubs. Closed loop: each payer has one payment under way. Open loop: payments leave by the
clock, and latency counts from the moment a payment should have left, so a stalled hub cannot hide behind a
waiting generator. It never sends a payment twice, and never counts one that was not posted.
"""

import asyncio
import gc
import os
import statistics
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import UNSET

from hub.protocol.messages import Acknowledge, Event, Follow, Following, Paid, Pay, Refused
from loadtest.ids import uuid7
from loadtest.report import Reporter
from loadtest.stack import Person, Stack
from loadtest.target import Target
from loadtest.wire_ws import Socket, connect_patiently, encode

WARM_UP_SECONDS = 2.0
GRACE_SECONDS = 10.0  # for events still on their way when the last payment is answered
ANSWERS_SECONDS = 30.0  # for payments still under way when the time is over
ACKNOWLEDGE_EVERY = 100  # events …
ACKNOWLEDGE_SECONDS = 1.0  # … or this long: what a wallet does
CONNECTED_AT_ONCE = 50
AGAIN_SECONDS = 0.05  # after a refusal
TICK_SECONDS = 0.001  # of the open loop's clock
AMOUNT = 1


class Clock:
    """What was measured between `start` and `stop`, by everybody."""

    def __init__(self) -> None:
        self.is_running = False
        self.latencies = array("d")
        self.posted = 0  # ever, warm-up included
        self.posted_timed = 0
        self.events = 0
        self.events_timed = 0
        self.errors = 0
        self.codes: dict[str, int] = {}

    def clear(self) -> None:
        """Forget what was measured. What was ever posted and heard stays."""
        self.latencies = array("d")
        self.posted_timed = self.events_timed = self.errors = 0
        self.codes = {}

    def count_error(self, code: str) -> None:
        """A payment that was not posted."""
        self.errors += 1
        self.codes[code] = self.codes.get(code, 0) + 1


class Payer:
    """A connection that pays from its account to its payee's."""

    def __init__(self, clock: Clock, person: Person, payee: int) -> None:
        self.socket = Socket(on_paid=self._take, on_refused=self._take_refusal, on_lost=self._lose)
        self.person = person
        self.under_way: dict[int, float] = {}
        self.goes_on = False  # closed loop: an answer is followed by the next payment
        self._clock = clock
        self._payee = payee
        self._next_id = 0

    def pay(self, due: float) -> None:
        """Send a payment that was due at this moment."""
        self._next_id = id_ = self._next_id + 1
        self.under_way[id_] = due
        self.socket.send(encode(Pay(id_, uuid7(), self.person.account, self._payee, AMOUNT)))

    def _take(self, paid: Paid) -> None:
        now = time.perf_counter()
        due = self.under_way.pop(paid.id)
        clock = self._clock
        if paid.status == "posted":
            clock.posted += 1
            if clock.is_running:
                clock.posted_timed += 1
                clock.latencies.append(now - due)
        else:
            clock.count_error(paid.status)
        if self.goes_on:
            self.pay(now)

    def _take_refusal(self, refused: Refused) -> None:
        self._clock.count_error(refused.code)
        if refused.id is not UNSET:
            self.under_way.pop(refused.id, None)
        if self.goes_on:
            # Not at once: a hub that refuses for going too fast is not to be asked faster.
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._pay_again)

    def _pay_again(self) -> None:
        if self.goes_on:
            self.pay(time.perf_counter())

    def _lose(self) -> None:
        for _ in self.under_way:
            self._clock.count_error("connection lost")
        self.under_way.clear()
        self.goes_on = False


class Payee:
    """A connection that follows its account, checks that no number is missing, and acknowledges."""

    def __init__(self, clock: Clock, person: Person) -> None:
        self.socket = Socket(on_event=self._take)
        self.person = person
        self.gaps = 0
        self._clock = clock
        self._number = 0
        self._acknowledged = 0

    async def follow(self) -> None:
        """Begin to follow."""
        answer = await self.socket.ask(Follow(1, self.person.account))
        assert isinstance(answer, Following)
        self._number = self._acknowledged = answer.number

    def acknowledge(self) -> None:
        """Say how far it has seen, if that is news."""
        if self._number > self._acknowledged:
            self._acknowledged = self._number
            self.socket.send(encode(Acknowledge(self.person.account, self._number)))

    def _take(self, event: Event) -> None:
        clock = self._clock
        clock.events += 1
        if clock.is_running:
            clock.events_timed += 1
        self.gaps += event.number != self._number + 1
        self._number = event.number
        if self._number - self._acknowledged >= ACKNOWLEDGE_EVERY:
            self.acknowledge()


class Lane:
    """Payers and payees who are connected to a target: driven for a while, as often as one likes."""

    def __init__(self, target: Target, clock: Clock, payers: Sequence[Payer], payees: Sequence[Payee]) -> None:
        self._target = target
        self._clock = clock
        self._payers = payers
        self._payees = payees

    @classmethod
    async def open(cls, target: Target, clients: int) -> "Lane":
        """Connect them. The first half of the target's people pay, the second half is paid."""
        clock = Clock()
        return cls(target, clock, *await _connect(target, clock, clients))

    async def drive(
        self, *, seconds: float, rate: int | None = None, warm_up_s: float = WARM_UP_SECONDS
    ) -> dict[str, Any]:
        """Pay for so long, wait for what is under way, and give the figures."""
        clock, payers, payees = self._clock, self._payers, self._payees
        clock.clear()
        acknowledging = asyncio.create_task(_acknowledge(payees))
        driving = asyncio.create_task(_drive_open(payers, rate)) if rate else None
        if driving is None:
            for payer in payers:
                payer.goes_on = True
                payer.pay(time.perf_counter())
        try:
            used, took = await _time(clock, self._target.stack, seconds, warm_up_s)
        finally:
            if driving is not None:
                driving.cancel()
            for payer in payers:
                payer.goes_on = False
        missing = await _wait_for_the_rest(clock, payers)
        acknowledging.cancel()
        return _figures(clock, took, len(payers), rate) | {
            "missing_events": missing,
            "gaps": sum(payee.gaps for payee in payees),
            "cpu_seconds": used,
        }

    def close(self) -> None:
        """Hang up."""
        for socket in (*(payer.socket for payer in self._payers), *(payee.socket for payee in self._payees)):
            socket.close()


async def pay(target: Target, report: Reporter, *, clients: int, rate: int | None, seconds: float) -> dict[str, Any]:
    """Measure once and give the figures. The first half of the target's people pay, the second half is paid."""
    lane = await Lane.open(target, clients)
    report.note(f"{clients} payers and {clients} payees are connected; measuring {seconds:g} s …")
    figures = await lane.drive(seconds=seconds, rate=rate)
    lane.close()
    return figures


async def _connect(target: Target, clock: Clock, clients: int) -> tuple[list[Payer], list[Payee]]:
    people = target.people
    payees = [Payee(clock, person) for person in people[clients : 2 * clients]]
    payers = [Payer(clock, people[at], payees[at].person.account) for at in range(clients)]
    hubs = len(target.urls)
    where = [(payer, target.urls[at % hubs]) for at, payer in enumerate(payers)]
    # One payee in two (with two hubs) sits on another hub than its payer: the event has to travel.
    where_paid = [(payee, target.urls[(at + at // hubs) % hubs]) for at, payee in enumerate(payees)]
    everybody: list[tuple[Payer | Payee, str]] = [*where, *where_paid]
    for start in range(0, len(everybody), CONNECTED_AT_ONCE):
        part = everybody[start : start + CONNECTED_AT_ONCE]
        await asyncio.gather(*(connect_patiently(url, each.person.token, each.socket) for each, url in part))
    for start in range(0, len(payees), CONNECTED_AT_ONCE):
        await asyncio.gather(*(payee.follow() for payee in payees[start : start + CONNECTED_AT_ONCE]))
    return payers, payees


async def _drive_open(payers: Sequence[Payer], rate: int) -> None:
    """Payments by the clock, whatever became of the earlier ones."""
    began = time.perf_counter()
    sent = 0
    while True:
        due = int((time.perf_counter() - began) * rate)
        while sent < due:
            payers[sent % len(payers)].pay(began + sent / rate)
            sent += 1
        await asyncio.sleep(TICK_SECONDS)


async def _time(clock: Clock, stack: Stack | None, seconds: float, warm_up_s: float) -> tuple[dict[str, float], float]:
    """Warm up, then run the clock. Gives the CPU seconds used meanwhile and the seconds that it took."""
    await asyncio.sleep(warm_up_s)
    gc.collect()
    gc.freeze()
    before = _used(stack)
    began = time.perf_counter()
    clock.is_running = True
    await asyncio.sleep(seconds)
    clock.is_running = False
    took = time.perf_counter() - began
    after = _used(stack)
    return {name: round(after[name] - before[name], 2) for name in after}, took


async def _wait_for_the_rest(clock: Clock, payers: Sequence[Payer]) -> int:
    """Until all answers and all events are here, or the grace is over. Gives the events missing."""
    await _wait_until(lambda: not any(payer.under_way for payer in payers), ANSWERS_SECONDS)
    for payer in payers:
        for _ in payer.under_way:
            clock.count_error("no answer")
    await _wait_until(lambda: clock.events >= clock.posted, GRACE_SECONDS)
    return clock.posted - clock.events


async def _wait_until(is_so: Callable[[], bool], patience_s: float) -> None:
    """Look now and then: a signal from the hot callbacks would cost them more than this costs us."""
    deadline = time.monotonic() + patience_s
    while not is_so() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


async def _acknowledge(payees: Sequence[Payee]) -> None:
    while True:
        await asyncio.sleep(ACKNOWLEDGE_SECONDS)
        for payee in payees:
            payee.acknowledge()


def _figures(clock: Clock, took: float, clients: int, rate: int | None) -> dict[str, Any]:
    latencies = sorted(clock.latencies)
    return {
        "per_second": round(clock.posted_timed / took, 1),
        "events_per_second": round(clock.events_timed / took, 1),
        "p50_ms": _percentile_ms(latencies, 0.5),
        "p99_ms": _percentile_ms(latencies, 0.99),
        "p999_ms": _percentile_ms(latencies, 0.999),
        "mean_ms": round(statistics.fmean(latencies) * 1000, 3) if latencies else None,
        "clients": clients,
        "rate": rate,
        "seconds": round(took, 3),
        "errors": clock.errors,
        "error_codes": clock.codes,
    }


def _percentile_ms(latencies: Sequence[float], share: float) -> float | None:
    return round(latencies[int(share * (len(latencies) - 1))] * 1000, 3) if latencies else None


def _used(stack: Stack | None) -> dict[str, float]:
    if stack is None:
        return cpu_seconds({})
    own = {"hubs": [hub.pid for hub in stack.hubs], "workers": sorted(stack.worker_pids)}
    return cpu_seconds({**own, **servers_of(stack)})


def servers_of(stack: Stack) -> dict[str, list[int]]:
    """The processes of PostgreSQL and of Valkey."""
    postgres = stack.servers.postgres_pid
    children = [pid for pid, parent in _parents().items() if parent == postgres]
    return {"postgres": [postgres, *children], "redis": [stack.servers.redis_pid]}


def cpu_seconds(groups: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """CPU seconds so far, of the generator and, where there is /proc, of these processes."""
    own = os.times()
    used = {"generator": own.user + own.system}
    if not Path("/proc/self/stat").exists():
        return used
    return used | {name: sum(map(_cpu_seconds_of, pids)) for name, pids in groups.items()}


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    if not Path("/proc/self/stat").exists():
        return found
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                found[int(entry.name)] = int(fields[1])
    return found


def _cpu_seconds_of(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

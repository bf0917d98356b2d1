"""Replays a bank's file through a hub: opens the accounts, sends every transaction, reads every balance back.

Each account has one payment under way, so its transactions are posted in order; hundreds of accounts are
under way at once. A payment's id is made from the run and the transaction: whatever is sent again is the same
payment. It never looks into the database, and never counts what the hub did not answer.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import UNSET

from hub.protocol.codes import MEANINGS, ErrorCode
from hub.protocol.messages import (
    BalanceAnswer,
    OpenPerson,
    Paid,
    Pay,
    PersonOpened,
    ReadBalance,
    Refused,
    Resume,
    Resumed,
    SetFloor,
)
from loadtest.berka import SYSTEM_ACCOUNTS, Transaction, floor_of, read_transactions
from loadtest.report import Bar, Reporter
from loadtest.stack import Stack
from loadtest.target import Target
from loadtest.wire_http import HttpError, log_in
from loadtest.wire_ws import AuthenticationRefused, CommandRefused, Lost, Socket, connect, encode

PIPELINED = 100  # commands other than payments under way on one connection; a hub refuses above 256
SETTLED_AT_ONCE = 500  # what one resume may name
STALLED_SECONDS = 90.0  # without a single answer: the hub is gone, and so are we
TOLERANCE = 100  # the bank rounds its balances; 1.00 is far above what that adds up to
RECONNECT_SECONDS = (0.02, 0.3)
UNKNOWN = "unknown"


class ReplayError(Exception):
    """The replay cannot go on: one sentence."""


class Lane:
    """One account's transactions, and how far they are."""

    __slots__ = ("account", "attempt", "first", "frames", "next", "transactions")

    def __init__(self, account: int, transactions: Sequence[Transaction], first: int) -> None:
        self.account = account
        self.transactions = transactions
        self.first = first  # correlation id of its first transaction
        self.next = 0
        self.attempt = 0  # how often the id of the next one was fenced
        self.frames: list[bytes] = []

    def prepare(self, run: uuid.UUID) -> None:
        """Encode everything before the clock starts."""
        self.frames = [self._encode(run, at, 0) for at in range(len(self.transactions))]

    def frame(self, run: uuid.UUID) -> bytes:
        """The next payment, encoded."""
        return self._encode(run, self.next, self.attempt) if self.attempt else self.frames[self.next]

    def payment_id(self, run: uuid.UUID) -> str:
        """The id of the next payment."""
        return _payment_id(run, self.transactions[self.next].trans_id, self.attempt)

    @property
    def correlation_id(self) -> int:
        """The correlation id of the next payment."""
        return self.first + self.next

    def advance(self) -> bool:
        """The next one is done. False: it was the last."""
        self.next += 1
        self.attempt = 0
        return self.next < len(self.transactions)

    def _encode(self, run: uuid.UUID, at: int, attempt: int) -> bytes:
        transaction = self.transactions[at]
        payer, payee = self.account, transaction.counterparty
        if transaction.amount > 0:
            payer, payee = payee, payer
        payment = _payment_id(run, transaction.trans_id, attempt)
        return encode(Pay(self.first + at, payment, payer, payee, abs(transaction.amount)))


def _payment_id(run: uuid.UUID, trans_id: int, attempt: int) -> str:
    return str(uuid.uuid5(run, f"{trans_id}/{attempt}" if attempt else str(trans_id)))


class Login:
    """The operator's token, made anew when it has ended."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.token = ""

    async def refresh(self, url: str) -> str:
        """A new token."""
        target = self._target
        self.token = await log_in(url, target.tenant, target.login, target.password)
        return self.token


class Carrier:
    """One connection and the lanes that it carries, however often it breaks."""

    def __init__(self, run: uuid.UUID, urls: Sequence[str], login: Login, lanes: Sequence[Lane]) -> None:
        self._run = run
        self._urls = list(urls)
        self._login = login
        self._under_way: dict[int, Lane] = {}
        self._waiting = [lane for lane in lanes if lane.transactions]
        self._unfinished = len(self._waiting)
        self._socket: Socket | None = None
        self._wake = asyncio.Event()
        self.posted = self.refused = self.resent = self.reconnects = 0
        self.refusals: dict[str, int] = {}

    async def carry(self) -> None:
        """Connect, send everything, come back when the connection breaks."""
        while self._unfinished:
            self._wake.clear()
            self._socket = await self._connect()
            await self._settle(self._socket)
            waiting, self._waiting = self._waiting, []
            for lane in waiting:
                self._send(lane)
            while self._unfinished and self._socket.is_open:
                await self._wake.wait()
                self._wake.clear()
            self.reconnects += bool(self._unfinished)
        if self._socket is not None:
            self._socket.close()

    async def _connect(self) -> Socket:
        deadline = time.monotonic() + STALLED_SECONDS
        while True:
            try:
                socket = Socket(on_paid=self._take, on_refused=self._take_refusal, on_lost=self._wake.set)
                return await connect(self._urls[0], self._login.token, socket)
            except AuthenticationRefused:
                await self._login.refresh(self._urls[0])
            except (Lost, HttpError, OSError) as error:
                if time.monotonic() > deadline:
                    raise ReplayError(f"No hub can be reached at {', '.join(self._urls)}.") from error
                self._urls.append(self._urls.pop(0))
                await asyncio.sleep(random.uniform(*RECONNECT_SECONDS))

    async def _settle(self, socket: Socket) -> None:
        """Learn what became of the payments whose answers the last connection took with it."""
        doubtful = {lane.payment_id(self._run): lane for lane in self._under_way.values()}
        ids = list(doubtful)
        try:
            for start in range(0, len(ids), SETTLED_AT_ONCE):
                part = ids[start : start + SETTLED_AT_ONCE]
                answer = await socket.ask(Resume(start, in_doubt=part))
                assert isinstance(answer, Resumed)
                for settled in answer.settled:
                    lane = doubtful[settled.payment]
                    self._under_way.pop(lane.correlation_id)
                    self._judge(lane, settled.status)
        except (Lost, CommandRefused, TimeoutError):
            socket.close()  # what is left is in doubt still

    def _send(self, lane: Lane) -> None:
        assert self._socket is not None
        self._under_way[lane.correlation_id] = lane
        self._socket.send(lane.frame(self._run))

    def _take(self, paid: Paid) -> None:
        lane = self._under_way.get(paid.id)
        if lane is None:
            return
        if paid.status == UNKNOWN:
            self._send_later(lane, 100)
            return
        del self._under_way[paid.id]
        self._judge(lane, paid.status)

    def _judge(self, lane: Lane, status: str) -> None:
        """Go on with a lane whose payment came to an end."""
        if status == "fenced":
            # That id is dead: the same transaction goes out under its next one.
            lane.attempt += 1
            self.resent += 1
        else:
            self.posted += status == "posted"
            if status != "posted":
                self._count_refusal(status)
            if not lane.advance():
                self._unfinished -= 1
                if not self._unfinished:
                    self._wake.set()
                return
        self._send(lane)

    def _take_refusal(self, refused: Refused) -> None:
        lane = None if refused.id is UNSET else self._under_way.get(refused.id)
        if lane is None:
            return
        if MEANINGS[ErrorCode(refused.code)].retry:
            wait_ms = refused.retry_after_ms
            self._send_later(lane, wait_ms if isinstance(wait_ms, int) else 100)
        else:
            del self._under_way[lane.correlation_id]
            self._judge(lane, refused.code)

    def _send_later(self, lane: Lane, wait_ms: int) -> None:
        """The same payment again. It stays among those under way, so a broken connection settles it, too."""
        correlation_id, socket = lane.correlation_id, self._socket
        self.resent += 1

        def send() -> None:
            if self._socket is socket and self._under_way.get(correlation_id) is lane:
                self._send(lane)

        asyncio.get_running_loop().call_later(wait_ms / 1000 * random.uniform(1.0, 1.5), send)

    def _count_refusal(self, code: str) -> None:
        self.refused += 1
        self.refusals[code] = self.refusals.get(code, 0) + 1


class Ledger(NamedTuple):
    """The file's accounts as the hub knows them."""

    lanes: list[Lane]
    before: dict[int, int]  # balances of the tenant's own accounts


async def replay(
    path: Path, target: Target, report: Reporter, *, connections: int, kill_hub_every: float | None
) -> dict[str, Any]:
    """Replay the file and give the figures. Raises ReplayError, FormatError, HttpError."""
    accounts = read_transactions(path)
    run = uuid.uuid4()
    login = Login(target)
    await login.refresh(target.urls[0])
    desk = await connect(target.urls[0], login.token)
    began = time.perf_counter()
    ledger = await _open(desk, accounts, report)
    opening_s = time.perf_counter() - began
    for lane in ledger.lanes:
        lane.prepare(run)
    desk.close()

    carriers = [
        Carrier(run, _rotated(target.urls, number), login, ledger.lanes[number::connections])
        for number in range(min(connections, len(ledger.lanes)))
    ]
    total = sum(map(len, accounts.values()))
    began = time.perf_counter()
    kills = await _carry(carriers, total, report, target.stack, kill_hub_every)
    seconds = time.perf_counter() - began

    await login.refresh(target.urls[0])
    desk = await _connect_desk(target, login)
    after = await _balances(desk, [*SYSTEM_ACCOUNTS, *(lane.account for lane in ledger.lanes)])
    desk.close()
    return {
        "accounts": len(accounts),
        "transactions": total,
        "seconds": round(seconds, 3),
        "per_second": round(total / seconds, 1),
        **_differences(ledger, after),
        "hub_kills": kills,
        "connections": len(carriers),
        "posted": sum(carrier.posted for carrier in carriers),
        "refused": sum(carrier.refused for carrier in carriers),
        "sent_again": sum(carrier.resent for carrier in carriers),
        "reconnects": sum(carrier.reconnects for carrier in carriers),
        "opening_seconds": round(opening_s, 3),
        "refusals": _sum_up(carrier.refusals for carrier in carriers),
    }


def is_right(figures: dict[str, Any]) -> bool:
    """Whether everything that must be zero is."""
    return not any(figures[name] for name in ("differ_from_sums", "differ_from_bank", "tenant_sum"))


async def _open(desk: Socket, accounts: dict[int, list[Transaction]], report: Reporter) -> Ledger:
    """A fresh person for each account, and the floors that the file needs."""
    names = list(accounts)
    with report.progress("accounts", len(names)) as bar:
        commands = [OpenPerson(at, f"Account {name}", "customer") for at, name in enumerate(names)]
        opened = [answer async for answer in _pipeline(desk, commands, bar)]
    lanes = []
    first = 0
    for name, answer in zip(names, opened, strict=True):
        assert isinstance(answer, PersonOpened)
        lanes.append(Lane(answer.account, accounts[name], first))
        first += len(accounts[name])
    floors = [(lane.account, floor) for lane in lanes if (floor := floor_of(lane.transactions)) < 0]
    async for _ in _pipeline(desk, [SetFloor(at, *pair) for at, pair in enumerate(floors)]):
        pass
    return Ledger(lanes, await _balances(desk, SYSTEM_ACCOUNTS))


async def _carry(
    carriers: Sequence[Carrier],
    total: int,
    report: Reporter,
    stack: Stack | None,
    kill_hub_every: float | None,
) -> int:
    """Run all carriers to their end, killing hubs meanwhile if asked to. Gives the number of kills."""
    killer = None if kill_hub_every is None or stack is None else Killer(stack, kill_hub_every)
    killing = asyncio.create_task(killer.run()) if killer else None
    running = asyncio.gather(*(carrier.carry() for carrier in carriers))
    try:
        with report.progress("transactions", total) as bar:
            await _watch(running, carriers, bar)
    finally:
        running.cancel()
        if killer is not None and killing is not None:
            killer.stop()
            await killing
    return killer.kills if killer else 0


async def _watch(running: "asyncio.Future[Any]", carriers: Sequence[Carrier], bar: Bar) -> None:
    reached, reached_at = 0, time.monotonic()
    while not running.done():
        await asyncio.wait([running], timeout=0.1)
        done = sum(carrier.posted + carrier.refused for carrier in carriers)
        bar.reach(done)
        if done != reached:
            reached, reached_at = done, time.monotonic()
        elif time.monotonic() - reached_at > STALLED_SECONDS:
            raise ReplayError(f"No answer for {STALLED_SECONDS:.0f} seconds, after {done} transactions.")
    await running


class Killer:
    """Kills the hubs of our own stack in turn, each while the others serve, and starts them again."""

    def __init__(self, stack: Stack, every_s: float) -> None:
        self._stack = stack
        self._every_s = every_s
        self._stopped = asyncio.Event()
        self.kills = 0

    def stop(self) -> None:
        """Kill no more."""
        self._stopped.set()

    async def run(self) -> None:
        """Kill until stopped; at the end all hubs serve."""
        while not await self._is_stopped_within(self._every_s):
            hub = self._stack.hubs[self.kills % len(self._stack.hubs)]
            hub.kill()
            self.kills += 1
            await asyncio.to_thread(hub.start)

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return False
        return True


async def _connect_desk(target: Target, login: Login) -> Socket:
    for url in target.urls:
        try:
            return await connect(url, login.token)
        except Lost:
            continue
    raise ReplayError("No hub can be reached to read the balances.")


async def _balances(desk: Socket, accounts: Sequence[int]) -> dict[int, int]:
    answers = [
        answer async for answer in _pipeline(desk, [ReadBalance(at, account) for at, account in enumerate(accounts)])
    ]
    return {answer.account: answer.posted for answer in answers if isinstance(answer, BalanceAnswer)}


async def _pipeline(desk: Socket, commands: Sequence[Any], bar: Bar | None = None) -> Any:
    """The answers to many commands, in order, PIPELINED at a time."""
    for start in range(0, len(commands), PIPELINED):
        try:
            answers = await asyncio.gather(*(desk.ask(command) for command in commands[start : start + PIPELINED]))
        except CommandRefused as error:
            raise ReplayError(f"The hub refused to prepare or read the accounts: {error}") from error
        if bar is not None:
            bar.reach(start + len(answers))
        for answer in answers:
            yield answer


def _differences(ledger: Ledger, after: dict[int, int]) -> dict[str, int]:
    """How many accounts are not what the file says, and whether money appeared or vanished."""
    sums = {lane.account: sum(each.amount for each in lane.transactions) for lane in ledger.lanes}
    moved = sum(after[account] - ledger.before[account] for account in SYSTEM_ACCOUNTS)
    return {
        "differ_from_sums": sum(after[account] != expected for account, expected in sums.items()),
        "differ_from_bank": sum(
            abs(after[lane.account] - lane.transactions[-1].balance) > TOLERANCE for lane in ledger.lanes
        ),
        "tenant_sum": moved + sum(after[account] for account in sums),
    }


def _rotated(urls: Sequence[str], by: int) -> list[str]:
    by %= len(urls)
    return [*urls[by:], *urls[:by]]


def _sum_up(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for code, count in each.items():
            total[code] = total.get(code, 0) + count
    return total

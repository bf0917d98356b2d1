"""Everybody comes back at once: hubs are killed under thousands of clients, and started again.

Each client follows its account. When its socket breaks it waits a moment of its own, connects, authenticates by its
first message and resumes from the number it saw last; what was posted meanwhile has to be among what it is told. They
come from addresses of their own, as behind a proxy, and know two hubs. Log-ins are measured apart: each costs a hash.
"""

import asyncio
import itertools
import random
import statistics
import time
import uuid
from collections.abc import Sequence
from typing import Any

import httpx2

from hub.protocol.messages import Event, Follow, Following, Pay, Resume, Resumed
from loadtest.ids import uuid7
from loadtest.report import Reporter
from loadtest.stack import TENANT, Stack, running_stack
from loadtest.stack import Person as Seeded
from loadtest.wire_ws import CommandRefused, Lost, Socket, connect, connect_patiently, encode

CONNECTED_AT_ONCE = 64
# A client's first wait is drawn from here, and each that fails doubles it: full jitter.
WAIT_FIRST_S, WAIT_MAX_S = 1.0, 4.0
PATIENCE_S = 120.0
PAID_WHILE_AWAY = 200
LOG_IN_PEOPLE = 16
LOG_INS_AT_ONCE = 8
PASSWORD = "correct horse of the storm"  # noqa: S105  # of people who are deleted with the stack
SETTINGS = {"PAYHUB_TRUSTED_PROXIES": "127.0.0.1"}


class StormError(Exception):
    """Somebody did not come back, or was not told what happened meanwhile: one sentence."""


class Client:
    """One person's wallet, and where it got to."""

    def __init__(self, person: Seeded, urls: Sequence[str], number: int) -> None:
        self.person = person
        self.address = f"10.{number // 65_536 % 256}.{number // 256 % 256}.{number % 256}"
        self.number = 0
        self.back_after_s: float | None = None
        self.tries = 0
        self.refused = 0
        self._urls = itertools.cycle(urls if number % 2 else list(reversed(urls)))
        self._socket: Socket | None = None
        self.lost = asyncio.Event()

    async def arrive(self) -> None:
        """Connect for the first time, and follow."""
        self._socket = Socket(on_event=self._take, on_lost=self.lost.set)
        await connect_patiently(next(self._urls), self.person.token, self._socket, PATIENCE_S, self.address)
        answer = await self._socket.ask(Follow(1, self.person.account))
        assert isinstance(answer, Following)
        self.number = answer.number

    async def return_(self, began: float) -> None:
        """Come back, as a client library would."""
        await self.lost.wait()
        wait = WAIT_FIRST_S
        while True:
            await asyncio.sleep(random.uniform(0, wait))
            self.tries += 1
            self.lost.clear()
            self._socket = Socket(on_event=self._take, on_lost=self.lost.set)
            try:
                await connect(next(self._urls), self.person.token, self._socket, self.address)
                answer = await self._socket.ask(Resume(1, follow=[(self.person.account, self.number)]))
            except (Lost, TimeoutError):
                wait = min(2 * wait, WAIT_MAX_S)
                continue
            except CommandRefused:
                # A hub that is too busy at this moment says so: hang up, and come again like one who was not let in.
                self.refused += 1
                self._socket.close()
                wait = min(2 * wait, WAIT_MAX_S)
                continue
            assert isinstance(answer, Resumed)
            self.back_after_s = time.perf_counter() - began
            return

    def leave(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()

    def _take(self, event: Event) -> None:
        self.number = max(self.number, event.number)


async def storm(report: Reporter, *, clients: int, hubs: int) -> dict[str, Any]:
    """Kill the hubs, start them, and wait for everybody. Raises StormError."""
    with running_stack(hubs, [SETTINGS] * hubs) as stack:
        crowd = await asyncio.to_thread(stack.seed, clients)
        wallets = [Client(person, stack.urls, at) for at, person in enumerate(crowd.people)]
        with report.progress("connections", clients) as bar:
            for first in range(0, clients, CONNECTED_AT_ONCE):
                await asyncio.gather(*(wallet.arrive() for wallet in wallets[first : first + CONNECTED_AT_ONCE]))
                bar.reach(first + CONNECTED_AT_ONCE)
        report.note("Everybody is connected and follows; killing the hubs …")
        began = time.perf_counter()
        for hub in stack.hubs:
            hub.kill()
        returning = [asyncio.create_task(wallet.return_(began)) for wallet in wallets]
        await asyncio.to_thread(_start, stack)
        started_s = time.perf_counter() - began
        paid = await _pay_some(stack, crowd.operator_token, wallets)
        with report.progress("back again", clients) as bar:
            while not all(task.done() for task in returning):
                if time.perf_counter() - began > PATIENCE_S:
                    raise StormError(f"{sum(not task.done() for task in returning)} clients did not come back.")
                bar.reach(sum(task.done() for task in returning))
                await asyncio.sleep(0.1)
            bar.reach(clients)
        await asyncio.gather(*returning)
        await _wait_for_events(paid)
        back = sorted(wallet.back_after_s or 0.0 for wallet in wallets)
        for wallet in wallets:
            wallet.leave()
        log_ins = await _measure_log_ins(stack, report)
    return {
        "clients": clients,
        "hubs": hubs,
        "hubs_ready_s": round(started_s, 2),
        "back_p50_s": round(statistics.median(back), 2),
        "back_all_s": round(back[-1], 2),
        "back_all_after_ready_s": round(back[-1] - started_s, 2),
        "tries": sum(wallet.tries for wallet in wallets),
        "refused": sum(wallet.refused for wallet in wallets),
        "paid_while_away": len(paid),
        **log_ins,
    }


def _start(stack: Stack) -> None:
    for hub in stack.hubs:
        hub.start()


async def _pay_some(stack: Stack, token: str, wallets: Sequence[Client]) -> list[tuple[Client, int]]:
    """Somebody is paid while most are away. Gives each of them and the number that tells of it."""
    socket = await connect(stack.urls[0], token, address="10.255.0.1")
    paid = []
    for payer, payee in zip(wallets[:PAID_WHILE_AWAY], wallets[-PAID_WHILE_AWAY:], strict=True):
        socket.send(encode(Pay(1, uuid7(), payer.person.account, payee.person.account, 1)))
        paid.append((payee, 1))
    return paid


async def _wait_for_events(paid: Sequence[tuple[Client, int]]) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while not all(client.number > before for client, before in paid):
        if time.perf_counter() > deadline:
            raise StormError("Somebody was not told what they were paid while they were away.")
        await asyncio.sleep(0.05)


async def _measure_log_ins(stack: Stack, report: Reporter) -> dict[str, Any]:
    """Log-ins per second, by people who were registered for it."""
    logins = [f"storm-{uuid.uuid4().hex[:12]}" for _ in range(LOG_IN_PEOPLE)]
    numbers = itertools.count()

    async with httpx2.AsyncClient(timeout=60) as client:

        async def ask(path: str, **body: str) -> int:
            number = next(numbers)
            # Of a network of their own: guesses are counted by network.
            address = f"10.{128 + number // 250 % 100}.{number % 250}.7"
            answer = await client.post(
                f"{stack.urls[number % len(stack.urls)]}{path}",
                json={"tenant": TENANT, "password": PASSWORD, **body},
                headers={"x-forwarded-for": address},
            )
            return int(answer.status_code)

        async def take_turns(statuses: list[int], path: str, wanted: list[dict[str, str]]) -> None:
            while wanted:
                statuses.append(await ask(path, **wanted.pop()))

        report.note("Registering people who log in …")
        statuses: list[int] = []
        register = [{"login": login, "name": "Somebody"} for login in logins]
        await asyncio.gather(*(take_turns(statuses, "/v1/register", register) for _ in range(LOG_INS_AT_ONCE)))
        if set(statuses) != {201}:
            raise StormError(f"Registering was answered {set(statuses)}.")
        wanted = [{"login": login} for _ in range(5) for login in logins]
        count, statuses, began = len(wanted), [], time.perf_counter()
        await asyncio.gather(*(take_turns(statuses, "/v1/login", wanted) for _ in range(LOG_INS_AT_ONCE)))
        took = time.perf_counter() - began
        if set(statuses) != {200}:
            raise StormError(f"Log-ins were answered {set(statuses)}.")
    return {"log_ins": count, "log_ins_per_second": round(count / took, 1)}

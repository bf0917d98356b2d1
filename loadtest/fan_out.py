"""One event to thousands of sockets: from the first that has it to the last, and from the payer's answer to the last.

All follow one account, as operators may follow any: each socket from an address of its own, as behind a proxy. In every
round somebody is paid once, and every socket has to be told once. What the generator takes to read is counted, too: it
is one process, and stands for thousands of machines.
"""

import asyncio
import gc
import statistics
import time
from array import array
from functools import partial
from typing import Any, Final

from hub.protocol.messages import Event, Follow, Paid, Pay
from loadtest.ids import uuid7
from loadtest.report import Reporter
from loadtest.stack import Crowd, Stack, running_stack
from loadtest.wire_ws import Socket, connect, connect_patiently, encode

CONNECTED_AT_ONCE: Final = 32
# Within what a hub gives to one person.
SOCKETS_EACH: Final = 50
PATIENCE_S: Final = 60.0
# Between rounds, until nothing is under way any more.
REST_S: Final = 0.3
SETTLE_S: Final = 1.0
SETTINGS: Final = {"PAYHUB_TRUSTED_PROXIES": "127.0.0.1"}


class FanOutError(Exception):
    """Somebody was not told, or was told twice: one sentence."""


class _Round:
    """One payment, and when whom it was told."""

    def __init__(self) -> None:
        self.came = array("d")
        self.answered = 0.0

    def take(self, event: Event) -> None:
        """A socket has it."""
        self.came.append(time.perf_counter())

    def answer(self, paid: Paid) -> None:
        """The payer knows."""
        if paid.status == "posted":
            self.answered = time.perf_counter()


async def fan_out(report: Reporter, *, sockets: int, rounds: int, hubs: int) -> dict[str, Any]:
    """Medians and the worst of all rounds. Raises FanOutError."""
    report.note(f"Starting PostgreSQL, Valkey and {hubs} hubs in a temporary folder …")
    with running_stack(hubs, [SETTINGS] * hubs) as stack:
        figures = await fan_out_on(stack, report, sockets=sockets, rounds=rounds)
    return {**figures, "hubs": hubs}


async def fan_out_on(stack: Stack, report: Reporter, *, sockets: int, rounds: int) -> dict[str, Any]:
    """The same on a stack that runs, whose hubs have SETTINGS."""
    crowd = await asyncio.to_thread(partial(stack.seed, 2, operators=-(-sockets // SOCKETS_EACH)))
    current = _Round()
    listeners = [Socket(on_event=lambda event: current.take(event)) for _ in range(sockets)]
    payer = Socket(on_paid=lambda paid: current.answer(paid))
    await _connect(report, stack, crowd, listeners)
    await connect(stack.urls[0], crowd.people[0].token, payer, "10.255.0.1")
    await asyncio.sleep(SETTLE_S)
    gc.collect()
    gc.freeze()
    spans, delays = [], []
    with report.progress("rounds", rounds) as bar:
        # The first one warms everybody up.
        for number in range(-1, rounds):
            current = _Round()
            payer.send(encode(Pay(number + 2, uuid7(), crowd.people[0].account, crowd.people[1].account, 1)))
            await _wait(current, sockets)
            if number >= 0:
                spans.append((max(current.came) - min(current.came)) * 1000)
                delays.append((max(current.came) - current.answered) * 1000)
            bar.reach(number + 1)
    for one in (payer, *listeners):
        one.close()
    return {
        "sockets": sockets,
        "rounds": rounds,
        "first_to_last_ms": round(statistics.median(spans), 1),
        "first_to_last_worst_ms": round(max(spans), 1),
        "answer_to_last_ms": round(statistics.median(delays), 1),
        "answer_to_last_worst_ms": round(max(delays), 1),
    }


async def _connect(report: Reporter, stack: Stack, crowd: Crowd, listeners: list[Socket]) -> None:
    account = crowd.people[1].account
    with report.progress("sockets that follow", len(listeners)) as bar:
        for first in range(0, len(listeners), CONNECTED_AT_ONCE):
            part = listeners[first : first + CONNECTED_AT_ONCE]
            await asyncio.gather(
                *(
                    _follow(
                        stack.urls[at % len(stack.urls)], crowd.operator_tokens[at // SOCKETS_EACH], one, at, account
                    )
                    for at, one in enumerate(part, start=first)
                )
            )
            bar.reach(first + len(part))


async def _follow(url: str, token: str, one: Socket, at: int, account: int) -> None:
    await connect_patiently(url, token, one, PATIENCE_S, f"10.{at // 65_536 % 256}.{at // 256 % 256}.{at % 256}")
    await one.ask(Follow(1, account))


async def _wait(current: _Round, sockets: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(current.came) < sockets or not current.answered:
        if time.monotonic() > deadline:
            raise FanOutError(f"Of {sockets} sockets {len(current.came)} were told.")
        await asyncio.sleep(0.05)
    await asyncio.sleep(REST_S)
    if len(current.came) != sockets:
        raise FanOutError("Somebody was told twice.")

"""A tenant that does not wait as it is told: a process of its own, so that its work is not its neighbour's wait.

    python -m loadtest.loud RATE URL… < what `payhub seed --json` printed

It pays by the clock whatever is answered, comes back whenever a hub hangs up on it, says "ready" when it is at its
pace, and what became of it when its input ends. It ends by itself after a quarter of an hour.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence

import uvloop

from hub.protocol.messages import Paid, Pay, Refused
from loadtest.ids import uuid7
from loadtest.stack import Person, crowd_of
from loadtest.wire_ws import Lost, Socket, connect, encode

LIFETIME_S = 900.0
TICK_S = 0.002
AGAIN_S = 0.25


class Shouter:
    """One connection that is made again and again."""

    def __init__(self, person: Person, payee: int, url: str, told: Counter[str]) -> None:
        self._person, self._payee, self._url, self._told = person, payee, url, told
        self._socket: Socket | None = None
        self._next = 0

    async def stay(self) -> None:
        """Connect; connect again."""
        while True:
            lost = asyncio.Event()
            socket = Socket(on_paid=self._take, on_refused=self._take_refusal, on_lost=lost.set)
            try:
                self._socket = await connect(self._url, self._person.token, socket)
                await lost.wait()
                self._told["hung up on"] += 1
            except (Lost, TimeoutError):
                pass
            self._socket = None
            await asyncio.sleep(AGAIN_S)

    def shout(self) -> None:
        """One more payment, if there is a connection."""
        if self._socket is not None and self._socket.is_open:
            self._next += 1
            self._told["sent"] += 1
            self._socket.send(encode(Pay(self._next, uuid7(), self._person.account, self._payee, 1)))

    def _take(self, paid: Paid) -> None:
        self._told[paid.status] += 1

    def _take_refusal(self, refused: Refused) -> None:
        self._told[refused.code] += 1


async def shout(people: Sequence[Person], urls: Sequence[str], rate: int) -> Counter[str]:
    """Until the input ends."""
    told: Counter[str] = Counter()
    shouters = [Shouter(person, people[at - 1].account, urls[at % len(urls)], told) for at, person in enumerate(people)]
    staying = [asyncio.create_task(shouter.stay()) for shouter in shouters]
    ending = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    began, sent, is_ready = time.perf_counter(), 0, False
    while not ending.done() and time.perf_counter() - began < LIFETIME_S:
        due = int((time.perf_counter() - began) * rate)
        while sent < due:
            shouters[sent % len(shouters)].shout()
            sent += 1
        if not is_ready and time.perf_counter() - began > 2:
            is_ready = True
            print("ready", flush=True)
        await asyncio.sleep(TICK_S)
    for task in staying:
        task.cancel()
    return told


if __name__ == "__main__":
    crowd = crowd_of(sys.stdin.readline())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(shout(crowd.people, sys.argv[2:], int(sys.argv[1])))), flush=True)

"""Hands mails to a relay over connections that are kept, and says how it went. It decides nothing about trying again.

At least once: a mail whose answer was lost is handed in again, under the same Message-ID.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import Counter, Gauge

from workers.mail.conversation import ConnectionLost, Conversation, Patience, RelayAway, open_conversation
from workers.mail.message import AddressRefused, check_address
from workers.mail.relays import Relay
from workers.outcome import Later, Outcome, Refused

log = logging.getLogger(__name__)

# Some relays take no more from one client; two round trips each keep a core busy with fewer.
CONNECTIONS_MAX: Final = 16
# Relays behind a balancer, and their limits, are met evenly by whoever comes back now and then.
MAILS_PER_CONNECTION: Final = 100
# Most servers close after five minutes; an open connection costs them something.
IDLE_S: Final = 20.0
# After a relay could not be reached nobody tries for so long: a hundred waiting mails would each wait their turn.
REST_S: Final = 1.0

mails_sent = Counter("payhub_mails", "Mails handed in, by how it went.", ["outcome"])
relay_connections = Gauge("payhub_mail_connections", "Open connections to relays.")


class MailSender:
    """Connections to relays. Any number of mails may be sent at once; more than `connections_max` wait."""

    def __init__(
        self,
        relays: Sequence[Relay],
        name: str,
        *,
        patience: Patience = Patience(),  # noqa: B008  # immutable
        connections_max: int = CONNECTIONS_MAX,
        mails_per_connection: int = MAILS_PER_CONNECTION,
        idle_s: float = IDLE_S,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`relays`: the first is used while it answers. `name`: our host's. `context`: None: the system's."""
        self._relays = list(relays)
        self._name = name
        self._patience = patience
        self._mails_per_connection = mails_per_connection
        self._idle_s = idle_s
        self._context = context
        self._clock = clock
        self._room = asyncio.Semaphore(connections_max)
        # The longest unused first: those beyond what is needed grow old and go.
        self._idle: list[tuple[float, Conversation]] = []
        self._away: dict[Relay, tuple[float, str]] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def send(self, return_path: str, recipient: str, message: bytes) -> Outcome:
        """Hand in one mail. Never raises for what the outside does."""
        try:
            recipient = check_address(recipient)
        except AddressRefused:
            return self._count(Refused("address_malformed"))
        async with self._room:
            return self._count(await self._send(return_path, recipient, message))

    async def close(self) -> None:
        """Close what is idle. Mails under way are their callers' to wait for."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._end(one) for _, one in idle))

    async def _send(self, return_path: str, recipient: str, message: bytes) -> Outcome:
        while True:
            kept = self._take_idle()
            try:
                one = kept or await self._open()
            except RelayAway as error:
                return Later(error.code, is_theirs=True)
            try:
                outcome = await one.send(return_path, recipient, message)
            except ConnectionLost as error:
                relay_connections.dec()
                if error.is_sent:
                    # Taken or not: nobody knows. It counts as a try, or one that fells the relay would do so for ever.
                    return Later("answer_lost")
                if kept is not None and error.code == "connection_lost":
                    # It had been closed meanwhile, as servers may. A new one, or the next.
                    continue
                return Later(error.code, is_theirs=True)
            except BaseException:
                one.abort()
                relay_connections.dec()
                raise
            await self._give_back(one)
            return outcome

    async def _open(self) -> Conversation:
        """To the first relay that answers. Raises RelayAway."""
        why = "no_relay"
        for relay in self._relays:
            until, why = self._away.get(relay, (0.0, why))
            if self._clock() < until:
                continue
            try:
                opened = await open_conversation(relay, self._patience, self._name, self._context)
            except RelayAway as error:
                why = error.code
                if self._away.get(relay, (0.0, ""))[0] < self._clock():
                    log.warning("mail_relay_away", extra={"code": why, "place": f"{relay.host}:{relay.port}"})
                self._away[relay] = (self._clock() + REST_S, why)
                continue
            self._away.pop(relay, None)
            relay_connections.inc()
            return opened
        raise RelayAway(why)

    def _take_idle(self) -> Conversation | None:
        while self._idle:
            _, one = self._idle.pop()
            if one.is_usable:
                return one
            one.abort()
            relay_connections.dec()
        return None

    async def _give_back(self, one: Conversation) -> None:
        if one.is_usable and one.mails < self._mails_per_connection:
            self._idle.append((self._clock(), one))
            if self._sweeper is None or self._sweeper.done():
                self._sweeper = asyncio.create_task(self._sweep())
        else:
            await self._end(one)

    async def _sweep(self) -> None:
        """Close what nobody needed for a while, until nothing is left."""
        while self._idle:
            await asyncio.sleep(self._idle_s / 4)
            late = self._clock() - self._idle_s
            while self._idle and self._idle[0][0] <= late:
                await self._end(self._idle.pop(0)[1])

    async def _end(self, one: Conversation) -> None:
        relay_connections.dec()
        await one.close()

    def _count(self, outcome: Outcome) -> Outcome:
        name = "theirs" if isinstance(outcome, Later) and outcome.is_theirs else type(outcome).__name__.lower()
        mails_sent.labels(name).inc()
        if isinstance(outcome, Later) and outcome.is_theirs and outcome.code.startswith("smtp_5"):
            # They will say it of every mail until an operator has looked.
            log.warning("mail_sender_refused", extra={"code": outcome.code})
        return outcome

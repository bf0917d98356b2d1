"""A sink behind HTTP: events in batches, as CloudEvents' HTTP binding says (batched content mode).

A 2xx takes the whole batch. Where we go and what we listen to is core.outside's business.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from core.outside import Outside, OutsideRefused, OutsideUnavailable, Way
from core.sinks.events import Told
from core.webhooks.signing import sign
from workers.sinks.places import Code, NotTaken

BATCH: Final = "application/cloudevents-batch+json; charset=utf-8"
# Half a kilobyte each: what proxies take without being asked (nginx 1 MiB), and what is done again after a failure.
EVENTS_MAX: Final = 500
BYTES_MAX: Final = 512 * 1024
# A wrong path, a token that ran out: whatever is brought would be answered so.
NOT_THERE: Final = frozenset({401, 403, 404, 405, 407, 410})
BUSY: Final = frozenset({429, 503})
TOO_LARGE: Final = 413


class HttpChoice(NamedTuple):
    """Where it is, and what says that we are we: a bearer token, a secret that signs (Standard Webhooks), or none."""

    url: str
    bearer: str | None = None
    secret: str | None = None

    def __repr__(self) -> str:
        return f"HttpChoice({self.url!r})"


class HttpSink:
    """One such sink."""

    events_max = EVENTS_MAX
    bytes_max = BYTES_MAX

    def __init__(self, choice: HttpChoice, outside: Outside, clock: Callable[[], float] = time.time) -> None:
        self._choice = choice
        self._outside = outside
        self._clock = clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator["HttpTaking"]:
        """One connection, to the address that was looked at."""
        try:
            async with self._outside.open(self._choice.url) as way:
                yield HttpTaking(way, self._choice, self._clock)
        except OutsideRefused:
            raise NotTaken(Code.ADDRESS_REFUSED) from None
        except OutsideUnavailable as error:
            raise NotTaken(Code(error.code)) from None


class HttpTaking:
    """An open way."""

    def __init__(self, way: Way, choice: HttpChoice, clock: Callable[[], float]) -> None:
        self._way = way
        self._choice = choice
        self._clock = clock

    async def take(self, tenant: str, events: Sequence[Told]) -> None:
        """Post them as one batch. Raises NotTaken, OutsideUnavailable."""
        body = b"[" + b",".join([event.body for event in events]) + b"]"
        answer = await self._way.post(body, self._headers(tenant, events, body))
        if not 200 <= answer.status < 300:
            raise NotTaken(code_of(answer.status), answer.after_s)

    def _headers(self, tenant: str, events: Sequence[Told], body: bytes) -> dict[str, str]:
        headers = {"content-type": BATCH, "user-agent": "payhub-sinks"}
        if self._choice.bearer is not None:
            headers["authorization"] = f"Bearer {self._choice.bearer}"
        if self._choice.secret is not None:
            # The same events together have the same id.
            id_, at_s = f"{tenant}/{events[0].id}/{len(events)}", int(self._clock())
            headers["webhook-id"] = id_
            headers["webhook-timestamp"] = str(at_s)
            headers["webhook-signature"] = sign([self._choice.secret], id_, at_s, body)
        return headers


def code_of(status: int) -> Code:
    """What an answer that is no 2xx means."""
    if status == TOO_LARGE:
        return Code.TOO_LARGE
    if 300 <= status < 400:
        return Code.REDIRECT
    if status in BUSY:
        return Code.BUSY
    if status in NOT_THERE:
        return Code.NOT_THERE
    return Code.REFUSED if 400 <= status < 500 else Code.ERROR

"""A sink that is a Redis stream, and the workers' one door to Redis: XADD, one entry per event, in order.

An entry has two fields: `id`, the event's, and `event`, the whole event as JSON (structured content mode). The stream
is cut at about the length that the operator gives; the log is not, and a replay fills a stream again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from core.sinks.events import Told
from workers.sinks.places import Code, NotTaken

# One round trip; what is done again after a failure.
EVENTS_MAX: Final = 500
BYTES_MAX: Final = 512 * 1024
CONNECT_TIMEOUT_S: Final = 3.0
TAKE_TIMEOUT_S: Final = 15.0
TENANT: Final = "{tenant}"


class StreamChoice(NamedTuple):
    """Where it is, the stream's key (with the tenant's slug for `{tenant}`), and its length, about."""

    url: str
    stream: str
    length_max: int
    password: str | None = None

    def __repr__(self) -> str:
        return f"StreamChoice({self.url!r}, {self.stream!r})"


class StreamSink:
    """One such sink."""

    events_max = EVENTS_MAX
    bytes_max = BYTES_MAX

    def __init__(self, choice: StreamChoice) -> None:
        self._choice = choice

    @asynccontextmanager
    async def open(self) -> AsyncIterator["StreamTaking"]:
        """One connection. Nothing is tried again by the driver: what became of it has to be known.

        Time-outs are ours, one per round trip and not one per read.
        """
        client = Redis.from_url(
            self._choice.url,
            password=self._choice.password,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=None,
            health_check_interval=0,
        )
        try:
            async with asyncio.timeout(TAKE_TIMEOUT_S):
                connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
            yield StreamTaking(connection, self._choice)
        except (RedisError, OSError, TimeoutError) as error:
            raise NotTaken(_code_of(error)) from None
        finally:
            # Whatever is under way is no longer waited for: the connection is of no use to anybody else.
            with suppress(RedisError, OSError, TimeoutError):
                await client.aclose()


class StreamTaking:
    """An open way."""

    def __init__(self, connection: AbstractConnection, choice: StreamChoice) -> None:
        self._connection = connection
        self._choice = choice

    async def take(self, tenant: str, events: Sequence[Told]) -> None:
        """Add them, in one round trip. Raises NotTaken, and what Redis and the network raise.

        As one transaction: of commands by themselves, one that is refused does not keep out those after it.
        """
        connection = self._connection
        async with asyncio.timeout(TAKE_TIMEOUT_S):
            await connection.send_packed_command(self._pack(tenant, events), check_health=False)
            refused: list[Exception] = []
            last: object = None
            # MULTI, each of them, and EXEC.
            for _ in range(len(events) + 2):
                try:
                    last = await connection.read_response(disable_decoding=True)
                except ResponseError as error:
                    refused.append(error)
            if not refused and isinstance(last, list):
                refused = [one for one in last if isinstance(one, Exception)]
        if refused:
            # Why is said of the first; of EXEC merely that it was.
            raise NotTaken(_code_of(refused[0]))

    def _pack(self, tenant: str, events: Sequence[Told]) -> bytes:
        """As the protocol has it (RESP): the driver's own packing takes twenty times as long, most of all the time."""
        key = self._choice.stream.replace(TENANT, tenant)
        head = _words(10, "XADD", key, "MAXLEN", "~", str(self._choice.length_max), "*", "id")
        packed = [_words(1, "MULTI")]
        for event in events:
            id_ = event.id.encode()
            packed.append(
                head + b"$%d\r\n%b\r\n$5\r\nevent\r\n$%d\r\n%b\r\n" % (len(id_), id_, len(event.body), event.body)
            )
        packed.append(_words(1, "EXEC"))
        return b"".join(packed)


def _words(count: int, *words: str) -> bytes:
    """The beginning of a command of `count` words."""
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % count + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


def _code_of(error: Exception) -> Code:
    # What went wrong while a connection was made ready, the driver tells as a lost connection with a cause.
    why = error.__cause__ if isinstance(error.__cause__, RedisError) else error
    if isinstance(why, AuthenticationError | NoPermissionError):
        return Code.NOT_THERE
    if isinstance(why, BusyLoadingError | OutOfMemoryError):
        return Code.BUSY
    if isinstance(why, ResponseError):
        return Code.REFUSED
    is_late = isinstance(why, TimeoutError | RedisTimeoutError)
    return Code.TIMEOUT if is_late else Code.CONNECTION_FAILED

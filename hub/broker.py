"""The one door to Redis: hints between hubs.

A hint is signed, sent at most once, and may be lost, late or doubled: everything in it can be read from
PostgreSQL again. When Redis is away, hints are dropped, nothing waits, and the connection is tried again.
"""

import asyncio
import contextlib
import hashlib
import hmac
import logging
import math
import random
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

CHANNEL_PREFIX = "payhub:v1:"
# Everybody hears it: ended sessions, spent limits, and what each hub listens to.
CONTROL = "control"
LISTENING = "listening"
SIGNATURE_SIZE = 16
COUNT_SIZE = 8
# Hubs remembered by their last number; each restart is a new one.
SENDERS_MAX = 10_000
# Hints that wait for a slow Redis; older ones are dropped first, PostgreSQL has them all.
OUTGOING_MAX = 10_000
# Hints sent in one round trip.
PIPELINE_MAX = 100
RECONNECT_S_MIN = 0.05
RECONNECT_S_MAX = 2.0
# A Redis that hangs is as good as one that is gone.
TIMEOUT_S = 2.0
PING_S = 5.0
# Hubs say what they listen to this often, and believe what others said for this long: what nobody listens to
# is not published. Until a hub has listened for that long itself, it publishes everything.
LISTENING_SAID_S = 1.0
LISTENING_KEPT_S = 3.5

Hear: TypeAlias = Callable[[str, Any], None]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Broker:
    """Publishes hints, and hears those of other hubs on the channels it was told to listen to.

    `hear(channel, hint)` is called on the event loop for each genuine hint of another hub.
    """

    def __init__(self, url: str, secret: bytes, hear: Hear) -> None:
        self._url = url
        self._secret = hashlib.blake2b(b"payhub hints v1", key=secret[:64]).digest()
        self._hear = hear
        self._me = secrets.token_bytes(8)
        self._outgoing: deque[tuple[str, bytes]] = deque(maxlen=OUTGOING_MAX)
        self._outgoing_ready = asyncio.Event()
        self._channels: dict[str, int] = {CONTROL: 1}
        self._pubsub: PubSub | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._published = 0
        # Hub → the number of its last control hint.
        self._last_heard: dict[bytes, int] = {}
        # Hub → until when it is believed to be there.
        self._there: dict[bytes, float] = {}
        self._heard_at = 0.0
        # Channel → until when another hub is believed to listen to it.
        self._wanted: dict[str, float] = {}
        self._unsure_until = math.inf
        self.is_connected = False
        self.forged = 0
        self.dropped = 0

    def start(self) -> None:
        """Connect in the background; nobody waits for it."""
        self._tasks = [asyncio.create_task(work) for work in (self._listen(), self._send(), self._say_listening())]

    async def close(self) -> None:
        """Send what can be sent within a moment, then leave."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while self._outgoing and self.is_connected:
                    await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def publish(self, channel: str, hint: Any) -> None:
        """Tell the other hubs, if one listens. Returns at once; the hint may be lost."""
        if channel != CONTROL:
            now = asyncio.get_running_loop().time()
            if now > self._unsure_until and self._wanted.get(channel, 0.0) < now:
                return
        if len(self._outgoing) == OUTGOING_MAX:
            self.dropped += 1
        self._published += 1
        body = self._me + self._published.to_bytes(COUNT_SIZE, "big") + _encode(hint)
        self._outgoing.append((CHANNEL_PREFIX + channel, self._sign(channel, body) + body))
        self._outgoing_ready.set()

    @property
    def others(self) -> int:
        """How many other hubs there are, as far as they have said so lately."""
        now = asyncio.get_running_loop().time()
        return sum(until > now for until in self._there.values())

    def wanted(self, prefix: str) -> list[str]:
        """The channels that begin so and another hub listens to."""
        now = asyncio.get_running_loop().time()
        return [channel for channel, until in self._wanted.items() if until > now and channel.startswith(prefix)]

    def listen_to(self, channel: str) -> None:
        """Hear the channel from now on. Counted: as many `forget` undo it."""
        self._channels[channel] = self._channels.get(channel, 0) + 1
        if self._channels[channel] == 1 and self._pubsub is not None:
            self._command(self._pubsub.subscribe(CHANNEL_PREFIX + channel))
            self.publish(CONTROL, [LISTENING, [channel]])

    def forget(self, channel: str) -> None:
        """Hear the channel no longer, if nobody else wants it."""
        self._channels[channel] -= 1
        if self._channels[channel] == 0:
            del self._channels[channel]
            if self._pubsub is not None:
                self._command(self._pubsub.unsubscribe(CHANNEL_PREFIX + channel))

    def _command(self, command: Any) -> None:
        async def run() -> None:
            # If it fails the connection is gone, and its successor subscribes to all channels anew.
            with contextlib.suppress(RedisError, OSError, asyncio.TimeoutError):
                await command

        task = asyncio.create_task(run())
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    def _client(self) -> Redis:
        # No retries inside the driver: a repeated command is not always the same command. Time-outs are ours,
        # one per round trip and not one per read.
        return Redis.from_url(
            self._url,
            # Subscriptions need no more than RESP2, and the driver formats every RESP3 push for a log nobody reads.
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=None,
            health_check_interval=0,
        )

    async def _listen(self) -> None:
        wait = RECONNECT_S_MIN
        while True:
            client = self._client()
            try:
                async with client.pubsub() as pubsub:
                    await self._subscribe_the_rest(pubsub)
                    self._pubsub = pubsub
                    self.is_connected = True
                    self._unsure_until = asyncio.get_running_loop().time() + LISTENING_KEPT_S
                    self.publish(CONTROL, [LISTENING, list(self._channels)])
                    wait = RECONNECT_S_MIN
                    await self._read(pubsub)
            except (TimeoutError, RedisError, OSError) as error:
                log.warning("redis_lost", extra={"error": type(error).__name__})
            finally:
                self._pubsub = None
                self.is_connected = False
                self._unsure_until = math.inf
                with contextlib.suppress(RedisError, OSError, asyncio.TimeoutError):
                    await client.aclose()
            await asyncio.sleep(random.uniform(0, wait))  # noqa: S311
            wait = min(wait * 2, RECONNECT_S_MAX)

    async def _subscribe_the_rest(self, pubsub: PubSub) -> None:
        """Subscribe to every wanted channel, those that become wanted meanwhile, too."""
        known: set[str] = set()
        async with asyncio.timeout(TIMEOUT_S):
            while missing := self._channels.keys() - known:
                await pubsub.subscribe(*(CHANNEL_PREFIX + channel for channel in missing))
                known |= missing

    async def _read(self, pubsub: PubSub) -> None:
        connection = cast(AbstractConnection, pubsub.connection)  # it has one: it is subscribed
        self._heard_at = asyncio.get_running_loop().time()
        heart = asyncio.create_task(self._beat(pubsub, connection))
        try:
            while True:
                # The reply as it is: what a message object would cost is paid for every batch of every hub.
                reply = await connection.read_response(timeout=math.inf, disable_decoding=True)
                self._heard_at = asyncio.get_running_loop().time()
                if isinstance(reply, list) and reply[0] == b"message":
                    self._receive(reply[1].decode(), reply[2])
        finally:
            heart.cancel()

    async def _beat(self, pubsub: PubSub, connection: AbstractConnection) -> None:
        """Ping now and then; a Redis that does not answer is taken for gone."""
        while True:
            await asyncio.sleep(PING_S)
            if asyncio.get_running_loop().time() - self._heard_at > PING_S + TIMEOUT_S:
                await connection.disconnect(nowait=True)
                return
            with contextlib.suppress(RedisError, OSError):
                await pubsub.ping()

    def _receive(self, channel: str, data: bytes) -> None:
        channel = channel.removeprefix(CHANNEL_PREFIX)
        signature, body = data[:SIGNATURE_SIZE], data[SIGNATURE_SIZE:]
        if not hmac.compare_digest(signature, self._sign(channel, body)):
            self.forged += 1
            return
        if body.startswith(self._me):
            return
        try:
            hint = _decode(body[len(self._me) + COUNT_SIZE :])
            if channel == CONTROL and self._is_old(body):
                self.forged += 1
            elif channel == CONTROL and hint[0] == LISTENING:
                self._there[body[: len(self._me)]] = asyncio.get_running_loop().time() + LISTENING_KEPT_S
                self._note_listening(hint[1])
            else:
                self._hear(channel, hint)
        except Exception as error:
            # A hint of another version, or a bug of ours: the sweep makes up for it.
            log.warning("hint_not_understood", extra={"error": type(error).__name__})

    def _is_old(self, body: bytes) -> bool:
        """Whether a control hint was heard before: repeated by somebody, it would spend a limit twice."""
        sender = body[: len(self._me)]
        count = int.from_bytes(body[len(self._me) : len(self._me) + COUNT_SIZE], "big")
        if count <= self._last_heard.get(sender, 0):
            return True
        if len(self._last_heard) >= SENDERS_MAX:
            self._last_heard.clear()
        self._last_heard[sender] = count
        return False

    def _note_listening(self, channels: list[str]) -> None:
        until = asyncio.get_running_loop().time() + LISTENING_KEPT_S
        self._wanted.update((channel, until) for channel in channels)

    async def _say_listening(self) -> None:
        while True:
            await asyncio.sleep(LISTENING_SAID_S)
            self.publish(CONTROL, [LISTENING, list(self._channels)])
            now = asyncio.get_running_loop().time()
            self._wanted = {channel: until for channel, until in self._wanted.items() if until > now}
            self._there = {hub: until for hub, until in self._there.items() if until > now}

    async def _send(self) -> None:
        client = self._client()
        connection: AbstractConnection | None = None
        while True:
            await self._outgoing_ready.wait()
            self._outgoing_ready.clear()
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    if connection is None:
                        connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
                    await self._send_all(connection)
            except (TimeoutError, RedisError, OSError):
                self.dropped += len(self._outgoing)
                self._outgoing.clear()
                if connection is not None:
                    await connection.disconnect(nowait=True)
                await asyncio.sleep(RECONNECT_S_MIN)

    async def _send_all(self, connection: AbstractConnection) -> None:
        """One write and one read per round trip, however many hints have gathered."""
        while self._outgoing:
            count = min(len(self._outgoing), PIPELINE_MAX)
            commands = [("PUBLISH", *self._outgoing.popleft()) for _ in range(count)]
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            for _ in range(count):
                await connection.read_response(disable_decoding=True)

    def _sign(self, channel: str, body: bytes) -> bytes:
        return hashlib.blake2b(channel.encode() + b"\0" + body, key=self._secret, digest_size=SIGNATURE_SIZE).digest()

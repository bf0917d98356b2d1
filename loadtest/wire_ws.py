"""One authenticated WebSocket as cheap as Python allows: callbacks, no task and no future per payment.

The generator shares its cores with the hubs it measures. It never reconnects by itself: who uses it knows
what was in doubt.
"""

import asyncio
import random
import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from websockets.speedups import apply_mask

from hub.protocol.codec import MSGPACK, decode_from_hub
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import Command, Message
from hub.protocol.messages import Authenticate, Event, Paid, Refused, Welcome

PATH = "/v1/native"
ANSWER_SECONDS = 30.0
BINARY: Final = WSMsgType.BINARY
encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = decode_from_hub[MSGPACK]


class Lost(Exception):
    """The connection ended, or could not be made. Coming back may help."""


class AuthenticationRefused(Exception):
    """The token is not, or no longer, good."""


class CommandRefused(Exception):
    """The hub refused a command that this load test needs."""


class Socket(WSListener):
    """A connection that tells what it hears: payments and events by callbacks, the rest by correlation id."""

    def __init__(
        self,
        on_paid: Callable[[Paid], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_refused: Callable[[Refused], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self.on_paid = on_paid
        self.on_event = on_event
        self.on_refused = on_refused
        self.on_lost = on_lost
        self.welcome: asyncio.Future[Welcome] = asyncio.get_running_loop().create_future()
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._transport: WSTransport | None = None
        self._unsent: list[bytes] = []
        self.is_open = False

    def send(self, frame: bytes) -> None:
        """Send an encoded message. On a lost connection nothing happens: `on_lost` has said so.

        What one turn of the loop sends leaves in one write, as a client's library would do it.
        """
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(frame)

    def _flush(self) -> None:
        frames, self._unsent = self._unsent, []
        if self.is_open:
            assert self._transport is not None
            self._transport.underlying_transport.write(b"".join([masked_frame(frame) for frame in frames]))

    async def ask(self, command: Command) -> Message:
        """Send a command and wait for its answer. Raises Lost or CommandRefused."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[command.id] = answer
        if not self.is_open:
            raise Lost
        self.send(encode(command))
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await answer
        if isinstance(found, Refused):
            raise CommandRefused(f"{found.code}: {found.message}")
        return found

    def close(self) -> None:
        """Close in order."""
        self._flush()
        if self._transport is not None and self.is_open:
            self._transport.send_close()
            self._transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take the transport (called by picows)."""
        self._transport = transport
        self.is_open = True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame (called by picows)."""
        if frame.msg_type is not BINARY:
            if frame.msg_type is WSMsgType.CLOSE:
                transport.disconnect()
            return
        message = _decode(frame.get_payload_as_memoryview())  # type: ignore[arg-type]
        kind = type(message)
        if kind is Paid and self.on_paid is not None:
            self.on_paid(message)  # type: ignore[arg-type]
        elif kind is Event and self.on_event is not None:
            self.on_event(message)  # type: ignore[arg-type]
        else:
            self._take(message)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell everybody who waits (called by picows)."""
        self.is_open = False
        everybody: list[asyncio.Future[Any]] = [*self._asked.values(), self.welcome]
        for waiting in everybody:
            if not waiting.done():
                waiting.set_exception(Lost())
                waiting.exception()  # it may be that nobody waits any more
        self._asked.clear()
        if self.on_lost is not None:
            self.on_lost()

    def _take(self, message: Message) -> None:
        if isinstance(message, Welcome):
            self.welcome.set_result(message)
            return
        waiting = self._asked.pop(getattr(message, "id", -1), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
        elif isinstance(message, Refused):
            if not self.welcome.done() and message.code == ErrorCode.AUTHENTICATION_FAILED:
                self.welcome.set_exception(AuthenticationRefused())
            elif self.on_refused is not None:
                self.on_refused(message)


def masked_frame(payload: bytes) -> bytes:
    """A whole binary message as a client sends it (RFC 6455, 5.2 and 5.3)."""
    length = len(payload)
    head = bytes((0x82, 0x80 | length)) if length < 126 else struct.pack("!BBH", 0x82, 0xFE, length)
    mask = random.randbytes(4)
    return head + mask + apply_mask(payload, mask)


async def connect(url: str, token: str, socket: Socket | None = None, address: str | None = None) -> Socket:
    """A connection that was welcomed. Raises Lost or AuthenticationRefused.

    `address`: where it says that it comes from, for a hub that trusts us as its proxy.
    """
    made = Socket() if socket is None else socket
    try:
        await ws_connect(
            lambda: made,
            ws_url(url) + PATH,
            extra_headers={"Sec-WebSocket-Protocol": MSGPACK} | ({"X-Forwarded-For": address} if address else {}),
            logger_name="loadtest",
        )
    except (OSError, WSError, TimeoutError) as error:
        raise Lost(str(error)) from error
    made.send(encode(Authenticate(token)))
    async with asyncio.timeout(ANSWER_SECONDS):
        await made.welcome
    return made


async def connect_patiently(
    url: str, token: str, socket: Socket, patience_s: float = 30.0, address: str | None = None
) -> Socket:
    """Like `connect`, but a hub that is too busy to take one more connection is asked again, with jitter."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            return await connect(url, token, socket, address)
        except Lost:
            if asyncio.get_running_loop().time() > deadline:
                raise
            socket.welcome = asyncio.get_running_loop().create_future()
            await asyncio.sleep(random.uniform(0.05, 0.5))


def ws_url(url: str) -> str:
    """http://… as ws://…"""
    return "ws" + url.removeprefix("http").rstrip("/") if url.startswith("http") else url.rstrip("/")

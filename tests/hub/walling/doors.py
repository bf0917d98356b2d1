"""The two doors as bytes: what goes in, what comes out, and what of that is a clock or a draw.

It knows no command. Answers are compared as they came, but for times, trace ids, and what hubs draw by lot.
"""

import asyncio
import json
import re
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote

import msgpack  # type: ignore[import-untyped]
import msgspec

from tests.hub.raw import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, frame
from tests.hub.stranger import JSON, MSGPACK

Message: TypeAlias = dict[str, Any]
PATIENCE_S = 20.0
# Moments, and how long to wait.
TIME = re.compile(
    rb"(?<=\"retry_after_ms\":)\d+|(?<=retry-after: )\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"
)
# Of a response's head: what two responses need not share. A moment's spelling has its length, and the body is compared.
HEADS_OF_THEIR_OWN = {b"x-trace-id", b"date", b"content-length", b"dpop-nonce"}
# Errors that say that a message was not understood, or came too fast: no handler has seen it.
NOT_REACHED = frozenset(
    {
        "malformed",
        "unknown_type",
        "invalid_field",
        "duplicate_field",
        "too_large",
        "authentication_required",
        "already_authenticated",
        "rate_limited",
        "step_up_required",
        "overloaded",
        "unavailable",
        "too_many_in_flight",
        "unsupported_media_type",
    }
)


class Closed(Exception):
    """The hub has closed the connection."""


class Answer(NamedTuple):
    """What came back. `code` is of a refusal; `status` and `head` are HTTP's, 0 and empty over a socket."""

    body: bytes
    code: str | None = None
    status: int = 0
    head: bytes = b""

    @property
    def is_reached(self) -> bool:
        """Whether a handler has seen what was asked."""
        # Over a socket only the handler of `renew` refuses a token; over HTTP it is refused before any is asked.
        return self.code not in NOT_REACHED and (self.status, self.code) != (401, "authentication_failed")

    @property
    def plain_head(self) -> bytes:
        """Status and head, without clocks."""
        return TIME.sub(b"0", b"%d %b" % (self.status, self.head))

    @property
    def plain(self) -> bytes:
        """All of it, without clocks."""
        return self.plain_head + b"\n" + TIME.sub(b"0", self.body)


class Socket:
    """An authenticated WebSocket, one command at a time. Pings are answered whoever waits."""

    def __init__(self, raw: RawSocket, subprotocol: str) -> None:
        self._raw = raw
        self._subprotocol = subprotocol
        self._arrived: asyncio.Queue[Message | None] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())
        self.heard: list[bytes] = []
        self.is_open = True

    @classmethod
    async def enter(cls, port: int, subprotocol: str, token: str) -> "Socket":
        """Connect and authenticate."""
        raw = await RawSocket.upgraded(port, subprotocol)
        RawSocket.opened.remove(raw)
        made = cls(raw, subprotocol)
        made._send({"type": "authenticate", "token": token})
        welcome = await made._next()
        if welcome.get("type") != "welcome":
            await made.leave()
            raise Closed(str(welcome))
        return made

    async def ask(self, message: Message, id_: int, *, is_answered: bool = True) -> Answer:
        """Send a command. Its answer; where none is promised, what is complained of before the next one's."""
        if is_answered:
            message = {"type": message["type"], "id": id_, **message}
        self._send(message)
        if not is_answered:
            self._send({"type": "ping", "id": id_})
        while True:
            told = await self._next()
            # In the order in which it came: both encodings keep it.
            text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
            if told["type"] == "error" and told.get("id", id_) == id_:
                return Answer(text, told["code"])
            if told.get("id") == id_:
                return Answer(text if is_answered else b"")
            self.heard.append(text)

    def listen(self) -> None:
        """Keep what came without having been asked for."""
        while not self._arrived.empty():
            told = self._arrived.get_nowait()
            if told is not None:
                self.heard.append(json.dumps(told, separators=(",", ":")).encode())

    async def leave(self) -> None:
        """Hang up."""
        self.is_open = False
        self._reading.cancel()
        await self._raw.leave()

    def _send(self, message: Message) -> None:
        if self._subprotocol == MSGPACK:
            self._raw.send(frame(msgpack.packb(message), BINARY))
        else:
            self._raw.send(frame(json.dumps(message).encode(), TEXT))

    async def _next(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            told = await self._arrived.get()
        if told is None:
            raise Closed
        return told

    async def _read(self) -> None:
        while True:
            found = await self._raw.frame()
            if found is None or found.opcode == CLOSE:
                self.is_open = False
                self._arrived.put_nowait(None)
                return
            if found.opcode == PING:
                self._raw.send(frame(found.payload, PONG))
                continue
            is_binary = self._subprotocol == MSGPACK
            told = msgpack.unpackb(found.payload) if is_binary else json.loads(found.payload)
            # Bytes as JSON has them, in base64.
            self._arrived.put_nowait(msgspec.to_builtins(told))


class Web:
    """A keep-alive connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, target: str, body: bytes, *headers: str) -> Answer:
        """One request; `target` goes out as it is."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        lines = [f"{method} {target} HTTP/1.1", "Host: hub", f"Content-Length: {len(body)}", *headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._read(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.leave()
            raise Closed from None

    async def leave(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).strip().split(b"\r\n")
        heads = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        told = dict(heads)
        if told.get(b"transfer-encoding") == b"chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            body = await reader.readexactly(int(told.get(b"content-length", b"0")))
        if told.get(b"connection") == b"close":
            await self.leave()
        kept = b"\n".join(name + b": " + value for name, value in heads if name not in HEADS_OF_THEIR_OWN)
        status = int(first.split(b" ")[1])
        code = None
        if status >= 300:
            code = json.loads(body)["code"] if body.startswith(b"{") else f"http_{status}"
        return Answer(body, code, status, kept)


def target_of(path: str, in_path: Message, query: Message) -> str:
    """A request's target out of a documented path."""
    filled = re.sub(r"{(\w+)}", lambda found: quote(_text(in_path[found[1]]), safe=""), path)
    words = "&".join(f"{name}={quote(_text(value), safe='')}" for name, value in query.items())
    return f"{filled}?{words}" if words else filled


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


SUBPROTOCOLS = (JSON, MSGPACK)

"""A server that speaks HTTP/2 over TLS, fast, and misbehaves where it is told to. What it answers is for others.

It listens on loopback.
"""

import asyncio
import ssl
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple, TypeAlias, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

ENDLESS_BYTES: Final = 256 * 1024
# After a GOAWAY the connection stays so long for what is still under way.
LINGER_S: Final = 0.2


class Request(NamedTuple):
    """What was asked."""

    path: str
    headers: dict[str, str]
    body: bytes


class Said(NamedTuple):
    """What is answered."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Act(Enum):
    """What a server does that does not answer."""

    HANG = "hang"  # says nothing more on this stream
    RESET = "reset"  # RST_STREAM in the middle of the answer
    QUIT = "quit"  # RST_STREAM without an error, and no answer
    REFUSE = "refuse"  # RST_STREAM that says it was not looked at
    GARBAGE = "garbage"  # bytes that are no frames
    DROP = "drop"  # the connection ends in the middle of a word
    ENDLESS = "endless"  # an answer that is longer than anybody reads
    NO_STATUS = "no_status"  # an answer without one


Answering: TypeAlias = Callable[[Request], Said | Act]


class Http2Server:
    """One server. What it does may be changed while it runs.

    `goaway_after`: each connection answers so many, and sends the rest away unseen. `delay_s`: each answer takes so
    long. `is_mute`: it takes connections and says nothing on them.
    """

    def __init__(
        self, answer: Answering, tls: ssl.SSLContext, *, streams_max: int = 1000, window: int = 65_535
    ) -> None:
        self._answer = answer
        self._tls = tls
        self._server: asyncio.Server | None = None
        self.streams_max, self.window = streams_max, window
        self.goaway_after: int | None = None
        self.delay_s = 0.0
        self.is_mute = False
        self.garbage = b"\xff" * 64
        self.port = 0
        self.connections = 0
        self.open: set[_Side] = set()
        self.most_at_once = self.at_once = 0

    async def start(self, port: int = 0) -> int:
        """Listen; the port. Without one, on the one that it had, or any."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Side(self), "127.0.0.1", port or self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Be gone, with every connection."""
        if self._server is not None:
            self._server.close()
            for side in list(self.open):
                side.drop()
            await self._server.wait_closed()

    def answer(self, request: Request) -> Said | Act:
        """What comes of a request."""
        return self._answer(request)


class _Side(asyncio.Protocol):
    """The server's side of one connection."""

    def __init__(self, server: Http2Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._asked: dict[int, tuple[dict[str, str], bytearray]] = {}
        self._rests: dict[int, bytes] = {}
        self._seen = 0
        self._is_ending = False
        self._transport: asyncio.Transport
        self._h2 = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: server.streams_max,
                SettingCodes.INITIAL_WINDOW_SIZE: server.window,
            },
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one by what it does, not by its class.
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections += 1
        self._server.open.add(self)
        if not self._server.is_mute:
            self._h2.initiate_connection()
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.open.discard(self)
        self._server.at_once -= len(self._asked)
        self._asked.clear()

    def drop(self) -> None:
        self._transport.abort()

    def change_streams_max(self, streams_max: int) -> None:
        """Say that so many at once are right from now on."""
        self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: streams_max})
        self._flush()

    def data_received(self, data: bytes) -> None:
        if self._server.is_mute or self._transport.is_closing():
            return
        try:
            events = self._h2.receive_data(data)
        except H2Error:
            self._flush()
            self._transport.close()
            return
        for event in events:
            if isinstance(event, RequestReceived):
                self._begin(event)
            elif isinstance(event, DataReceived):
                self._take(event)
            elif isinstance(event, StreamEnded):
                self._ended(event.stream_id)
            elif isinstance(event, StreamReset):
                self._rests.pop(event.stream_id, None)
                if self._asked.pop(event.stream_id, None) is not None:
                    self._server.at_once -= 1
            elif isinstance(event, WindowUpdated):
                for stream_id in list(self._rests):
                    self._send_rest(stream_id)
        self._flush()

    def _begin(self, event: RequestReceived) -> None:
        if self._is_ending:
            return
        self._seen += 1
        self._asked[event.stream_id] = (dict(event.headers), bytearray())  # type: ignore[arg-type]  # decoded, as configured
        self._server.at_once += 1
        self._server.most_at_once = max(self._server.most_at_once, self._server.at_once)
        if self._seen == self._server.goaway_after:
            # Before anything is answered: what is under way has to be answered all the same.
            self._is_ending = True
            self._flush()
            self._transport.write(GoAwayFrame(0, last_stream_id=event.stream_id, error_code=0).serialize())
            self._loop.call_later(LINGER_S + self._server.delay_s, self._transport.close)

    def _take(self, event: DataReceived) -> None:
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if event.stream_id in self._asked:
            self._asked[event.stream_id][1].extend(event.data)

    def _ended(self, stream_id: int) -> None:
        if stream_id not in self._asked:
            return
        headers, body = self._asked[stream_id]
        said = self._server.answer(Request(headers[":path"], headers, bytes(body)))
        if self._server.delay_s:
            self._loop.call_later(self._server.delay_s, self._say, stream_id, said)
        else:
            self._say(stream_id, said)

    def _say(self, stream_id: int, said: Said | Act) -> None:
        if said is Act.HANG or self._asked.pop(stream_id, None) is None:
            return
        self._server.at_once -= 1
        match said:
            case Said(status, body, headers):
                told = [(":status", str(status)), *headers]
                self._h2.send_headers(stream_id, told, end_stream=not body)
                if body:
                    self._rests[stream_id] = body
                    self._send_rest(stream_id)
            case Act.RESET:
                self._h2.send_headers(stream_id, [(":status", "200")])
                self._h2.send_data(stream_id, b'{"reas')
                self._h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
            case Act.QUIT:
                self._h2.reset_stream(stream_id, ErrorCodes.NO_ERROR)
            case Act.REFUSE:
                self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            case Act.NO_STATUS:
                self._h2.send_headers(stream_id, [("x-nothing", "1")], end_stream=True)
            case Act.ENDLESS:
                self._h2.send_headers(stream_id, [(":status", "200")])
                self._rests[stream_id] = bytes(ENDLESS_BYTES)
                self._send_rest(stream_id)
            case Act.GARBAGE:
                self._flush()
                self._transport.write(self._server.garbage)
            case Act.DROP:
                self._h2.send_headers(stream_id, [(":status", "200")])
                self._transport.write(self._h2.data_to_send()[:-1])
                self._transport.close()
        if self._server.delay_s:
            self._flush()

    def _send_rest(self, stream_id: int) -> None:
        rest = self._rests.pop(stream_id)
        while rest:
            window = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            if window <= 0:
                self._rests[stream_id] = rest
                return
            piece, rest = rest[:window], rest[window:]
            self._h2.send_data(stream_id, piece, end_stream=not rest)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

"""The edge: uvicorn's two protocol classes, tightened, and a direct road to the socket.

HTTP: a request's head must arrive whole in time and within its size. WebSocket: frames, fragments and
control frames are bounded, a closing peer gets a second and no more, and a connection may be handed
each message as a callback and write without a task. It knows no message and no money.
"""

import asyncio
import re
import struct
from collections.abc import Callable
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.speedups import apply_mask

from hub.protocol.codec import SIZE_MAX, SIZE_MAX_BEFORE_AUTHENTICATION
from hub.protocol.codes import CloseCode

# Honest request heads are well below this; httptools itself has no bound.
HEAD_SIZE_MAX = 8 * 1024
# From the first byte of a connection or request to the end of its head (slowloris).
HEAD_TIMEOUT_S = 5.0
# From the end of the head to the end of the body.
BODY_TIMEOUT_S = 10.0
BODY_SIZE_MAX = SIZE_MAX
# The same with what chunks put around it; a body in chunks of a few bytes is nobody's.
BODY_WIRE_SIZE_MAX = 4 * BODY_SIZE_MAX
# Files are as large as they are (core.bulk.lines.FILE_SIZE_MAX, and their chunks' heads) and take their time, but not
# more than BODY_TIMEOUT_S for each so many bytes: a slow line sends them in half of it, and a parked one does not.
FILE_PATH: Final = re.compile(rb"/v1/bulks/[0-9a-f-]{36}/file")
FILE_WIRE_SIZE_MAX = 5 * 1024**3 // 4
FILE_STRIDE = 64 * 1024
# RFC 6455 lets a message come in pieces; no honest client of ours makes more.
FRAGMENTS_MAX = 32
MESSAGE_TIMEOUT_S = 5.0
# Pings, pongs: a handful a second is a lot.
CONTROL_FRAMES_PER_SECOND_MAX = 20
# How long the peer may take to answer our close frame.
CLOSE_TIMEOUT_S = 1.0
# What the kernel will not take waits here. Above the first mark a clock runs, above the second the peer is cut.
WRITE_BUFFER_HIGH = 64 * 1024
WRITE_BUFFER_MAX = 256 * 1024
SLOW_CONSUMER_S = 8.0

_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_BODY_TOO_LARGE: Final = b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TIMEOUT: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

# First bytes of a message in one frame: text, binary.
WHOLE_MESSAGE: Final = (0x81, 0x82)

Receiver = Callable[[bytes, bool], None]


class EdgeHttp(HttpToolsProtocol):
    """HTTP/1.1 whose heads are bounded in size and time."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_size = 0
        self._body_size = 0
        self._in_body = False
        self._is_file = False
        self._body_due = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_within(HEAD_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_body:
            # Chunk extensions and trailers count, too: the parser would gather an endless one in memory.
            self._body_size += len(data)
            if self._body_size > (FILE_WIRE_SIZE_MAX if self._is_file else BODY_WIRE_SIZE_MAX):
                self._refuse(_BODY_TOO_LARGE)
                return
            if self._is_file and self._body_size >= self._body_due:
                self._body_due = self._body_size + FILE_STRIDE
                self._expect_within(BODY_TIMEOUT_S)
        else:
            if self._deadline is None:
                self._expect_within(HEAD_TIMEOUT_S)
            # Counted before parsing, for the same reason. A body's first piece may arrive with the head, so
            # only what lies before the blank line counts.
            end = data.find(b"\r\n\r\n")
            self._head_size += len(data) if end < 0 else end
            if self._head_size > HEAD_SIZE_MAX:
                self._refuse(_TOO_LARGE)
                return
        if not self.transport.is_closing():
            super().data_received(data)

    def on_message_begin(self) -> None:
        # Also of a request that begins in the same read in which the one before it ended.
        self._expect_within(HEAD_TIMEOUT_S)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._is_file = self.parser.get_method() == b"PUT" and FILE_PATH.fullmatch(self.url) is not None
        self._body_size = 0
        self._body_due = FILE_STRIDE
        self._expect_within(BODY_TIMEOUT_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._head_size = 0
        self._expect_nothing()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._expect_nothing()
        super().handle_websocket_upgrade()

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self._refuse, _TIMEOUT)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, response: bytes) -> None:
        self._expect_nothing()
        if not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()


# Connections that were written to in this turn of the loop. One loop per process.
_unflushed: list["EdgeWebSocket"] = []


def _flush_all() -> None:
    written = _unflushed.copy()
    _unflushed.clear()
    for wire in written:
        wire.flush()


class EdgeWebSocket(WebSocketsSansIOProtocol):
    """RFC 6455 with bounds, and itself in the scope as `payhub.wire` for the connection to use.

    After `attach(receiver)`, messages go to `receiver(data, is_binary)` as they arrive.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.close_timeout = CLOSE_TIMEOUT_S
        self.conn.max_message_size = SIZE_MAX_BEFORE_AUTHENTICATION
        self._receiver: Receiver | None = None
        self._on_slow: Callable[[], None] | None = None
        self._reading_held = False
        self._unsent: list[bytes] = []
        # The beginning of a frame whose end has not arrived.
        self._rest = b""
        self._message_deadline: asyncio.TimerHandle | None = None
        self._slow_deadline: asyncio.TimerHandle | None = None
        self._control_frames = 0
        self._control_window_ends = 0.0

    # For the connection

    def attach(self, receiver: Receiver, on_slow: Callable[[], None]) -> None:
        """Hand messages to `receiver` from now on; `on_slow` is called when the peer reads too slowly."""
        self._receiver = receiver
        self._on_slow = on_slow
        if not self.transport.is_closing():
            self.transport.set_write_buffer_limits(high=WRITE_BUFFER_HIGH)
        if self._rest:
            self.data_received(b"")

    def admit_large_messages(self) -> None:
        """The peer is authenticated: messages may have their full size."""
        self.conn.max_message_size = SIZE_MAX

    def write(self, payload: bytes, is_binary: bool) -> None:
        """Send one message. Never waits: a peer that does not read is cut instead.

        What one turn of the loop writes leaves together: a batch's answers to one client are one system call,
        and wake it once, so that its next payments arrive together too.
        """
        unsent = self._unsent
        if not unsent:
            if not _unflushed:
                self.loop.call_soon(_flush_all)
            _unflushed.append(self)
        unsent.append(frame_header(0x82 if is_binary else 0x81, len(payload)))
        unsent.append(payload)

    def flush(self) -> None:
        """Hand what was written to the transport now."""
        data = b"".join(self._unsent)
        self._unsent.clear()
        if not data or self.close_sent or self.disconnected:
            return
        self.transport.write(data)
        if self._slow_deadline is not None and self.transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            self._give_up()

    def hold_reading(self) -> None:
        """Take no more messages until `release_reading`: the peer has enough in flight."""
        if not self._reading_held and not self.disconnected:
            self._reading_held = True
            self.transport.pause_reading()

    def release_reading(self) -> None:
        """Take messages again."""
        if self._reading_held and not self.disconnected:
            self._reading_held = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def end(self, code: int, reason: str = "") -> None:
        """Send a close frame; the peer has a second to answer it."""
        self.flush()
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.release_reading()
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)

    # From the transport

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
            self._rest = b""
        receiver = self._receiver
        if receiver is None:
            self._receive_early(data)
            return
        conn = self.conn
        while True:
            size = len(data)
            # The common case first: whole, single, masked frames.
            if (
                size >= 6
                and data[0] in WHOLE_MESSAGE
                and not self.close_sent
                and conn.current_size is None
                and conn.state is OPEN
            ):
                length = data[1] - 0x80
                start = 6
                if length == 126 and size >= 8:
                    length = data[2] << 8 | data[3]
                    start = 8
                end = start + length
                if 0 <= length <= conn.max_message_size and data[1] != 0xFF and size >= end:  # type: ignore[operator]
                    payload = apply_mask(data[start:end], data[start - 4 : start])
                    is_binary = data[0] == 0x82
                    if is_binary or _is_utf8(payload):
                        if self._message_deadline is not None:
                            self._expect_no_more()
                        receiver(payload, is_binary)
                        if size == end:
                            return
                        data = data[end:]
                        continue
            if self.close_sent:
                # Only the answer to our close frame is still of interest.
                super().data_received(data)
                return
            # The library is given whole frames: it forgets where it stands between two reads of one.
            end = frame_end(data, conn.max_message_size)  # type: ignore[arg-type]
            if end > size:
                self._rest = data
                self._expect_more()
                return
            super().data_received(data[:end])
            if size == end or self.transport.is_closing():
                return
            data = data[end:]

    def _receive_early(self, data: bytes) -> None:
        """Before `attach`: the handshake, and what an impatient peer sends behind it."""
        if not self.handshake_initiated or self.close_sent:
            super().data_received(data)
        elif len(data) <= SIZE_MAX_BEFORE_AUTHENTICATION:
            self._rest = data
        else:
            self.transport.abort()

    def handle_events(self) -> None:
        super().handle_events()
        if self.conn.current_size is not None:
            self._expect_more()
        else:
            self._expect_no_more()

    def _expect_more(self) -> None:
        """A message has begun: the clock runs, and more pieces do not set it back."""
        if self._message_deadline is None and not self.close_sent:
            self._message_deadline = self.loop.call_later(
                MESSAGE_TIMEOUT_S, self.end, CloseCode.PROTOCOL_ERROR, "message not finished in time"
            )

    def _expect_no_more(self) -> None:
        if self._message_deadline is not None:
            self._message_deadline.cancel()
            self._message_deadline = None

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= FRAGMENTS_MAX:
            self.frames = []
            self.end(CloseCode.PROTOCOL_ERROR, "too many fragments")
            return
        super().handle_cont(event)

    def handle_ping(self) -> None:
        if not self.close_sent and self._count_control_frame():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._count_control_frame():
            super().handle_pong(event)

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self._abort_soon()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._abort_soon()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_soon()

    def _abort_soon(self) -> None:
        """The transport is closing. A peer that takes none of what is left may not keep it from being closed."""
        self.close_sent = True
        self._expect_no_more()
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)

    def send_receive_event_to_app(self) -> None:
        payload = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        is_binary = self.curr_msg_data_type == "bytes"
        if not is_binary and not _is_utf8(payload):
            self.end(CloseCode.INVALID_TEXT, "invalid UTF-8")
        elif self._receiver is not None and not self.close_sent:
            self._receiver(payload, is_binary)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._slow_deadline is None:
            self._slow_deadline = self.loop.call_later(SLOW_CONSUMER_S, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._slow_deadline is not None:
            self._slow_deadline.cancel()
            self._slow_deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._message_deadline, self._slow_deadline):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # A refusal is a complete handshake, and no error of ours to log.
            self.handshake_complete = True

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"]["payhub.wire"] = {"wire": self}

    def _count_control_frame(self) -> bool:
        now = self.loop.time()
        if now >= self._control_window_ends:
            self._control_window_ends = now + 1.0
            self._control_frames = 0
        self._control_frames += 1
        if self._control_frames > CONTROL_FRAMES_PER_SECOND_MAX:
            self.end(CloseCode.FLOODING, "too many control frames")
            return False
        return True

    def _give_up(self) -> None:
        if self._on_slow is not None:
            self._on_slow()
        self.end(CloseCode.SLOW_CONSUMER, "reads too slowly; resume")


def frame_end(data: bytes, size_max: int) -> int:
    """Where the first frame of `data` ends, as far as its header is there to say so.

    For one that must be refused, where its header gives the reason.
    """
    size = len(data)
    if size < 2 or not data[1] & 0x80:
        return 2
    length = data[1] & 0x7F
    start = 6
    if length == 126:
        if size < 4:
            return 4
        length = int.from_bytes(data[2:4], "big")
        start = 8
    elif length == 127:
        if size < 10:
            return 10
        length = int.from_bytes(data[2:10], "big")
        start = 14
    return start + length if length <= size_max else start - 4


def frame_header(first_byte: int, length: int) -> bytes:
    """An unmasked RFC 6455 header, as servers send."""
    if length < 126:
        return bytes((first_byte, length))
    if length < 65536:
        return struct.pack("!BBH", first_byte, 126, length)
    return struct.pack("!BBQ", first_byte, 127, length)


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True

"""Asks one server over HTTP/2, hundreds of questions at once on one connection (RFC 9113). It follows no redirect.

A connection that ends takes nothing with it: what the server did not look at (GOAWAY, REFUSED_STREAM) and what was
lost on the way is asked again on another, with the same headers, so that an id in them shows the server that it is the
same. Every question has an end: an answer, or Unanswered within its time.

h2 does the protocol's arithmetic, asyncio the sockets. Measured on one core against a bare server, h2 takes 130 to 230
µs of a question, httpx2 with the same h2 below it about 1,000; the rest is what a general client does for everybody.
"""

import asyncio
import random
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeAlias, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hpack import HeaderTuple, NeverIndexedHeaderTuple
from hyperframe.frame import Frame, GoAwayFrame

Find: TypeAlias = Callable[[str, int], Awaitable[str]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

# From the question to the last byte of its answer; well within a delivery's lease.
ASK_S: Final = 15.0
# Name, TCP, TLS and the server's first word.
CONNECT_S: Final = 5.0
# One is enough for thousands a second; a second one while the first is full.
CONNECTIONS_MAX: Final = 2
# Apple allows 1,000 and says so itself; beyond this, waiting is done here and not there.
STREAMS_MAX: Final = 500
# A connection has 2**30 questions in it; it is changed long before.
STREAM_ID_MAX: Final = 2**30
# Services say no in some hundred bytes.
ANSWER_SIZE_MAX: Final = 16 * 1024
HEADERS_SIZE_MAX: Final = 16 * 1024
# What all answers together may have in flight before we say that we have read it.
WINDOW_BYTES: Final = 1024 * 1024
# Acknowledgements that nobody reads are no reason to keep more than this.
UNREAD_MAX: Final = 4 * 1024 * 1024
# Whoever says nothing for so long, a ping unanswered among it, is not there any more.
PING_S: Final = 15.0
# A connection that nobody needs is not kept from a service for the sake of it.
IDLE_S: Final = 300.0
# So often a question may be lost with its connection; what the server did not look at does not count.
TRIES_MAX: Final = 3
# A server that ends every connection without an answer is asked again after a while, and each worker at its own time.
BACKOFF_S: Final = 0.1
BACKOFF_S_MAX: Final = 2.0
# What is under way when a client is closed may take so long.
CLOSE_S: Final = 5.0


class Answer(NamedTuple):
    """What a server said. Names of headers are in small letters; of two with one name, the last."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Unanswered(Exception):
    """There is no answer. `code`: why, a short stable word; it may have been taken all the same.

    `is_theirs`: nobody else was answered either, as far as we know.
    """

    def __init__(self, code: str, *, is_theirs: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.is_theirs = is_theirs


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """TLS that speaks HTTP/2 and nothing else. `ca_file`: whom to trust in place of the system's authorities."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    return context


async def _as_named(host: str, _port: int) -> str:
    return host


class Client:
    """One server. `find`: where its name leads; raises OSError, and PermissionError for where we do not go."""

    def __init__(
        self,
        host: str,
        port: int = 443,
        *,
        tls: ssl.SSLContext,
        find: Find = _as_named,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._host, self._port, self._tls, self._find = host, port, tls, find
        self._authority = (host if port == 443 else f"{host}:{port}").encode()
        self._connections_max = connections_max
        self._waiting: OrderedDict[_Question, None] = OrderedDict()
        self._connections: set[_Connection] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._failures = 0
        self._is_closed = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, and nothing would be lost with it."""
        return not self._waiting and all(one.is_idle for one in self._connections)

    async def post(self, path: bytes, headers: Headers, body: bytes, timeout_s: float = ASK_S) -> Answer:
        """Ask, and hear the answer whatever its status. `headers`: in small letters, ASCII. Raises Unanswered."""
        if self._is_closed:
            raise Unanswered("closed", is_theirs=False)
        question = _Question(
            [
                (b":method", b"POST"),
                (b":scheme", b"https"),
                (b":authority", self._authority),
                # Each is another's: in the table that both sides keep, it would push out what all have in common.
                NeverIndexedHeaderTuple(b":path", path),
                *headers,
            ],
            body,
        )
        self._waiting[question] = None
        self._pump()
        try:
            async with asyncio.timeout(timeout_s):
                return await question.answered
        except TimeoutError:
            is_theirs = question.is_silent()
            if question.connection is not None:
                question.connection.give_up(question)
            raise Unanswered("timeout", is_theirs=is_theirs) from None
        finally:
            self._waiting.pop(question, None)
            if question.connection is not None:
                question.connection.forget(question)

    async def close(self) -> None:
        """Let what is under way end, for a while, and say good-bye."""
        self._is_closed = True
        under_way = [question.answered for one in self._connections for question in one.questions.values()]
        if under_way:
            await asyncio.wait(under_way, timeout=CLOSE_S)
        self.end()

    def end(self) -> None:
        """Close at once; what is under way is unanswered."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        self._fail_waiting(Unanswered("closed", is_theirs=False))
        for one in list(self._connections):
            one.close()

    def answered(self) -> None:
        """The server answers: no reason to hold back."""
        self._failures = 0

    def freed(self) -> None:
        """There is room on a connection, or a connection less."""
        self._pump()

    def lost(self, connection: "_Connection", questions: Sequence["_Question"], why: str) -> None:
        """A connection is gone, with these questions on it."""
        self._connections.discard(connection)
        if not connection.has_answered:
            self._failures += 1
        for question in reversed(questions):
            question.losses += 1
            if question.losses >= TRIES_MAX or self._is_closed:
                question.fail(Unanswered(why))
            else:
                self._ask_again(question)
        self._pump()

    def turned_away(self, questions: Sequence["_Question"]) -> None:
        """The server did not look at these: they are the next ones elsewhere."""
        for question in reversed(questions):
            self._ask_again(question)
        self._pump()

    def _ask_again(self, question: "_Question") -> None:
        question.connection = None
        if not question.answered.done():
            question.start_over()
            self._waiting[question] = None
            self._waiting.move_to_end(question, last=False)

    def _pump(self) -> None:
        while self._waiting:
            connection = min(
                (one for one in self._connections if one.room > 0), key=lambda one: len(one.questions), default=None
            )
            if connection is None:
                self._connect()
                return
            question, _ = self._waiting.popitem(last=False)
            if not question.answered.done():
                connection.begin(question)

    def _connect(self) -> None:
        usable = sum(not one.is_ending for one in self._connections)
        if self._connecting is None and usable < self._connections_max and not self._is_closed:
            self._connecting = asyncio.create_task(self._open())

    async def _open(self) -> None:
        if self._failures:
            longest = min(BACKOFF_S * 2.0**self._failures, BACKOFF_S_MAX)
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  # spreads load, keeps no secret
        connection = _Connection(self)
        try:
            async with asyncio.timeout(CONNECT_S):
                address = await self._find(self._host, self._port)
                await asyncio.get_running_loop().create_connection(
                    lambda: connection, address, self._port, ssl=self._tls, server_hostname=self._host
                )
                await connection.ready
        except (OSError, TimeoutError, Unanswered, UnicodeError) as error:
            self._failures += 1
            connection.abort()
            if not self._connections:
                self._fail_waiting(_why_not(error))
        except asyncio.CancelledError:
            connection.abort()
            raise
        else:
            if connection.is_ending:
                self._failures += 1
            else:
                self._connections.add(connection)
                connection.keep_alive()
        finally:
            self._connecting = None
        self._pump()

    def _fail_waiting(self, error: Unanswered) -> None:
        while self._waiting:
            question, _ = self._waiting.popitem(last=False)
            question.fail(error)


def _why_not(error: BaseException) -> Unanswered:
    match error:
        case Unanswered():
            return error
        case PermissionError():
            return Unanswered("not_public", is_theirs=False)
        case ssl.SSLError():
            return Unanswered("tls")
        case _:
            return Unanswered("unreachable")


class _Question:
    """One request, until it is answered."""

    __slots__ = (
        "answered", "began_at", "body", "connection", "content", "got", "headers", "losses", "sent", "status",
        "stream_id",
    )  # fmt: skip

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers, self.body = headers, body
        self.answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.connection: _Connection | None = None
        self.losses = 0
        self.start_over()

    def start_over(self) -> None:
        self.stream_id = 0
        self.sent = 0
        self.status = 0
        self.began_at = 0.0
        self.got: dict[bytes, bytes] = {}
        self.content = b""

    def is_silent(self) -> bool:
        """Whether nobody was answered since it was asked, or it did not come to that."""
        # What was answered in the very moment in which it was asked was asked before: clocks have milliseconds.
        return self.connection is None or self.connection.answered_at <= self.began_at

    def fail(self, error: Unanswered) -> None:
        if not self.answered.done():
            # One each: an exception that several raise would gather all their tracebacks.
            self.answered.set_exception(Unanswered(error.code, is_theirs=error.is_theirs))


class _Conversation(H2Connection):
    """To h2 a GOAWAY ends everything; to RFC 9113 (6.8) it ends what is new, and the rest is still answered."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        state = self.state_machine.state
        told = super()._receive_goaway_frame(frame)
        self.state_machine.state = state
        return told

    def is_overlong(self) -> bool:
        """Whether a frame has begun that is longer than we take: h2 would read all its 16 MB before it says so."""
        begun = self.incoming_buffer._data[:3]
        return len(begun) == 3 and int.from_bytes(begun, "big") > self.max_inbound_frame_size


class _Connection(asyncio.Protocol):
    """One connection. It tells its client what became of the questions on it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._will_flush = self._is_paused = False
        self._stalled: dict[int, _Question] = {}
        self._why_lost = "lost"
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = self._loop.time()
        self.questions: dict[int, _Question] = {}
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.is_ending = False
        self.has_answered = False
        self.answered_at = self._needed_at = self._heard_at
        # Names and values are our own, and what comes back is looked at for a status and a handful of headers.
        self._h2 = _Conversation(
            H2Configuration(
                client_side=True,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
            )
        )
        self._h2.local_settings = Settings(
            client=True,
            initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.MAX_HEADER_LIST_SIZE: HEADERS_SIZE_MAX},
        )

    @property
    def is_idle(self) -> bool:
        return not self.questions

    @property
    def room(self) -> int:
        """How many questions more it takes now."""
        if self.is_ending or self._is_paused:
            return 0
        return min(self._h2.remote_settings.max_concurrent_streams, STREAMS_MAX) - len(self.questions)

    # What the client asks of it.

    def begin(self, question: _Question) -> None:
        stream_id = self._h2.get_next_available_stream_id()
        if stream_id > STREAM_ID_MAX:
            self.is_ending = True
        question.connection, question.stream_id, question.began_at = self, stream_id, self._loop.time()
        self._needed_at = question.began_at
        self.questions[stream_id] = question
        self._h2.send_headers(stream_id, question.headers, end_stream=not question.body)
        if question.body:
            self._send_body(question)
        self._flush_soon()

    def forget(self, question: _Question) -> None:
        """Nobody waits for this any more, answered or not."""
        if self.questions.pop(question.stream_id, None) is not None:
            self._reset(question.stream_id, ErrorCodes.CANCEL)
            self._freed()

    def give_up(self, question: _Question) -> None:
        """It took too long. Not a byte since: what was asked after it waits in vain as well."""
        if self._heard_at < question.began_at and question.stream_id in self.questions:
            self._end("timeout")

    def keep_alive(self) -> None:
        """Look every now and then whether anybody is there."""
        self._timer = self._loop.call_later(PING_S, self._beat, self._loop.time())
        self._h2.ping(bytes(8))
        self._flush_soon()

    def close(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self.is_ending = True
        self._h2.close_connection()
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self.is_ending = True
        if self._transport is not None:
            self._transport.abort()

    # What asyncio tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one by what it does, not by its class.
        self._transport = cast(asyncio.Transport, transport)
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is None or ssl_object.selected_alpn_protocol() != "h2":
            self._end("no_http2")
            return
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW_BYTES)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        # h2 throws away what was not written when a GOAWAY comes, streams among it that are to be answered.
        self._flush()
        try:
            for event in self._h2.receive_data(data):
                handle = _HANDLERS.get(type(event))
                if handle is not None:
                    handle(self, event)
        except H2Error:
            self._end("protocol")
            return
        if self._h2.is_overlong():
            self._end("protocol")
            return
        self._flush()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._client.freed()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_ending = True
        if self._timer is not None:
            self._timer.cancel()
        if not self.ready.done():
            self.ready.set_exception(Unanswered(self._why_lost))
            # Whoever waits for it may have been cancelled.
            self.ready.exception()
            return
        lost, self.questions = list(self.questions.values()), {}
        self._stalled.clear()
        self._client.lost(self, lost, self._why_lost)

    # What the server says.

    def _settings(self, _event: RemoteSettingsChanged) -> None:
        if not self.ready.done():
            self.ready.set_result(None)
        self._send_stalled()
        self._client.freed()

    def _window(self, _event: WindowUpdated) -> None:
        self._send_stalled()

    def _response(self, event: ResponseReceived) -> None:
        question = self.questions.get(event.stream_id)
        if question is not None:
            question.got = {bytes(name): bytes(value) for name, value in event.headers}
            status = question.got.get(b":status", b"")
            question.status = int(status) if len(status) == 3 and status.isdigit() else 0

    def _data(self, event: DataReceived) -> None:
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        question = self.questions.get(event.stream_id)
        if question is None:
            return
        question.content += event.data
        if len(question.content) > ANSWER_SIZE_MAX:
            del self.questions[event.stream_id]
            self._reset(event.stream_id, ErrorCodes.CANCEL)
            question.fail(Unanswered("too_large", is_theirs=False))
            self._freed()

    def _ended(self, event: StreamEnded) -> None:
        question = self.questions.pop(event.stream_id, None)
        if question is None:
            return
        if question.sent < len(question.body):
            # It has heard enough.
            self._reset(event.stream_id, ErrorCodes.NO_ERROR)
        if not question.status:
            question.fail(Unanswered("protocol", is_theirs=False))
        elif not question.answered.done():
            self.has_answered = True
            self.answered_at = self._heard_at
            self._client.answered()
            question.answered.set_result(Answer(question.status, question.got, question.content))
        self._freed()

    def _was_reset(self, event: StreamReset) -> None:
        question = self.questions.pop(event.stream_id, None)
        self._stalled.pop(event.stream_id, None)
        if question is None:
            return
        if event.error_code == ErrorCodes.REFUSED_STREAM:
            self._client.turned_away([question])
        elif event.error_code == ErrorCodes.NO_ERROR and question.losses + 1 < TRIES_MAX:
            question.losses += 1
            self._client.turned_away([question])
        else:
            question.fail(Unanswered("reset", is_theirs=False))
        self._freed()

    def _goaway(self, event: ConnectionTerminated) -> None:
        self.is_ending = True
        last = event.last_stream_id or 0
        unseen = [question for stream_id, question in self.questions.items() if stream_id > last]
        for question in unseen:
            del self.questions[question.stream_id]
            self._stalled.pop(question.stream_id, None)
        self._client.turned_away(unseen)
        self._freed()

    # What it does by itself.

    def _send_body(self, question: _Question) -> None:
        """As much as the server's windows let through (RFC 9113, 5.2)."""
        stream_id, size = question.stream_id, len(question.body)
        try:
            while question.sent < size:
                window = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
                if window <= 0:
                    self._stalled[stream_id] = question
                    return
                piece = question.body[question.sent : question.sent + window]
                question.sent += len(piece)
                self._h2.send_data(stream_id, piece, end_stream=question.sent == size)
        except H2Error:
            # It was reset; the event that says so is the next one or so.
            pass
        self._stalled.pop(stream_id, None)

    def _send_stalled(self) -> None:
        for question in list(self._stalled.values()):
            self._send_body(question)
        self._flush_soon()

    def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        self._stalled.pop(stream_id, None)
        try:
            self._h2.reset_stream(stream_id, code)
        except H2Error:
            # It ended by itself.
            return
        self._flush_soon()

    def _freed(self) -> None:
        if self.is_ending and not self.questions:
            self.close()
        else:
            self._client.freed()

    def _flush_soon(self) -> None:
        if not self._will_flush:
            self._will_flush = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """All of one turn of the loop in one write."""
        self._will_flush = False
        data = self._h2.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > UNREAD_MAX:
                self._end("lost")

    def _beat(self, pinged_at: float) -> None:
        now = self._loop.time()
        if self._heard_at < pinged_at:
            self._end("timeout")
        elif not self.questions and now - self._needed_at > IDLE_S:
            self.close()
        else:
            self._timer = self._loop.call_later(PING_S, self._beat, now)
            self._h2.ping(bytes(8))
            self._flush()

    def _end(self, why: str) -> None:
        self._why_lost = why
        self.is_ending = True
        if self._transport is not None:
            self._transport.abort()


_HANDLERS: Final[dict[type[Event], Callable[..., None]]] = {
    RemoteSettingsChanged: _Connection._settings,
    WindowUpdated: _Connection._window,
    ResponseReceived: _Connection._response,
    DataReceived: _Connection._data,
    StreamEnded: _Connection._ended,
    StreamReset: _Connection._was_reset,
    ConnectionTerminated: _Connection._goaway,
}


def once(name: bytes, value: bytes) -> HeaderTuple:
    """A header whose value no other question has: it is kept in nobody's table (RFC 7541, 7.1.3)."""
    return NeverIndexedHeaderTuple(name, value)

"""One WebSocket: bytes in, messages out, from the handshake to the close.

Payments take the short road: decoded, checked and handed to the batcher in the same turn of the loop,
answered from its callback, with no task of their own. Everything else runs as a task, so that answers may
overtake each other. It holds no money and remembers nothing after the close.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import structlog
from msgspec import UNSET
from starlette.types import Receive, Scope, Send

from core.errors import CoreError
from core.ledger.batcher import Outcome
from core.nouns import Payment
from core.people.standing import Standing
from hub import metrics
from hub.commands import following, identifying, pairing, paying
from hub.commands.context import Context, events_channel
from hub.commands.refusal import CommandRefused, from_core
from hub.commands.rights import refusal_of
from hub.commands.scoping import needs_of, require_scope
from hub.commands.stepping_up import may_need_proof
from hub.commands.table import ROWS
from hub.commands.values import to_time
from hub.doors import Door
from hub.edge import EdgeWebSocket
from hub.limits import (
    ADDRESS,
    ADDRESS_CONNECT,
    BY_ROLE,
    CONNECTION_BY_ROLE,
    NEW_CONNECTION,
    Bucket,
    Patience,
    address_key,
    network_of,
)
from hub.presence import Departure, Present
from hub.protocol.codec import (
    CODECS,
    SIZE_MAX,
    SIZE_MAX_BEFORE_AUTHENTICATION,
    Codec,
    ProtocolError,
)
from hub.protocol.codes import CloseCode, ErrorCode
from hub.protocol.fields import Message
from hub.protocol.messages import (
    Acknowledge,
    Authenticate,
    Draining,
    Event,
    Follow,
    Pay,
    Ping,
    Pong,
    Renew,
    Resume,
    Unfollow,
)
from hub.protocol.people import StatusChanged
from hub.protocol.terminals import AskChallenge
from hub.session import IN_FLIGHT_MAX, Session, State

log = logging.getLogger(__name__)

# One person's open connections on one hub: phones, browsers, tabs, a till or two.
CONNECTIONS_PER_PERSON_MAX = 64
# A till's: one that is used, one that is being left after a change of networks, and as many again.
CONNECTIONS_PER_TERMINAL_MAX = 4
# What was asked before a token or a session ended is answered for so long; then the socket is closed whatever is in
# flight: no socket outlives its token by five seconds, nor its session by one.
GRACE_S = {CloseCode.TOKEN_EXPIRED: 4.0, CloseCode.SESSION_REVOKED: 0.5}
# RFC 6455, 7.4.1: the line broke without a close frame.
NO_CLOSE_FRAME = 1006
# Another hub has taken over by then.
DRAINING_RETRY_MS = 500

Handler = Callable[[Context, Session, Any], Awaitable[Message]]
HANDLERS: Final[dict[type, Handler]] = {Renew: identifying.renew, **{row.takes: row.handle for row in ROWS}}


class Connections:
    """All open connections of this hub, to count, to find by session, and to drain."""

    def __init__(self) -> None:
        self.all: set[Connection] = set()
        self._by_person: dict[tuple[int, str], int] = {}

    def admit(self, connection: "Connection") -> bool:
        """Count an authenticated connection. False: its person has enough."""
        key, most = _counted(connection)
        count = self._by_person.get(key, 0)
        if count >= most:
            return False
        self._by_person[key] = count + 1
        return True

    def leave(self, connection: "Connection") -> None:
        """Count it no longer."""
        key, _ = _counted(connection)
        self._by_person[key] -= 1
        if not self._by_person[key]:
            del self._by_person[key]

    def end_session(self, tenant_id: int, session_id: str) -> None:
        """Close every connection of an ended session."""
        for connection in list(self.all):
            principal = connection.session.principal
            # What was opened from a log-in goes with it.
            if (
                principal is not None
                and principal.tenant_id == tenant_id
                and session_id in {principal.session_id, principal.login}
            ):
                connection.end_after_answers(CloseCode.SESSION_REVOKED)

    def standings(self) -> dict[tuple[int, str], Standing | None]:
        """How each (tenant, person) who is connected here stands, as far as their connections know."""
        found: dict[tuple[int, str], Standing | None] = {}
        for connection in self.all:
            speaker = connection.session.principal
            if speaker is not None:
                key, standing = (speaker.tenant_id, speaker.person_id), connection.session.standing
                # Two that know different things both have to hear.
                found[key] = standing if found.get(key, standing) == standing else None
        return found

    def restand(self, tenant_id: int, person_id: str, standing: Standing) -> None:
        """Let a person's connections know how they stand now."""
        changed = StatusChanged(standing.status.name.lower(), standing.is_paid, standing.pays)  # type: ignore[arg-type]
        for connection in list(self.all):
            session = connection.session
            speaker = session.principal
            if speaker is None or (speaker.tenant_id, speaker.person_id) != (tenant_id, person_id):
                continue
            if session.standing != standing:
                session.standing = standing
                if connection.is_open:
                    connection.send(changed)

    def present(self, tenant_id: int, person_id: str | None = None) -> list[Present]:
        """The open connections of a tenant, or of one of its people."""
        return [
            connection.presence()
            for connection in self.all
            if (speaker := connection.session.principal) is not None
            and speaker.tenant_id == tenant_id
            and person_id in {None, speaker.person_id, speaker.actor}
        ]

    def count_present(self, tenant_id: int) -> int:
        """How many open connections a tenant has here."""
        return sum(
            (speaker := connection.session.principal) is not None and speaker.tenant_id == tenant_id
            for connection in self.all
        )

    def tell(self, tenant_id: int, topic: str, message: Message) -> None:
        """Send a message to every session of the tenant that watches the topic."""
        for connection in list(self.all):
            session = connection.session
            if topic in session.watching and session.speaker.tenant_id == tenant_id and connection.is_open:
                connection.send(message)

    def behind(self, numbers: Mapping[tuple[int, str], int]) -> "dict[tuple[int, str], list[Connection]]":
        """Of these (tenant, person) the connections that have not been told their notices up to this number.

        A machine is told none. Each connection is looked at once, however many people there are.
        """
        found: dict[tuple[int, str], list[Connection]] = {}
        for connection in self.all:
            speaker = connection.session.principal
            if speaker is None or speaker.scopes is not None or not connection.is_open:
                continue
            key = speaker.tenant_id, speaker.person_id
            if connection.session.bell < numbers.get(key, 0):
                found.setdefault(key, []).append(connection)
        return found

    def seen(self, since: float) -> Iterator[tuple[tuple[int, str], float]]:
        """The (tenant, session) pairs that have said something here since then, and when they last did."""
        for connection in self.all:
            principal = connection.session.principal
            if principal is not None and connection.seen_at > since:
                yield (principal.tenant_id, principal.session_id), connection.seen_at

    def live_sessions(self) -> set[tuple[int, str]]:
        """The (tenant, session) pairs that are connected here."""
        return {
            (speaker.tenant_id, speaker.session_id)
            for connection in self.all
            if (speaker := connection.session.principal) is not None and speaker.session_id is not None
        }


def _counted(connection: "Connection") -> tuple[tuple[int, str], int]:
    """Whose connection it is, and how many of theirs there may be: a till is one by itself."""
    speaker = connection.session.speaker
    if speaker.thumbprint is not None:
        return (speaker.tenant_id, speaker.session_id), CONNECTIONS_PER_TERMINAL_MAX
    return (speaker.tenant_id, connection.session.asker), CONNECTIONS_PER_PERSON_MAX


class Connection:
    """One client's connection."""

    def __init__(
        self,
        context: Context,
        connections: Connections,
        wire: EdgeWebSocket,
        codec: Codec,
        host: str | None,
        door: Door,
    ) -> None:
        address = address_key(host) if host else "unix"
        self._context = context
        self._connections = connections
        self._wire = wire
        self._codec = codec
        self._is_binary = codec.is_binary
        self.session = Session(context.now(), door, network_of(host or ""), host)
        self.trace_id = secrets.token_hex(16)
        self._client_address = address
        self._address = context.limits.bucket("address", 0, address, ADDRESS)
        self._buckets: tuple[Bucket, ...] = (Bucket(NEW_CONNECTION), self._address)
        self._patience = Patience()
        self._tasks: set[asyncio.Task[None]] = set()
        self._deadline: asyncio.TimerHandle | None = None
        self._admitted = False
        self._draining = False
        # Seconds since the epoch; 0: never yet.
        self.seen_at = 0.0
        # Set while the last answers of an ended token or session are waited for.
        self._ends_with: CloseCode | None = None
        self._ending: asyncio.TimerHandle | None = None
        # Why the hub closed it, if the hub did.
        self._closed_with: CloseCode | None = None
        self.catching_up = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    # Life

    async def run(self, receive: Receive) -> None:
        """Serve until the connection is closed by either side."""
        self._connections.all.add(self)
        metrics.connections.inc()
        self._watch_deadline()
        self._wire.attach(self._take, self._note_slow)
        code = int(CloseCode.INTERNAL)
        try:
            while (said := await receive())["type"] != "websocket.disconnect":
                pass
            code = said.get("code", NO_CLOSE_FRAME)
        finally:
            self._leave(code)

    def end(self, code: CloseCode, reason: str = "") -> None:
        """Close, with a code that says whether to come back."""
        if self.session.state is not State.ENDED:
            self.session.end()
            self._closed_with = code
            metrics.closes.labels(code.name.lower()).inc()
        self._wire.end(code, reason or code.name.lower())

    def drain(self, retry_after_ms: int) -> None:
        """Say when to come back, take nothing more, and close when what is in flight has been answered."""
        if not self.is_open:
            # It left while others were being sent away.
            return
        self.send(Draining(retry_after_ms))
        self._draining = True
        self._wire.attach(self._take_no_more, self._note_slow)
        if not self.session.in_flight:
            self.end(CloseCode.RESTART)

    def cut(self) -> None:
        """Drop the transport at once."""
        self._wire.transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether it still makes sense to send."""
        return self.session.state is not State.ENDED and not self._wire.disconnected

    def presence(self) -> Present:
        """What an inspector is shown of it."""
        session = self.session
        return Present(
            *self._who(),
            session.started_at,
            self.seen_at,
            session.in_flight,
            len(session.followed),
            not self.keeps_up,
        )

    def _who(self) -> tuple[str, str, str, str, str | None]:
        speaker = self.session.speaker
        door = "seat" if speaker.actor else "machine" if speaker.scopes is not None else speaker.door.name.lower()
        return self.session.asker, speaker.role.name.lower(), speaker.session_id, door, self.session.network

    def _leave(self, code: int) -> None:
        self._connections.all.discard(self)
        metrics.connections.dec()
        self.session.end()
        for timer in (self._deadline, self._ending):
            if timer is not None:
                timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._admitted:
            for bucket in self._buckets:
                bucket.holders -= 1
            self._connections.leave(self)
            tenant_id = self.session.speaker.tenant_id
            by_hub = self._closed_with
            departure = Departure(
                *self._who(),
                self.session.started_at,
                self._context.now(),
                code if by_hub is None else int(by_hub),
                by_hub is not None,
            )
            self._context.departures.note(tenant_id, departure)
            for account in self.session.followed:
                self._context.audience.unfollow(self, (tenant_id, account))
            self._context.broker.forget(events_channel(tenant_id))

    def _watch_deadline(self) -> None:
        now = self._context.now()
        code = self.session.must_close(now)
        if code is CloseCode.TOKEN_EXPIRED:
            self.end_after_answers(code)
        elif code is not None:
            self.end(code)
        elif self.session.state is not State.ENDED:
            delay = max(self.session.next_deadline() - now, 0.001)
            self._deadline = self._loop.call_later(delay, self._watch_deadline)

    def end_after_answers(self, code: CloseCode) -> None:
        """Take nothing more, and close when what is in flight has been answered or the code's grace is over.

        A session that ended does not wait as long as a token that did before it.
        """
        if self._ends_with in {code, CloseCode.SESSION_REVOKED} or self.session.state is State.ENDED:
            return
        if not self.session.in_flight:
            self.end(code)
            return
        self._ends_with = code
        if self._ending is not None:
            self._ending.cancel()
        self._wire.attach(self._take_too_late, self._note_slow)
        self._ending = self._loop.call_later(GRACE_S[code], self.end, code)

    def _note_slow(self) -> None:
        self._closed_with = CloseCode.SLOW_CONSUMER
        metrics.closes.labels(CloseCode.SLOW_CONSUMER.name.lower()).inc()
        self.session.end()

    # Out

    def send(self, message: Message) -> None:
        """Send one message."""
        self._wire.write(self._codec.encode(message), self._is_binary)

    def hear(self, event: Event, frame: bytes | None) -> None:
        """Send an event: the frame as it is where it fits, for it was encoded once for everybody."""
        if self._is_binary and frame is not None:
            self._wire.write(frame, True)
            return
        self._wire.write(self._codec.encode(event), self._is_binary)

    @property
    def keeps_up(self) -> bool:
        """Whether the peer has read enough for more."""
        return self._wire.writable.is_set()

    async def writable(self) -> None:
        """Wait until it has."""
        while not self._wire.writable.is_set():
            await self._wire.writable.wait()

    # In

    def _take(self, data: bytes, is_binary: bool) -> None:
        session = self.session
        if session.state is State.ENDED:
            return
        if is_binary != self._is_binary:
            self.end(CloseCode.UNSUPPORTED_DATA)
            return
        now = self.seen_at = self._context.now()
        for bucket in self._buckets:
            wait = bucket.spend(now)
            if wait:
                self._refuse_rate(data, self._patience.refuse(now, wait))
                return
        self._patience.grant()
        try:
            message = self._codec.decode(
                data, SIZE_MAX if session.state is State.LIVE else SIZE_MAX_BEFORE_AUTHENTICATION
            )
            refusal = session.check(message)
            if refusal is None and session.state is State.LIVE:
                if session.scopes is not None:
                    require_scope(session, needs_of(message))
                refusal = refusal_of(session, message)
            if refusal is not None:
                raise CommandRefused(refusal)
            if type(message) is Pay and not may_need_proof(self._context, session, message.amount):
                self._pay(message)
            elif type(message) is Acknowledge:
                following.acknowledge(self._context, session, self, message)
            elif type(message) is AskChallenge:
                self.send(pairing.challenge(self._context, session, message))
            elif type(message) is Ping:
                self.send(Pong(message.id, to_time_now(self._context)))
            else:
                self._start(message)
        except ProtocolError as error:
            metrics.bad_messages.labels(error.code.value).inc()
            field = UNSET if error.field is None else error.field
            self.send(
                CommandRefused(error.code, str(error), field=field).to_message(UNSET if error.id is None else error.id)
            )
            if session.state is not State.LIVE or error.fatal or session.count_bad_message():
                self.end(CloseCode.TOO_LARGE if error.code is ErrorCode.TOO_LARGE else CloseCode.BAD_MESSAGE)
        except CommandRefused as error:
            self.send(error.to_message(getattr(message, "id", UNSET)))
            if error.code is ErrorCode.AUTHENTICATION_REQUIRED:
                self.end(CloseCode.AUTHENTICATION_FAILED)
            elif error.code is ErrorCode.ALREADY_AUTHENTICATED:
                self.end(CloseCode.BAD_MESSAGE)

    def _take_no_more(self, data: bytes, is_binary: bool) -> None:
        id_ = self._codec.read_id(data)
        refused = CommandRefused(ErrorCode.UNAVAILABLE, retry_after_ms=DRAINING_RETRY_MS)
        self.send(refused.to_message(UNSET if id_ is None else id_))

    def _take_too_late(self, data: bytes, is_binary: bool) -> None:
        id_ = self._codec.read_id(data)
        what = "session" if self._ends_with is CloseCode.SESSION_REVOKED else "token"
        refused = CommandRefused(ErrorCode.AUTHENTICATION_REQUIRED, f"The {what} has ended. Come back with a new one.")
        self.send(refused.to_message(UNSET if id_ is None else id_))

    def _pay(self, command: Pay) -> None:
        payment = paying.to_payment(self.session, command)
        try:
            self._context.batcher.submit(payment, partial(self._answer_payment, command.id))
        except CoreError as error:
            raise from_core(error) from None
        self._take_off()

    def _answer_payment(self, id: int, payment: Payment, outcome: Outcome) -> None:
        self._land()
        self._wire.write(self._codec.encode(paying.to_answer(id, payment, outcome)), self._is_binary)

    def _take_off(self) -> None:
        self.session.in_flight += 1
        if self.session.in_flight >= IN_FLIGHT_MAX:
            self._wire.hold_reading()

    def _land(self) -> None:
        self.session.in_flight -= 1
        if (self._draining or self._ends_with is not None) and not self.session.in_flight:
            # On the loop's next turn: the answer that this was about is still to be written.
            self._loop.call_soon(self._end_when_idle)
        if self.session.in_flight < IN_FLIGHT_MAX:
            self._wire.release_reading()

    def _end_when_idle(self) -> None:
        if self._ends_with is not None:
            self.end(self._ends_with)
        elif self._draining:
            self.end(CloseCode.RESTART)

    def _start(self, message: Any) -> None:
        if self.session.in_flight >= IN_FLIGHT_MAX:
            raise CommandRefused(ErrorCode.TOO_MANY_IN_FLIGHT)
        self._take_off()
        if type(message) is Authenticate:
            # Nothing more is read while the token is checked; what came with it in one read is refused.
            self._wire.hold_reading()
        task = self._loop.create_task(self._carry_out(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, message: Any) -> None:
        id_ = getattr(message, "id", UNSET)
        structlog.contextvars.bind_contextvars(trace_id=self.trace_id)
        try:
            if type(message) is Authenticate:
                await self._authenticate(message)
            elif type(message) is Follow:
                answer = await following.follow(self._context, self.session, self, message)
                self.send(answer)
                following.begin(self._context, self.session, self, answer)
            elif type(message) is Unfollow:
                self.send(await following.unfollow(self._context, self.session, self, message))
            elif type(message) is Resume:
                resumed, followings = await following.resume(self._context, self.session, self, message)
                self.send(resumed)
                for each in followings:
                    following.begin(self._context, self.session, self, each)
            else:
                self.send(await HANDLERS[type(message)](self._context, self.session, message))
                if type(message) is Renew and self._deadline is not None:
                    self._deadline.cancel()
                    self._watch_deadline()
        except CommandRefused as error:
            self.send(error.to_message(id_))
            if type(message) is Authenticate:
                self.end(CloseCode.AUTHENTICATION_FAILED)
        except CoreError as error:
            self.send(from_core(error).to_message(id_))
            if type(message) is Authenticate:
                self.end(CloseCode.UNAVAILABLE)
        except Exception:
            log.exception("command_failed", extra={"command": type(message).__name__})
            self.send(CommandRefused(ErrorCode.INTERNAL).to_message(id_))
            if type(message) is Authenticate:
                self.end(CloseCode.INTERNAL)
        finally:
            self._land()

    async def _authenticate(self, message: Authenticate) -> None:
        context, session = self._context, self.session
        welcome = await identifying.authenticate(context, session, message)
        if not self._connections.admit(self):
            self.end(CloseCode.TOO_MANY_CONNECTIONS)
            return
        self._admitted = True
        speaker = session.speaker
        # Asked for anew: a bucket that nobody held was forgotten when it was full again.
        self._address = context.limits.bucket("address", 0, self._client_address, ADDRESS)
        self._buckets = (
            Bucket(CONNECTION_BY_ROLE[speaker.role]),
            context.limits.bucket(
                f"person-{speaker.role.name.lower()}", speaker.tenant_id, session.asker, BY_ROLE[speaker.role]
            ),
            context.tenant_bucket(speaker.tenant_id),
            self._address,
        )
        for bucket in self._buckets:
            bucket.holders += 1
        context.broker.listen_to(events_channel(speaker.tenant_id))
        self._wire.admit_large_messages()
        if self._deadline is not None:
            self._deadline.cancel()
        self._watch_deadline()
        self.send(welcome)

    def _refuse_rate(self, data: bytes, wait: float) -> None:
        metrics.rate_refusals.inc()
        if self._patience.is_worn_out:
            self.end(CloseCode.FLOODING)
            return
        refused = CommandRefused(ErrorCode.RATE_LIMITED, retry_after_ms=int(wait * 1000) + 1)
        id_ = self._codec.read_id(data)
        self.send(refused.to_message(UNSET if id_ is None else id_))


def to_time_now(context: Context) -> str:
    """The hub's clock."""
    return to_time(int(context.now() * 1_000_000))


def address_allows(context: Context, address: str) -> bool:
    """Whether one more connection from this address is welcome."""
    return not context.limits.bucket("address-connect", 0, address, ADDRESS_CONNECT).spend(context.now())


async def serve(
    context: Context, connections: Connections, door: Door, scope: Scope, receive: Receive, send: Send
) -> None:
    """A WebSocket endpoint: Origin, subprotocol, then a Connection until it closes."""
    await receive()
    wire: EdgeWebSocket = scope["extensions"]["payhub.wire"]["wire"]
    host = scope["client"][0] if scope["client"] else None
    address = address_key(host) if host else "unix"
    if context.draining or not address_allows(context, address):
        await refuse_handshake(send, 503 if context.draining else 429)
        return
    if not context.doors.allow(door, scope["headers"]):
        await refuse_handshake(send, 403)
        return
    if b"token=" in scope["query_string"].lower():
        # A token in a URL is a token in somebody's access log.
        await refuse_handshake(send, 400)
        return
    codec = next((CODECS[name] for name in scope["subprotocols"] if name in CODECS), None)
    await send({"type": "websocket.accept", "subprotocol": None if codec is None else codec.subprotocol})
    if codec is None:
        wire.end(CloseCode.SUBPROTOCOL_MISSING, "offer payhub.v1.msgpack or payhub.v1.json")
        return
    await Connection(context, connections, wire, codec, host, door).run(receive)


async def refuse_handshake(send: Send, status: int) -> None:
    """Answer the upgrade with an HTTP status instead."""
    await send({"type": "websocket.http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "websocket.http.response.body", "body": b""})

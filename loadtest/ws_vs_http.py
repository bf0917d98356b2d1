"""WebSocket against HTTP, after codegik/websocket-benchmark: as published, as a twin, with real payments.

As published: one socket, 10 messages of 1,000 characters, then a sleep of 10 ms, never waiting for answers;
HTTP in batches of 10 over the 6 connections that a browser opens. The sleep alone makes N milliseconds: that
leg shows the method, not the protocol. Fair twin: the same messages, 10 in flight on both sides, connections
kept alive. Real payments: authenticated, written to the ledger, answered after the commit; 10 in flight on
one socket against 10 kept-alive connections. It never compares a payment with an echo.
"""

import asyncio
import contextlib
import gc
import random
import string
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from hub.protocol.messages import Paid, Pay, Refused
from loadtest.ids import uuid7
from loadtest.report import Reporter
from loadtest.stack import POLL_SECONDS, READY_SECONDS, free_ports, is_ready, stop
from loadtest.target import Target
from loadtest.wire_http import HttpConnection, connect, request_of
from loadtest.wire_ws import Socket, connect_patiently, encode

IN_FLIGHT = 10
BROWSER_CONNECTIONS = 6  # per host, over HTTP/1.1
PEOPLE = 2 * IN_FLIGHT  # ten payers and ten payees: ten strangers pay at once, as ten browsers would
PAUSE_SECONDS = 0.01
MESSAGE_LENGTH = 1_000
TEXTS = 64  # different messages, made before the clock starts and used in turn
encode_json: Final = msgspec.json.Encoder().encode
TIMEOUT_SECONDS = 900.0
WARM_UP = 200
TURNS = 10
AS_PUBLISHED, FAIR_TWIN, REAL_PAYMENTS = "as published", "fair twin", "real payments"
# Milliseconds (WebSocket, HTTP) in the benchmark's README. Its screenshot for "1K" shows 100 requests.
PUBLISHED = {1_000: (110, 204), 10_000: (12_123, 19_757), 100_000: (120_914, 219_011)}
METHOD = (
    "Published: a browser against Node's ws and express on one laptop; echo, no database, nobody logged in.",
    "Its WebSocket side sleeps 10 ms after 10 messages (N ms in all), and its 1K row shows 100 requests.",
    "Here: one client process, the server on the same machine; 1,000 characters per echo; payments are",
    "authenticated and answered after their commit, fsync on. Totals in milliseconds; ratio: WS ÷ HTTP.",
)


class ComparisonError(Exception):
    """A leg did not end well: one sentence."""


class Window:
    """A closed loop: `width` under way, the next sent when one is answered, until `count` are answered."""

    def __init__(self, count: int, send: Callable[[int], None]) -> None:
        self._count = count
        self._send = send
        self._sent = 0
        self._answered = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def open(self, width: int) -> None:
        """Send the first ones."""
        for _ in range(min(width, self._count)):
            self._next()

    def take(self) -> None:
        """One was answered."""
        self._answered += 1
        if self._sent < self._count:
            self._next()
        elif self._answered == self._count and not self.done.done():
            self.done.set_result(None)

    def fail(self, reason: str) -> None:
        """Nothing more will come."""
        if not self.done.done():
            self.done.set_exception(ComparisonError(reason))

    def _next(self) -> None:
        at, self._sent = self._sent, self._sent + 1
        self._send(at)


class EchoSocket(WSListener):
    """A socket that counts what comes back."""

    def __init__(self) -> None:
        self.transport: WSTransport | None = None
        self.heard: Callable[[], None] = lambda: None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take the transport (called by picows)."""
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame (called by picows)."""
        if frame.msg_type is WSMsgType.TEXT:
            self.heard()

    def send(self, text: bytes) -> None:
        """Send a text message."""
        assert self.transport is not None
        self.transport.send(WSMsgType.TEXT, text)


class Totals(NamedTuple):
    """One leg at one size, in milliseconds."""

    ws_ms: float
    http_ms: float


async def compare(target: Target, report: Reporter, sizes: Sequence[int]) -> dict[str, Any]:
    """All legs at all sizes."""
    legs = []
    with report.progress("legs", 3 * len(sizes)) as bar, _echo_server() as url:
        for size in sizes:
            for leg, run in ((AS_PUBLISHED, _as_published), (FAIR_TWIN, _fair_twin)):
                legs.append(_row(leg, size, await run(url, size)))
                bar.reach(len(legs))
            legs.append(_row(REAL_PAYMENTS, size, await _real_payments(target, size)))
            bar.reach(len(legs))
    return {"legs": sorted(legs, key=lambda row: (AS_PUBLISHED, FAIR_TWIN, REAL_PAYMENTS).index(row["leg"]))}


def _row(leg: str, size: int, totals: Totals) -> dict[str, Any]:
    published = PUBLISHED.get(size, (None, None))
    return {
        "leg": leg,
        "n": size,
        "ws_ms": round(totals.ws_ms, 1),
        "http_ms": round(totals.http_ms, 1),
        "ratio": round(totals.ws_ms / totals.http_ms, 3),
        "published_ws_ms": published[0],
        "published_http_ms": published[1],
    }


async def _as_published(url: str, size: int) -> Totals:
    texts = _texts()
    began = _start_clock()  # the published total includes opening the socket
    socket = await _open_echo(url)
    answered = Window(size, lambda _: None)
    answered.open(size)
    socket.heard = answered.take
    for start in range(0, size, IN_FLIGHT):
        if start:
            await asyncio.sleep(PAUSE_SECONDS)
        for at in range(start, min(start + IN_FLIGHT, size)):
            socket.send(texts[at % TEXTS])
    await _finish(answered)
    ws_ms = _stop_clock(began)
    _close(socket)
    requests = _echo_requests(url, texts)
    async with _http_pool(url, BROWSER_CONNECTIONS) as pool:
        began = _start_clock()
        for start in range(0, size, IN_FLIGHT):
            # A barrier: the reference waits for all ten before the next ten.
            part = [requests[at % TEXTS] for at in range(start, min(start + IN_FLIGHT, size))]
            await _over_pool(pool, len(part), part.__getitem__)
        http_ms = _stop_clock(began)
    return Totals(ws_ms, http_ms)


async def _fair_twin(url: str, size: int) -> Totals:
    texts = _texts()
    socket = await _open_echo(url)
    for count in (WARM_UP, size):
        began = _start_clock()
        window = Window(count, lambda at: socket.send(texts[at % TEXTS]))
        socket.heard = window.take
        window.open(IN_FLIGHT)
        await _finish(window)
        ws_ms = _stop_clock(began)
    _close(socket)
    requests = _echo_requests(url, texts)
    async with _http_pool(url, IN_FLIGHT) as pool:
        await _over_pool(pool, WARM_UP, lambda at: requests[at % TEXTS])
        began = _start_clock()
        await _over_pool(pool, size, lambda at: requests[at % TEXTS])
        http_ms = _stop_clock(began)
    return Totals(ws_ms, http_ms)


async def _real_payments(target: Target, size: int) -> Totals:
    url = target.urls[0]
    # An operator pays for everybody: a person's own limit is below what one socket carries.
    token = target.operator_token
    pairs = [(payer.account, payee.account) for payer, payee in zip(*[iter(target.people)] * 2, strict=True)]

    def request(at: int) -> bytes:
        payer, payee = pairs[at % len(pairs)]
        body = {"payment": uuid7(), "payer": payer, "payee": payee, "amount": 1}
        return request_of(url, "/v1/payments", encode_json(body), token)

    ws_ms = http_ms = 0.0
    async with _http_pool(url, IN_FLIGHT) as pool, _paying_socket(url, token, pairs) as pay:
        await pay(WARM_UP)
        await _over_pool(pool, WARM_UP, request)
        # In turns, so that a machine that slows down for a while slows both sides.
        for part in _parts(size, TURNS):
            began = _start_clock()
            await pay(part)
            ws_ms += _stop_clock(began)
            began = _start_clock()
            await _over_pool(pool, part, request)
            http_ms += _stop_clock(began)
    return Totals(ws_ms, http_ms)


def _parts(size: int, count: int) -> list[int]:
    """`size` cut into `count` nearly equal parts, none empty."""
    return [part for part in (size * (at + 1) // count - size * at // count for at in range(count)) if part]


@contextlib.asynccontextmanager
async def _paying_socket(
    url: str, token: str, pairs: Sequence[tuple[int, int]]
) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """A function that pays so many times over one socket, with ten payments under way."""
    windows: list[Window] = []

    def send(at: int) -> None:
        socket.send(encode(Pay(at, uuid7(), *pairs[at % len(pairs)], 1)))

    def take(paid: Paid) -> None:
        if paid.status == "posted":
            windows[-1].take()
        else:
            windows[-1].fail(f"A payment was not posted: {paid.status}.")

    def refuse(refused: Refused) -> None:
        windows[-1].fail(f"A payment was refused: {refused.code}.")

    def lose() -> None:
        if windows:
            windows[-1].fail("The hub closed the connection.")

    socket = await connect_patiently(url, token, Socket(take, None, refuse, lose))

    async def pay(count: int) -> None:
        windows.append(Window(count, send))
        windows[-1].open(IN_FLIGHT)
        await _finish(windows[-1])

    try:
        yield pay
    finally:
        socket.close()


async def _over_pool(pool: Sequence[HttpConnection], count: int, request: Callable[[int], bytes]) -> None:
    """`count` requests, one under way on each connection."""
    idle = list(pool)

    def send(at: int) -> None:
        connection = idle.pop()

        def take(status: int, body: bytes) -> None:
            idle.append(connection)
            if status == 200:
                window.take()
            else:
                window.fail(f"HTTP {status}: {body[:200].decode(errors='replace')}")

        connection.send(request(at), take)

    window = Window(count, send)
    window.open(len(pool))
    await _finish(window)


async def _finish(window: Window) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await window.done


async def _open_echo(url: str) -> EchoSocket:
    _, socket = await ws_connect(EchoSocket, "ws" + url.removeprefix("http"), logger_name="loadtest")
    assert isinstance(socket, EchoSocket)
    return socket


def _close(socket: EchoSocket) -> None:
    assert socket.transport is not None
    socket.transport.send_close()
    socket.transport.disconnect()


@contextlib.asynccontextmanager
async def _http_pool(url: str, size: int) -> AsyncIterator[list[HttpConnection]]:
    pool = [await connect(url) for _ in range(size)]
    try:
        yield pool
    finally:
        for connection in pool:
            connection.close()


@contextlib.contextmanager
def _echo_server() -> Iterator[str]:
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtest.echo", str(port)], stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ComparisonError("The echo server did not start.")
            time.sleep(POLL_SECONDS)
        yield f"http://127.0.0.1:{port}/"
    finally:
        stop(process)


def _echo_requests(url: str, texts: Sequence[bytes]) -> list[bytes]:
    return [request_of(url, "/api/echo", encode_json({"data": text.decode()})) for text in texts]


def _texts() -> list[bytes]:
    letters = string.ascii_letters + string.digits
    return ["".join(random.choices(letters, k=MESSAGE_LENGTH)).encode() for _ in range(TEXTS)]


def _start_clock() -> float:
    gc.collect()
    return time.perf_counter()


def _stop_clock(began: float) -> float:
    return (time.perf_counter() - began) * 1000

"""One HTTP/1.1 keep-alive connection as cheap as the WebSocket client next to it: neither is favoured.

It reads what a hub sends: a status, headers with a content-length, a body. It never pipelines.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

Answered = Callable[[int, bytes], None]
ANSWER_SECONDS = 30.0


class HttpError(Exception):
    """The server refused, or the connection ended."""


class HttpConnection(asyncio.Protocol):
    """A connection with at most one request under way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answered: Answered | None = None
        self._transport: asyncio.Transport | None = None

    def send(self, request: bytes, answered: Answered) -> None:
        """Send a whole request; `answered(status, body)` is called once. Status 0: the connection ended."""
        self._answered = answered
        assert self._transport is not None
        self._transport.write(request)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and wait for its answer."""
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self.send(request, lambda status, body: answer.set_result((status, body)))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer

    def close(self) -> None:
        """Close."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes (called by the loop)."""
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = buffer
            return
        length = _content_length(buffer[:end])
        if len(buffer) < end + 4 + length:
            self._buffer = buffer
            return
        self._buffer = b""
        self._finish(int(buffer[9:12]), buffer[end + 4 :])

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits (called by the loop)."""
        self._finish(0, b"")

    def _finish(self, status: int, body: bytes) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(status, body)


async def connect(url: str) -> HttpConnection:
    """A connection to the server of a URL."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, made = await loop.create_connection(HttpConnection, parts.hostname or "", parts.port or 80)
    return made


def request_of(url: str, path: str, body: bytes, token: str = "") -> bytes:
    """A POST with a JSON body."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def log_in(url: str, tenant: str, login: str, password: str) -> str:
    """An operator's access token. Raises HttpError."""
    body = json.dumps({"tenant": tenant, "login": login, "password": password}).encode()
    connection = await connect(url)
    try:
        status, answer = await connection.ask(request_of(url, "/v1/login", body))
    finally:
        connection.close()
    if status != 200:
        raise HttpError(
            f"{url} does not let {login!r} into {tenant!r} (HTTP {status}): check tenant, login and password."
        )
    found: dict[str, Any] = json.loads(answer)
    return str(found["access_token"])


def _content_length(head: bytes) -> int:
    at = head.find(b"content-length:")
    if at < 0:
        at = head.lower().find(b"content-length:")
    if at < 0:
        return 0
    end = head.find(b"\r\n", at)
    return int(head[at + 15 : end if end > 0 else len(head)])

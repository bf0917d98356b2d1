"""A merchant's server: it listens on loopback, keeps what it was brought, and answers as it is told, badly too."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

HEAD_MAX = 64 * 1024


class Heard(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def place(self) -> tuple[int, int]:
        """Account and number."""
        data = self.message["data"]
        return data["account"], data["number"]


# The status, and what else stands in the head; None: the connection is cut.
Answer: TypeAlias = tuple[int, dict[str, str], bytes] | bytes | None
Reply: TypeAlias = Callable[[Heard], Awaitable[Answer]]


async def take(_: Heard) -> Answer:
    return 204, {}, b""


def always(status: int, body: bytes = b"", **head: str) -> Reply:
    async def reply(_: Heard) -> Answer:
        return status, {name.replace("_", "-"): value for name, value in head.items()}, body

    return reply


class Receiver:
    """`reply` says what is answered. `taken`: what was answered with 2xx, in order."""

    def __init__(self) -> None:
        self.reply: Reply = take
        self.heard: list[Heard] = []
        self.taken: list[Heard] = []
        self.connections = 0
        self.at_once = 0
        self.at_once_max = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def url(self, path: str = "/hooks") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def start(self) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=HEAD_MAX)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Nobody listens any more, on the same port."""
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while True:
                with suppress(ValueError):
                    if not await self._answer(reader, writer):
                        return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        heard = Heard(first.split(" ")[1], headers, body)
        self.heard.append(heard)
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            answer = await self.reply(heard)
        finally:
            self.at_once -= 1
        if answer is None:
            writer.transport.abort()
            return False
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            return False
        status, more, text = answer
        if 200 <= status < 300:
            self.taken.append(heard)
        lines = [
            f"HTTP/1.1 {status} X",
            f"content-length: {len(text)}",
            *(f"{key}: {value}" for key, value in more.items()),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        await writer.drain()
        return True

"""Frames byte by byte, for what no WebSocket library would send."""

import asyncio
import base64
import contextlib
import os
import socket
import struct
import time
from typing import ClassVar, NamedTuple

TEXT, BINARY, CONT, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


NATIVE = "/v1/native"
WEB = "/v1/socket"


class Frame(NamedTuple):
    opcode: int
    payload: bytes


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    mask: bytes = b"\x01\x02\x03\x04",
) -> bytes:
    """One frame as clients send it, unless told to be wrong."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    flag = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = bytes((first, flag | size))
    elif size < 65536:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    if not masked:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def close_payload(code: int) -> bytes:
    return struct.pack("!H", code)


class RawSocket:
    """A TCP connection that may say anything."""

    # All that a test opened, for its end to close.
    opened: ClassVar[list["RawSocket"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.opened.append(self)

    @classmethod
    async def connect(cls, port: int, receive_buffer: int | None = None) -> "RawSocket":
        plain = socket.socket()
        plain.setblocking(False)
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=plain))

    @classmethod
    async def upgraded(
        cls,
        port: int,
        subprotocol: str = "payhub.v1.json",
        *extra: str,
        target: str = NATIVE,
        receive_buffer: int | None = None,
    ) -> "RawSocket":
        raw = await cls.connect(port, receive_buffer)
        head = await raw.upgrade(subprotocol, *extra, target=target)
        assert head.startswith("HTTP/1.1 101"), head
        return raw

    async def upgrade(self, subprotocol: str = "payhub.v1.json", *extra: str, target: str = NATIVE) -> str:
        self.send(upgrade_request(subprotocol, *extra, target=target))
        return await self.head()

    async def head(self) -> str:
        async with asyncio.timeout(10):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def frames(self, timeout_s: float = 10.0) -> list[Frame]:
        """Everything until the other side ends the connection."""
        found = []
        async with asyncio.timeout(timeout_s):
            while (one := await self.frame()) is not None:
                found.append(one)
        return found

    async def frame(self) -> Frame | None:
        """The next frame, or None at the end of the connection."""
        try:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return Frame(first & 0x0F, await self.reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def close_code(self, timeout_s: float = 10.0) -> int | None:
        """The code of the close frame that ends it all; None if there was none."""
        found = await self.frames(timeout_s)
        closes = [one for one in found if one.opcode == CLOSE]
        if not closes:
            return None
        assert len(closes) == 1
        assert found[-1].opcode == CLOSE, "nothing may follow a close frame"
        payload = closes[0].payload
        return int.from_bytes(payload[:2], "big") if payload else 1005

    async def seconds_until_closed(self, timeout_s: float = 20.0) -> float:
        """Wait for the end of the connection, whatever comes before it."""
        started = time.monotonic()
        async with asyncio.timeout(timeout_s):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(65536):
                    pass
        return time.monotonic() - started

    async def leave(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def upgrade_request(subprotocol: str = "payhub.v1.json", *extra: str, target: str = NATIVE) -> bytes:
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: hub",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        f"Sec-WebSocket-Protocol: {subprotocol}",
        *extra,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()

"""A gate before a server: what goes through it can be kept from it, in the ways in which networks and servers fail.

It listens on loopback, and passes bytes on without a look at them, whatever is sealed in them.
"""

import asyncio
import contextlib
import os
import random
from enum import Enum
from typing import Final

PIECE: Final = 64 * 1024
# In the middle of a handshake, of a greeting, or of the hundredth answer.
PASSED_BYTES_MAX: Final = 8_000


class Mood(Enum):
    """What a gate does with whoever comes."""

    OPEN = "open"
    DOWN = "down"  # nobody listens
    HANG = "hang"  # listens, and says nothing
    RESET = "reset"  # passes some of what the server says, and ends the connection in the middle of it
    GARBAGE = "garbage"  # says what nobody can read


class Gate:
    """One gate."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._mood = Mood.OPEN
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def be(self, mood: Mood) -> None:
        """Be so from now on; whoever is connected is not any more."""
        self._mood = mood
        if self._server is not None:
            self._server.close()
            for one in list(self._ends):
                one.transport.abort()
            await self._server.wait_closed()
            self._server = None
        if mood is not Mood.DOWN:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            with contextlib.suppress(OSError):
                if self._mood is Mood.HANG:
                    await writer.wait_closed()
                elif self._mood is Mood.GARBAGE:
                    writer.write(os.urandom(random.randrange(1, 200)) + b"\r\n")
                    await reader.read(PIECE)
                else:
                    await self._pass_on(reader, writer)
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        passed = random.randrange(PASSED_BYTES_MAX) if self._mood is Mood.RESET else None
        ways = {
            asyncio.create_task(_copy(reader, server_writer, None)),
            asyncio.create_task(_copy(server_reader, writer, passed)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            server_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
    """Until the end, or until so much has passed."""
    while piece := await reader.read(PIECE):
        if limit is not None:
            piece = piece[:limit]
            limit -= len(piece)
        writer.write(piece)
        await writer.drain()
        if limit == 0:
            return

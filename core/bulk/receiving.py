"""A file on its way in: bytes become lines, lines are checked and kept, chunk by chunk.

It holds two chunks and a piece in memory, whatever the file's size, and gives the loop a turn after each piece.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Final

from core.bulk.bulks import Bulk, add_lines, begin_file, close_file
from core.bulk.cnab240 import Cnab240Parser
from core.bulk.csv import CsvParser
from core.bulk.lines import FILE_SIZE_MAX, Ground, Line, MakeParser
from core.bulk.pain001 import Pain001Parser
from core.bulk.words import CHUNK_MAX
from core.database import Pool
from core.errors import Refusal
from core.keys.safe import Safe

# By media type (RFC 7111, RFC 7303; CNAB has none of its own).
FORMATS: Final[dict[str, MakeParser]] = {
    "text/csv": CsvParser,
    "application/xml": Pain001Parser,
    "text/plain": Cnab240Parser,
}
# Some hundred lines: a few milliseconds of parsing, in which nobody else on the loop is served.
PIECE_SIZE = 16 * 1024
# Lines that are kept with one call: beyond a thousand a call gets no cheaper.
CHUNK_LENGTH = CHUNK_MAX


async def receive_file(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    bulk: Bulk,
    make_parser: MakeParser,
    ground: Ground,
    data: AsyncIterable[bytes],
) -> Bulk:
    """Read a whole file into the bulk and check it. One that breaks off leaves the bulk to be sent again.

    Raises Refusal when the file cannot be read, is too large, or is not what was declared: nothing of it is kept.
    """
    parser, digest, size = make_parser(ground), hashlib.sha256(), 0
    keeper = Keeper(pool, keys, tenant_id, bulk, await begin_file(pool, tenant_id, bulk.id))
    try:
        async for piece in _small(data):
            size += len(piece)
            if size > FILE_SIZE_MAX:
                raise Refusal("too_large")
            digest.update(piece)
            await keeper.take(parser.feed(piece))
            await asyncio.sleep(0)
        await keeper.take(parser.close())
        await keeper.finish()
    finally:
        await keeper.stop()
    return await close_file(pool, tenant_id, bulk.id, keeper.attempt, digest.digest())


class Keeper:
    """Keeps lines in chunks, one chunk under way while the next is read: PostgreSQL and the parser work at once."""

    def __init__(self, pool: Pool, keys: Safe, tenant_id: int, bulk: Bulk, attempt: int) -> None:
        self._pool = pool
        self._keys = keys
        self._tenant_id = tenant_id
        self._bulk = bulk
        self.attempt = attempt
        self._count = 0
        self._waiting: list[Line] = []
        self._under_way: asyncio.Task[int] | None = None

    async def take(self, lines: Sequence[Line]) -> None:
        """Take the next lines. Raises what core.bulk.bulks.add_lines does, of these or of earlier ones."""
        self._waiting += lines
        while len(self._waiting) >= CHUNK_LENGTH:
            await self._send()

    async def finish(self) -> None:
        """Keep what is left."""
        if self._waiting:
            await self._send()
        await self._arrive()

    async def stop(self) -> None:
        """Leave nothing under way, whatever happened."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _send(self) -> None:
        await self._arrive()
        chunk, self._waiting = self._waiting[:CHUNK_LENGTH], self._waiting[CHUNK_LENGTH:]
        first, self._count = self._count + 1, self._count + len(chunk)
        self._under_way = asyncio.create_task(
            add_lines(self._pool, self._keys, self._tenant_id, self._bulk, self.attempt, first, chunk)
        )

    async def _arrive(self) -> None:
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            await under_way


async def receive_lines(
    pool: Pool, keys: Safe, tenant_id: int, bulk: Bulk, first: int, lines: Sequence[Line], form: bytes
) -> int:
    """Take one message of a stream, the first of whose lines is number `first`. How many lines there are now.

    `form`: the message's lines as bytes, to know the stream again. A message that was taken before changes nothing;
    raises Refusal when one before it is missing.
    """
    attempt, there = bulk.attempt, bulk.lines
    if there and bulk.digest is None and first == 1:
        # What is there is of a file that broke off, and no stream goes on from it.
        attempt, there = await begin_file(pool, tenant_id, bulk.id), 0
    if first + len(lines) - 1 <= there:
        return there
    if first != there + 1 or (there and bulk.digest is None):
        due = 1 if bulk.digest is None else there + 1
        raise Refusal("lines_out_of_order", f"Line {due} is due.", field="first")
    digest = hashlib.sha256((bulk.digest or b"") + form).digest()
    return await add_lines(pool, keys, tenant_id, bulk, attempt, first, lines, digest)


async def _small(data: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for piece in data:
        for at in range(0, len(piece), PIECE_SIZE):
            yield piece[at : at + PIECE_SIZE]

"""A file on its way in: bytes become lines, lines are checked and kept, chunk by chunk.

It holds a chunk and a piece in memory, whatever the file's size, and gives the loop a turn after each.
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
from core.database import Pool
from core.errors import Refusal

# By media type (RFC 7111, RFC 7303; CNAB has none of its own).
FORMATS: Final[dict[str, MakeParser]] = {
    "text/csv": CsvParser,
    "application/xml": Pain001Parser,
    "text/plain": Cnab240Parser,
}
# Some hundred lines: a few milliseconds of parsing, in which nobody else on the loop is served.
PIECE_SIZE = 16 * 1024
# Lines that are kept with one call: beyond a thousand a call gets no cheaper.
CHUNK_LENGTH = 1_000


async def receive_file(
    pool: Pool, tenant_id: int, bulk: Bulk, make_parser: MakeParser, ground: Ground, data: AsyncIterable[bytes]
) -> Bulk:
    """Read a whole file into the bulk and check it. One that breaks off leaves the bulk to be sent again.

    Raises Refusal when the file cannot be read, is too large, or is not what was declared: nothing of it is kept.
    """
    parser, digest, size = make_parser(ground), hashlib.sha256(), 0
    attempt = await begin_file(pool, tenant_id, bulk.id)
    waiting: list[Line] = []
    count = 0
    async for piece in _small(data):
        size += len(piece)
        if size > FILE_SIZE_MAX:
            raise Refusal("too_large")
        digest.update(piece)
        waiting += parser.feed(piece)
        if len(waiting) >= CHUNK_LENGTH:
            count = await _keep(pool, tenant_id, bulk, attempt, count, waiting)
            waiting = []
        else:
            await asyncio.sleep(0)
    waiting += parser.close()
    await _keep(pool, tenant_id, bulk, attempt, count, waiting)
    return await close_file(pool, tenant_id, bulk.id, attempt, digest.digest())


async def receive_lines(pool: Pool, tenant_id: int, bulk: Bulk, first: int, lines: Sequence[Line], form: bytes) -> int:
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
    return await add_lines(pool, tenant_id, bulk, attempt, first, lines, digest)


async def _keep(pool: Pool, tenant_id: int, bulk: Bulk, attempt: int, count: int, lines: Sequence[Line]) -> int:
    for at in range(0, len(lines), CHUNK_LENGTH):
        count = await add_lines(pool, tenant_id, bulk, attempt, count + 1, lines[at : at + CHUNK_LENGTH])
    return count


async def _small(data: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for piece in data:
        for at in range(0, len(piece), PIECE_SIZE):
            yield piece[at : at + PIECE_SIZE]

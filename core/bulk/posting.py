"""Approved bulks become payments, each good line exactly once, whichever worker is killed and when.

An independent bulk is posted chunk by chunk: a chunk's payments and how far the bulk is now are one commit. An atomic
one is posted in one transaction, so that it happened or did not. A worker owns nothing but its transaction.
"""

import asyncio
from typing import NamedTuple

import asyncpg

from core.bulk.words import read_words
from core.database import Connection, Pool, acquire, in_tenant, is_payments_fault, is_race, transaction, without_doubt
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.nouns import DONE, Payment, PaymentStatus
from core.proof.notary import tell_posted

# Lines of one commit: a quarter faster than 1,000. Their accounts are locked for about 100 ms, in which other
# payments of theirs wait.
CHUNK_LENGTH = 2_000
# An atomic bulk holds its locks to the end, however it is cut. An account that is written again in one transaction
# leaves a row behind that cannot be cleared away before the end: with 2,000 it takes a third longer, and with more
# than this only memory grows.
ATOMIC_CHUNK_LENGTH = 10_000
# An atomic bulk's accounts may be busy when it comes to lock them.
LOCK_TIMEOUT_S = 60.0
INTERNAL = "internal"

CLAIM = "select tenant_id, id::text, seed::text, is_atomic, maker::text, session_at, lines, through from claim_bulk()"
NAME_TENANT = "select set_config('payhub.tenant_id', $1::text, true)"
BEGIN_POSTING = """
update bulks set status = 3, touched_at = clock_timestamp()
 where tenant_id = $1 and id = $2 and status in (2, 3)
returning true
"""
READ_LINES = """
select number, payer, payee, amount, description
  from bulk_lines
 where tenant_id = $1 and bulk_id = $2 and number > $3 and code is null
 order by number
 limit $4
"""
ADVANCE = """
update bulks
   set through = $3, posted = posted + $4, posted_amount = posted_amount + $5, refused = refused + $6,
       touched_at = clock_timestamp()
 where tenant_id = $1 and id = $2
"""
FINISH = """
update bulks set status = 5, through = lines, finished_at = now() where tenant_id = $1 and id = $2
returning lines, refused, posted_amount, failed_code, finished_at
"""
SHOW_PROGRESS = "update bulks set through = $3 where tenant_id = $1 and id = $2 and status = 3"
FAIL = """
update bulks set status = 6, failed_line = $3, failed_code = $4, finished_at = now()
 where tenant_id = $1 and id = $2 and status in (2, 3)
returning lines, refused, posted_amount, failed_code, finished_at
"""


class Claimed(NamedTuple):
    """A bulk that is this transaction's to post."""

    tenant_id: int
    id: str
    seed: str
    is_atomic: bool
    maker: str
    session_at: int | None
    lines: int
    through: int


class LineRefused(Exception):
    """A line of an atomic bulk was refused: nothing of it is to be kept."""

    def __init__(self, number: int, code: str) -> None:
        super().__init__(f"line {number}: {code}")
        self.number = number
        self.code = code


def payment_id(seed: str, number: int) -> str:
    """The id of a line's payment: the seed with the line's number in its last 32 bits, a UUID of version 8 (RFC 9562).

    Neighbours in the file are neighbours in the index, which is kinder to it than hashes.
    """
    return f"{seed[:14]}8{seed[15:28]}{number:08x}"


class Ahead:
    """The payments after the chunk that is being posted, made meanwhile: a sixth of a chunk's time is spent on that.

    It is a guess that costs nothing but itself: an approved bulk's lines never change, and a chunk that was not
    expected is read as ever. One for each who posts.
    """

    def __init__(self, keys: Safe) -> None:
        self._keys = keys
        self._key: tuple[object, ...] | None = None
        self._read: asyncio.Task[list[tuple[int, Payment]]] | None = None

    def expect(self, pool: Pool, bulk: Claimed, after: int, limit: int) -> None:
        """Begin to read what comes after this line."""
        self.forget()

        async def read() -> list[tuple[int, Payment]]:
            async with in_tenant(pool, bulk.tenant_id) as connection:
                return await _read_payments(connection, self._keys, bulk, after, limit)

        self._key = bulk.tenant_id, bulk.id, after, limit
        self._read = asyncio.create_task(read())

    async def take(self, connection: Connection, bulk: Claimed, after: int, limit: int) -> list[tuple[int, Payment]]:
        """The next payments with their lines' numbers, read before or now."""
        if self._read is not None and self._key == (bulk.tenant_id, bulk.id, after, limit):
            expected, self._read = self._read, None
            return await expected
        self.forget()
        return await _read_payments(connection, self._keys, bulk, after, limit)

    def forget(self) -> None:
        """Nobody wants it any more."""
        if self._read is not None:
            self._read.cancel()
            self._read = None


async def post_some(pool: Pool, keys: Safe, chunk_length: int | None = None, ahead: Ahead | None = None) -> int:
    """Post a chunk of the bulk that waited longest, or all of it if it is atomic. How many lines were judged.

    An error that no server is at fault for fails the bulk: what is posted stays, and an operator has to look.
    Raises what the database raises otherwise; everything is then as it was.
    """
    claimed: Claimed | None = None
    reading = ahead or Ahead(keys)
    try:
        async with acquire(pool) as connection, without_doubt(connection), transaction(connection):
            row = await connection.fetchrow(CLAIM)
            if row is None:
                return 0
            claimed = Claimed(*row)
            await connection.execute(NAME_TENANT, str(claimed.tenant_id))
            if claimed.is_atomic:
                return await _post_atomic(pool, keys, connection, claimed, chunk_length or ATOMIC_CHUNK_LENGTH, reading)
            return await _post_chunk(pool, keys, connection, claimed, chunk_length or CHUNK_LENGTH, reading)
    except LineRefused as refused:
        assert claimed is not None
        await _fail(pool, claimed, refused.number, refused.code)
        return refused.number
    except asyncpg.PostgresError as error:
        if claimed is None or is_race(error) or not is_payments_fault(error):
            raise
        await _fail(pool, claimed, None, INTERNAL)
        raise
    finally:
        if ahead is None:
            reading.forget()


async def _post_chunk(
    pool: Pool, keys: Safe | None, connection: Connection, bulk: Claimed, chunk_length: int, ahead: Ahead
) -> int:
    # Takes the row, too: whoever cancels comes before this or too late.
    if not await connection.fetchval(BEGIN_POSTING, bulk.tenant_id, bulk.id):
        return 0
    lines = await ahead.take(connection, bulk, bulk.through, chunk_length)
    if len(lines) == chunk_length:
        ahead.expect(pool, bulk, lines[-1][0], chunk_length)
    if lines:
        batch = [payment for _, payment in lines]
        postings = await post_payments(connection, batch, keys)
        await tell_posted(connection, batch, postings)
        posted = [payment.amount for payment, posting in zip(batch, postings, strict=True) if posting.status in DONE]
        refused = len(lines) - len(posted)
        await connection.execute(ADVANCE, bulk.tenant_id, bulk.id, lines[-1][0], len(posted), sum(posted), refused)
    if len(lines) < chunk_length:
        await _tell_end(connection, bulk, await connection.fetchrow(FINISH, bulk.tenant_id, bulk.id))
    return max(len(lines), 1)


async def _post_atomic(
    pool: Pool, keys: Safe | None, connection: Connection, bulk: Claimed, chunk_length: int, ahead: Ahead
) -> int:
    # On its own, so that nobody cancels from here on and everybody sees that it moves.
    if not await _beside(pool, bulk, BEGIN_POSTING, bulk.tenant_id, bulk.id):
        return 0
    # Whatever was shown by a worker that was killed is not so.
    await _beside(pool, bulk, SHOW_PROGRESS, bulk.tenant_id, bulk.id, 0)
    await connection.execute("select lock_bulk_accounts($1, $2)", bulk.tenant_id, bulk.id, timeout=LOCK_TIMEOUT_S)
    through = count = amount = 0
    while lines := await ahead.take(connection, bulk, through, chunk_length):
        through = lines[-1][0]
        ahead.expect(pool, bulk, through, chunk_length)
        batch = [payment for _, payment in lines]
        postings = await post_payments(connection, batch, keys)
        for (number, _), posting in zip(lines, postings, strict=True):
            if posting.status not in DONE:
                raise LineRefused(number, PaymentStatus(posting.status).name.lower())
        await tell_posted(connection, batch, postings)
        count += len(lines)
        amount += sum(payment.amount for payment in batch)
        await _beside(pool, bulk, SHOW_PROGRESS, bulk.tenant_id, bulk.id, through)
    # The row itself only now: until here it was written from beside.
    await connection.execute(ADVANCE, bulk.tenant_id, bulk.id, through, count, amount, 0)
    await _tell_end(connection, bulk, await connection.fetchrow(FINISH, bulk.tenant_id, bulk.id))
    return count


async def _read_payments(
    connection: Connection, keys: Safe, bulk: Claimed, after: int, limit: int
) -> list[tuple[int, Payment]]:
    """The next good lines' numbers and payments, with the ids that they have whenever they are made."""
    tenant_id, maker, session_at = bulk.tenant_id, bulk.maker, bulk.session_at
    lines = await connection.fetch(READ_LINES, tenant_id, bulk.id, after, limit)
    if not lines:
        return []
    words = await read_words(connection, keys, tenant_id, bulk.id, lines[0]["number"], lines[-1]["number"])
    return [
        (
            number,
            Payment(
                tenant_id,
                payment_id(bulk.seed, number),
                payer,
                payee,
                amount,
                maker,
                words.of(number)[0] if plain is None else plain,
                session_at=session_at,
            ),
        )
        for number, payer, payee, amount, plain in lines
    ]


async def _beside(pool: Pool, bulk: Claimed, statement: str, *arguments: object) -> bool:
    """Write from beside the transaction that posts, for others to see at once."""
    async with in_tenant(pool, bulk.tenant_id) as connection:
        return bool(await connection.fetchval(statement, *arguments))


async def _fail(pool: Pool, bulk: Claimed, line: int | None, code: str) -> None:
    async with acquire(pool) as connection, transaction(connection):
        await connection.execute(NAME_TENANT, str(bulk.tenant_id))
        await _tell_end(connection, bulk, await connection.fetchrow(FAIL, bulk.tenant_id, bulk.id, line, code))


async def _tell_end(connection: Connection, bulk: Claimed, ended: asyncpg.Record | None) -> None:
    """Whoever made the file hears how it ended, in the commit in which it did."""
    if ended is None:
        return
    facts = Facts(
        at=ended["finished_at"],
        amount=ended["posted_amount"],
        subject=bulk.id,
        lines=ended["lines"],
        refused=ended["refused"],
        code=ended["failed_code"],
    )
    await leave(connection, bulk.tenant_id, NoticeKind.BULK_FINISHED, bulk.maker, facts, notice_id=bulk.id)

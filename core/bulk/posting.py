"""Approved bulks become payments, each good line exactly once, whichever worker is killed and when.

An independent bulk is posted chunk by chunk: a chunk's payments and how far the bulk is now are one commit. An atomic
one is posted in one transaction, so that it happened or did not. A worker owns nothing but its transaction.
"""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from core.database import Connection, Pool, acquire, in_tenant, is_payments_fault, is_race, transaction, without_doubt
from core.ledger.posting import post_payments
from core.nouns import DONE, Payment, PaymentStatus

# Lines of one commit: a quarter faster than 1,000 (loadtest/RESULTS.md). Their accounts are locked for about 100 ms, in
# which other payments of theirs wait.
CHUNK_LENGTH = 2_000
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
FINISH = "update bulks set status = 5, through = lines, finished_at = now() where tenant_id = $1 and id = $2"
SHOW_PROGRESS = "update bulks set through = $3 where tenant_id = $1 and id = $2 and status = 3"
FAIL = """
update bulks set status = 6, failed_line = $3, failed_code = $4, finished_at = now()
 where tenant_id = $1 and id = $2 and status in (2, 3)
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


async def post_some(pool: Pool, chunk_length: int = CHUNK_LENGTH) -> int:
    """Post a chunk of the bulk that waited longest, or all of it if it is atomic. How many lines were judged.

    An error that no server is at fault for fails the bulk: what is posted stays, and an operator has to look.
    Raises what the database raises otherwise; everything is then as it was.
    """
    claimed: Claimed | None = None
    try:
        async with acquire(pool) as connection, without_doubt(connection), transaction(connection):
            row = await connection.fetchrow(CLAIM)
            if row is None:
                return 0
            claimed = Claimed(*row)
            await connection.execute(NAME_TENANT, str(claimed.tenant_id))
            post = _post_atomic if claimed.is_atomic else _post_chunk
            return await post(pool, connection, claimed, chunk_length)
    except LineRefused as refused:
        assert claimed is not None
        await _fail(pool, claimed, refused.number, refused.code)
        return refused.number
    except asyncpg.PostgresError as error:
        if claimed is None or is_race(error) or not is_payments_fault(error):
            raise
        await _fail(pool, claimed, None, INTERNAL)
        raise


async def _post_chunk(pool: Pool, connection: Connection, bulk: Claimed, chunk_length: int) -> int:
    # Takes the row, too: whoever cancels comes before this or too late.
    if not await connection.fetchval(BEGIN_POSTING, bulk.tenant_id, bulk.id):
        return 0
    rows = await connection.fetch(READ_LINES, bulk.tenant_id, bulk.id, bulk.through, chunk_length)
    if rows:
        batch = _payments(bulk, rows)
        postings = await post_payments(connection, batch)
        posted = [payment.amount for payment, posting in zip(batch, postings, strict=True) if posting.status in DONE]
        through, refused = rows[-1]["number"], len(rows) - len(posted)
        await connection.execute(ADVANCE, bulk.tenant_id, bulk.id, through, len(posted), sum(posted), refused)
    if len(rows) < chunk_length:
        await connection.execute(FINISH, bulk.tenant_id, bulk.id)
    return max(len(rows), 1)


async def _post_atomic(pool: Pool, connection: Connection, bulk: Claimed, chunk_length: int) -> int:
    # On its own, so that nobody cancels from here on and everybody sees that it moves.
    if not await _beside(pool, bulk, BEGIN_POSTING, bulk.tenant_id, bulk.id):
        return 0
    # Whatever was shown by a worker that was killed is not so.
    await _beside(pool, bulk, SHOW_PROGRESS, bulk.tenant_id, bulk.id, 0)
    await connection.execute("select lock_bulk_accounts($1, $2)", bulk.tenant_id, bulk.id, timeout=LOCK_TIMEOUT_S)
    through = count = amount = 0
    while rows := await connection.fetch(READ_LINES, bulk.tenant_id, bulk.id, through, chunk_length):
        batch = _payments(bulk, rows)
        for row, posting in zip(rows, await post_payments(connection, batch), strict=True):
            if posting.status not in DONE:
                raise LineRefused(row["number"], PaymentStatus(posting.status).name.lower())
        through = rows[-1]["number"]
        count += len(rows)
        amount += sum(payment.amount for payment in batch)
        await _beside(pool, bulk, SHOW_PROGRESS, bulk.tenant_id, bulk.id, through)
    # The row itself only now: until here it was written from beside.
    await connection.execute(ADVANCE, bulk.tenant_id, bulk.id, through, count, amount, 0)
    await connection.execute(FINISH, bulk.tenant_id, bulk.id)
    return count


def _payments(bulk: Claimed, rows: Sequence[asyncpg.Record]) -> list[Payment]:
    """The payments of these lines, with the ids that they have whenever they are made."""
    return [
        Payment(
            bulk.tenant_id,
            payment_id(bulk.seed, number),
            payer,
            payee,
            amount,
            bulk.maker,
            description,
            session_at=bulk.session_at,
        )
        for number, payer, payee, amount, description in rows
    ]


async def _beside(pool: Pool, bulk: Claimed, statement: str, *arguments: object) -> bool:
    """Write from beside the transaction that posts, for others to see at once."""
    async with in_tenant(pool, bulk.tenant_id) as connection:
        return bool(await connection.fetchval(statement, *arguments))


async def _fail(pool: Pool, bulk: Claimed, line: int | None, code: str) -> None:
    await _beside(pool, bulk, FAIL, bulk.tenant_id, bulk.id, line, code)

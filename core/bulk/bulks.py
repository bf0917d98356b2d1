"""The life of a bulk: made, received, checked, approved by a second person, or cancelled. posting.py does the rest.

    receiving ──close──► checked ──approve──► approved ──► posting ──► finished
        └──────────cancel──┴─────────────────────┘            └─────► failed

What is checked never changes again: whoever approves it approves what will be posted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

import asyncpg

from core.bulk.lines import ATOMIC_LINES_MAX, LINES_MAX, Line
from core.bulk.words import seal_words
from core.database import Connection, Pool, acquire, in_tenant
from core.errors import Conflict, NotFound, Refusal
from core.keys.safe import Safe

# The same file twice within this is a slip of the hand, unless somebody says that it is not.
SAME_FILE_WITHIN = timedelta(hours=24)
# Dropping or comparing a million lines takes seconds.
WHOLE_FILE_TIMEOUT_S = 120.0
# More than anybody prepares at a time; each may hold a million lines that nobody has approved.
OPEN_BULKS_MAX = 20

COLUMNS = """
id::text, account, is_atomic, status, maker::text, approver::text, lines, good, amount, good_amount, through,
posted, posted_amount, refused, failed_line, failed_code, created_at, checked_at, approved_at, finished_at,
attempt, digest,
coalesce(
    (select accounts.person_id from accounts
      where accounts.tenant_id = bulks.tenant_id and accounts.id = bulks.account),
    maker
)::text as owner
"""
INSERT_BULK = f"""
insert into bulks (tenant_id, id, account, is_atomic, is_again, maker, session_at, declared_lines, declared_sum)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict do nothing
returning {COLUMNS}
"""  # noqa: S608
# Whoever counts an account's bulks does it alone, or two at once would both be the last that fits.
LOCK_COUNT = "select pg_advisory_xact_lock($1, hashint8($2))"
COUNT_OPEN = "select count(*) from bulks where tenant_id = $1 and account = $2 and status < 5"
READ_BULK = f"select {COLUMNS} from bulks where tenant_id = $1 and id = $2"  # noqa: S608
READ_SAME_ORDER = """
select true from bulks
 where tenant_id = $1 and id = $2 and account = $3 and is_atomic = $4 and is_again = $5 and maker = $6
   and declared_lines is not distinct from $7 and declared_sum is not distinct from $8
"""
LIST_BULKS = f"""
select {COLUMNS}
  from bulks
 where tenant_id = $1 and ($2::bigint is null or account = $2) and ($3::smallint is null or status = $3)
   and ($4::uuid is null
        or (created_at, id) < (
            select created_at, id from bulks
             where tenant_id = $1 and id = $4 and ($2::bigint is null or account = $2)))
 order by created_at desc, id desc
 limit $5
"""  # noqa: S608
BEGIN_AGAIN = """
update bulks
   set attempt = attempt + 1, lines = 0, good = 0, amount = 0, good_amount = 0, digest = null
 where tenant_id = $1 and id = $2 and status = 0
returning attempt
"""
DROP_LINES = "delete from bulk_lines where tenant_id = $1 and bulk_id = $2"
DROP_WORDS = "delete from bulk_words where tenant_id = $1 and bulk_id = $2"
ADD_LINES = """
select lines, good from add_bulk_lines($1, $2, $3, $4, $5, $6, $7, null, null, $8, $9, $10, $11, $12, $13)
"""
LOCK_BULK = """
select account, is_again, declared_lines, declared_sum, lines, amount, coalesce($4, digest) as digest
  from bulks
 where tenant_id = $1 and id = $2 and attempt = $3 and status = 0
   for update
"""
# Two that close the same file at once do so one after the other.
LOCK_DIGEST = "select pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 0))"
# The numbers as an array, found once: joined, they might be looked for again with every line (statistics of a table
# that has just grown say that it is empty).
MARK_DUPLICATES = """
with marked as (
    update bulk_lines
       set code = 'duplicate_reference', field = 'reference'
     where tenant_id = $1 and bulk_id = $2 and code is null
       and number = any (array(
           select one.number
             from (select number,
                          row_number() over (partition by reference_hash, reference order by number) as nth
                     from bulk_lines
                    where tenant_id = $1 and bulk_id = $2 and (reference_hash is not null or reference is not null)
                  ) as one
            where one.nth > 1
       ))
    returning amount
)
select count(*), coalesce(sum(amount), 0)::bigint from marked
"""
FIND_SAME_FILE = """
select id::text from bulks
 where tenant_id = $1 and account = $2 and digest = $3 and id <> $4 and checked_at > now() - $5::interval
   and status not in (6, 7)
 limit 1
"""
SET_CHECKED = f"""
update bulks
   set status = 1, digest = $3, checked_at = now(), good = good - $4, good_amount = good_amount - $5
 where tenant_id = $1 and id = $2
returning {COLUMNS}
"""  # noqa: S608
NAMES_PAYERS = "select exists (select from bulk_lines where tenant_id = $1 and bulk_id = $2 and payer <> $3)"
APPROVE = f"""
update bulks set status = 2, approver = $3, approved_at = now(), touched_at = now()
 where tenant_id = $1 and id = $2
returning {COLUMNS}
"""  # noqa: S608
CANCEL = f"""
update bulks set status = 7, finished_at = now()
 where tenant_id = $1 and id = $2 and status in (0, 1, 2)
returning {COLUMNS}
"""  # noqa: S608
READ_PROGRESS = """
select tenant_id, id::text, status, lines, good, through, posted, refused from read_bulk_progress($1, $2)
"""


class BulkStatus(IntEnum):
    """Where a bulk stands. Stored in bulks.status."""

    RECEIVING = 0
    CHECKED = 1
    APPROVED = 2
    POSTING = 3
    FINISHED = 5
    FAILED = 6
    CANCELLED = 7


# Nothing happens to these any more.
OVER = frozenset({BulkStatus.FINISHED, BulkStatus.FAILED, BulkStatus.CANCELLED})


class Order(NamedTuple):
    """What is asked for, once, under this id: `account` will pay the lines of a file.

    `is_atomic`: all of them or none. `is_again`: a file that was sent within a day is meant. `lines` and `amount`
    (minor units) are what the file has to hold, where the maker says so.
    """

    id: str
    account: int
    is_atomic: bool
    is_again: bool = False
    lines: int | None = None
    amount: int | None = None


class Bulk(NamedTuple):
    """A bulk as it stands. Amounts in minor units.

    `through`: the last line that was judged. `failed_line`, `failed_code`: what an atomic bulk failed by, with the
    payment's status. `attempt`: how often its file was begun. `digest`: what was sent, in short.
    """

    id: str
    account: int
    is_atomic: bool
    status: int
    maker: str
    approver: str | None
    lines: int
    good: int
    amount: int
    good_amount: int
    through: int
    posted: int
    posted_amount: int
    refused: int
    failed_line: int | None
    failed_code: str | None
    created_at: datetime
    checked_at: datetime | None
    approved_at: datetime | None
    finished_at: datetime | None
    attempt: int
    digest: bytes | None
    owner: str


class Progress(NamedTuple):
    """How far a bulk is."""

    tenant_id: int
    id: str
    status: int
    lines: int
    good: int
    through: int
    posted: int
    refused: int


async def create_bulk(pool: Pool, tenant_id: int, order: Order, maker: str, session_at: int | None = None) -> Bulk:
    """Make a bulk, or find the same one made before.

    Raises Conflict when the id is another's, NotFound (account), Refusal: the account has OPEN_BULKS_MAX open ones.
    """
    try:
        async with in_tenant(pool, tenant_id) as connection:
            await connection.execute(LOCK_COUNT, tenant_id, order.account)
            row = await connection.fetchrow(
                INSERT_BULK,
                tenant_id,
                order.id,
                order.account,
                order.is_atomic,
                order.is_again,
                maker,
                session_at,
                order.lines,
                order.amount,
            )
            if row is None:
                same = (order.account, order.is_atomic, order.is_again, maker, order.lines, order.amount)
                if not await connection.fetchval(READ_SAME_ORDER, tenant_id, order.id, *same):
                    raise Conflict
                row = await connection.fetchrow(READ_BULK, tenant_id, order.id)
            elif await connection.fetchval(COUNT_OPEN, tenant_id, order.account) > OPEN_BULKS_MAX:
                raise Refusal("too_many_bulks")
    except asyncpg.ForeignKeyViolationError:
        raise NotFound from None
    return _to_bulk(row)


async def read_bulk(pool: Pool, tenant_id: int, bulk_id: str) -> Bulk | None:
    """The bulk as it stands, or None."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_BULK, tenant_id, bulk_id)
    return None if row is None else Bulk(*row)


async def list_bulks(
    pool: Pool, tenant_id: int, account: int | None, status: BulkStatus | None, before: str | None, limit: int
) -> list[Bulk]:
    """Bulks of an account, or of all, newest first; those before another one."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Bulk(*row) for row in await connection.fetch(LIST_BULKS, tenant_id, account, status, before, limit)]


async def begin_file(pool: Pool, tenant_id: int, bulk_id: str) -> int:
    """Begin to send the file, or begin again: lines of an earlier attempt are dropped. The attempt's number."""
    async with in_tenant(pool, tenant_id) as connection:
        attempt: int | None = await connection.fetchval(BEGIN_AGAIN, tenant_id, bulk_id)
        if attempt is None:
            raise Refusal("bulk_wrong_status", field="bulk")
        await connection.execute(DROP_LINES, tenant_id, bulk_id, timeout=WHOLE_FILE_TIMEOUT_S)
        await connection.execute(DROP_WORDS, tenant_id, bulk_id)
    return attempt


async def add_lines(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    bulk: Bulk,
    attempt: int,
    first: int,
    lines: Sequence[Line],
    digest: bytes | None = None,
) -> int:
    """Take the next lines, CHUNK_MAX at most, the first of which is number `first`. How many there are now.

    Raises Refusal: the bulk is no longer received by this attempt, there are too many lines, or they sum up to more
    than any account can hold.
    """
    if first - 1 + len(lines) > (ATOMIC_LINES_MAX if bulk.is_atomic else LINES_MAX):
        raise Refusal("too_many_lines")
    payers, payees, amounts, descriptions, references, codes, fields = zip(*lines, strict=True)
    words = await seal_words(keys, tenant_id, bulk.owner, bulk.id, first, descriptions, references)
    columns = payers, payees, amounts, codes, fields
    try:
        async with acquire(pool) as connection:
            added = await connection.fetchval(ADD_LINES, tenant_id, bulk.id, attempt, first, *columns, digest, *words)
    except (asyncpg.CheckViolationError, asyncpg.NumericValueOutOfRangeError):
        raise Refusal("sum_out_of_range") from None
    if added is None:
        raise Refusal("bulk_begun_again")
    count: int = added
    return count


async def close_file(pool: Pool, tenant_id: int, bulk_id: str, attempt: int, digest: bytes | None = None) -> Bulk:
    """All lines are here: find the references that repeat, compare the totals, and the file with those of the last day.

    Raises Refusal (bulk_wrong_status, bulk_is_empty, totals_mismatch, duplicate_file); the bulk is then received on.
    """
    async with in_tenant(pool, tenant_id) as connection:
        found = await connection.fetchrow(LOCK_BULK, tenant_id, bulk_id, attempt, digest)
        if found is None:
            raise Refusal("bulk_wrong_status", field="bulk")
        if not found["lines"]:
            raise Refusal("bulk_is_empty")
        if found["digest"] is None:
            # Lines of a file that broke off: only its end says that it is whole.
            raise Refusal("bulk_wrong_status", field="bulk")
        for name, declared, there in (
            ("lines", found["declared_lines"], found["lines"]),
            ("amount", found["declared_sum"], found["amount"]),
        ):
            if declared not in (None, there):
                raise Refusal("totals_mismatch", f"The bulk was declared with {name} {declared}; there are {there}.")
        await connection.execute(LOCK_DIGEST, found["digest"])
        if not found["is_again"]:
            await _refuse_same_file(connection, tenant_id, bulk_id, found)
        repeated = await connection.fetchrow(MARK_DUPLICATES, tenant_id, bulk_id, timeout=WHOLE_FILE_TIMEOUT_S)
        assert repeated is not None, "sums of nothing are a row, too"
        row = await connection.fetchrow(SET_CHECKED, tenant_id, bulk_id, found["digest"], *repeated)
    return _to_bulk(row)


async def approve_bulk(
    pool: Pool, tenant_id: int, bulk_id: str, approver: str, *, may_name_payers: bool = False
) -> Bulk:
    """Let a checked bulk be posted. By the same person again it changes nothing.

    `may_name_payers`: the approver may act on every account, as whoever named other payers could. Raises NotFound,
    Refusal: the approver made it, it is not checked, has bad lines and is atomic, has no good ones.
    """
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(f"{READ_BULK} for update", tenant_id, bulk_id)
        if row is None:
            raise NotFound
        bulk = Bulk(*row)
        if bulk.maker == approver:
            raise Refusal("maker_cannot_approve")
        if bulk.approver == approver:
            return bulk
        if bulk.status != BulkStatus.CHECKED:
            raise Refusal("bulk_wrong_status", field="bulk")
        if bulk.is_atomic and bulk.good < bulk.lines:
            raise Refusal("bulk_has_bad_lines")
        if not bulk.good:
            raise Refusal("bulk_is_empty")
        if not may_name_payers and await connection.fetchval(NAMES_PAYERS, tenant_id, bulk_id, bulk.account):
            raise Refusal("forbidden")
        return _to_bulk(await connection.fetchrow(APPROVE, tenant_id, bulk_id, approver))


async def cancel_bulk(pool: Pool, tenant_id: int, bulk_id: str) -> Bulk:
    """Give a bulk up, unless posting has begun. Again it changes nothing. Raises NotFound, Refusal.

    Lines that nobody approved go with it; of an approved one it can be read for ever what was approved.
    """
    async with in_tenant(pool, tenant_id) as connection:
        cancelled = await connection.fetchrow(CANCEL, tenant_id, bulk_id)
        if cancelled is not None:
            bulk = Bulk(*cancelled)
            if bulk.approver is None:
                await connection.execute(DROP_LINES, tenant_id, bulk_id, timeout=WHOLE_FILE_TIMEOUT_S)
                await connection.execute(DROP_WORDS, tenant_id, bulk_id)
            return bulk
        row = await connection.fetchrow(READ_BULK, tenant_id, bulk_id)
    if row is None:
        raise NotFound
    if row["status"] != BulkStatus.CANCELLED:
        raise Refusal("bulk_wrong_status", field="bulk")
    return Bulk(*row)


async def read_progress(pool: Pool, bulks: Sequence[tuple[int, str]]) -> list[Progress]:
    """How far these (tenant, bulk) are, in no order."""
    tenants, ids = zip(*bulks, strict=True)
    async with acquire(pool) as connection:
        return [Progress(*row) for row in await connection.fetch(READ_PROGRESS, tenants, ids)]


async def _refuse_same_file(connection: Connection, tenant_id: int, bulk_id: str, found: asyncpg.Record) -> None:
    same = await connection.fetchval(
        FIND_SAME_FILE, tenant_id, found["account"], found["digest"], bulk_id, SAME_FILE_WITHIN
    )
    if same is not None:
        raise Refusal("duplicate_file", f"Bulk {same} has the same file and is less than a day old.")


def _to_bulk(row: asyncpg.Record | None) -> Bulk:
    assert row is not None
    return Bulk(*row)

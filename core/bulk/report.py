"""What became of a bulk, line by line: as pages, and as CSV.

A line's result is its payment, joined by the id that follows from its number; posting writes nothing else per line.
"""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple

from core.bulk.bulks import Bulk, BulkStatus
from core.bulk.words import read_words
from core.database import Pool, in_tenant
from core.keys.safe import Safe
from core.nouns import PaymentStatus

# Lines that are read and written at a time.
PAGE_LENGTH = 1_000
HEADER: Final = ("number", "payer", "payee", "amount", "description", "reference", "payment", "status", "code", "field")
# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection), the wide signs of East Asia included.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")

READ_RESULTS = """
select line.number, line.payer, line.payee, line.amount, line.description, line.reference, payment.id::text,
       payment.status, line.code, line.field
  from bulk_lines as line
  join bulks on bulks.tenant_id = line.tenant_id and bulks.id = line.bulk_id
  left join lateral (
      select payments.id, payments.status
        from payments
       where payments.tenant_id = line.tenant_id
         and payments.id = (overlay(left(bulks.seed::text, 28) placing '8' from 15)
                            || lpad(to_hex(line.number), 8, '0'))::uuid
      offset 0
  ) payment on line.code is null
 where line.tenant_id = $1 and line.bulk_id = $2 and line.number > $3
   and (not $4 or line.code is not null or payment.status not in (0, 1))
 order by line.number
 limit $5
"""


class Result(NamedTuple):
    """A line and what became of it.

    `payment` and `status` (its name in core.nouns.PaymentStatus) are None until it was judged; a bad line never is,
    its `code` (core.bulk.lines.LineCode) and `field` say why. `status` is 'bad' for it, 'waiting' before judgement and
    'not_posted' where the bulk ended before it.
    """

    number: int
    payer: int
    payee: int | None
    amount: int | None
    description: str | None
    reference: str | None
    payment: str | None
    status: str
    code: str | None
    field: str | None


async def read_results(
    pool: Pool, keys: Safe, tenant_id: int, bulk: Bulk, after: int, limit: int, *, only_wrong: bool = False
) -> list[Result]:
    """Lines with a number above `after`; with `only_wrong` those that are bad or whose payment was refused."""
    async with in_tenant(pool, tenant_id) as connection:
        # Whatever the statistics say: a line's payment is found by its key.
        await connection.execute("set local enable_seqscan = off; set local enable_hashjoin = off")
        rows = await connection.fetch(READ_RESULTS, tenant_id, bulk.id, after, only_wrong, limit)
        if not rows:
            return []
        words = await read_words(connection, keys, tenant_id, bulk.id, rows[0]["number"], rows[-1]["number"])
    unjudged = "waiting" if bulk.status < BulkStatus.FINISHED else "not_posted"
    results = []
    for row in rows:
        found = Result(*row)
        description, reference = words.of(found.number)
        results.append(
            found._replace(
                description=description if found.description is None else found.description,
                reference=reference if found.reference is None else found.reference,
                status=_status(row[7], row[8], unjudged),
            )
        )
    return results


async def write_csv(
    pool: Pool, keys: Safe, tenant_id: int, bulk: Bulk, *, only_wrong: bool = False
) -> AsyncIterator[bytes]:
    """The report as CSV (RFC 4180, UTF-8), in pieces: one page in memory at a time."""
    yield _to_csv([HEADER])
    after = 0
    while results := await read_results(pool, keys, tenant_id, bulk, after, PAGE_LENGTH, only_wrong=only_wrong):
        after = results[-1].number
        yield _to_csv(
            [
                result._replace(description=neutralised(result.description), reference=neutralised(result.reference))
                for result in results
            ]
        )


def neutralised(text: str | None) -> str | None:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text is not None and text.startswith(FORMULA_STARTS) else text


def _to_csv(rows: Sequence[tuple[object, ...]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def _status(status: int | None, code: str | None, unjudged: str) -> str:
    if code is not None:
        return "bad"
    return unjudged if status is None else PaymentStatus(status).name.lower()

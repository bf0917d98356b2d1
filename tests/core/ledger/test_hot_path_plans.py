"""post_payments touches what it must and nothing else, whatever the statistics say: index probes, one per thing.

EXPLAIN does not look into a function, so PostgreSQL's own counters of the transaction are read instead:
how often each table was scanned, and how many rows its indexes gave. A plan that went wrong shows at once.
"""

import uuid
from typing import NamedTuple

import pytest

from core.database import Connection, Pool
from core.ledger.posting import post_payments
from core.nouns import Payment
from tests.conftest import Books

BATCH = 64
COUNTERS = """
select relname as name, seq_scan, coalesce(idx_scan, 0) as probes, coalesce(idx_tup_fetch, 0) as fetched
  from pg_stat_xact_user_tables where relname in ('accounts', 'payments')
"""


class Touched(NamedTuple):
    """What a call did to a table."""

    scans: int
    probes: int
    fetched: int


async def touched(admin: Pool, batch: list[Payment]) -> dict[str, Touched]:
    """What one call added to the counters."""
    async with admin.acquire() as connection, connection.transaction():
        before = await read_counters(connection)
        await post_payments(connection, batch)
        after = await read_counters(connection)
    return {name: Touched(*(b - a for a, b in zip(before[name], after[name], strict=True))) for name in after}


async def read_counters(connection: Connection) -> dict[str, Touched]:
    found = {row["name"]: Touched(*row[1:]) for row in await connection.fetch(COUNTERS)}
    return {name: found.get(name, Touched(0, 0, 0)) for name in ("accounts", "payments")}


@pytest.mark.parametrize("known", ["never analyzed", "analyzed", "believed empty", "believed huge"])
async def test_a_batch_probes_each_account_twice_and_each_id_once(books: Books, admin: Pool, known: str) -> None:
    if known == "analyzed":
        await admin.execute("analyze accounts; analyze payments")
    elif known.startswith("believed"):
        pages, rows = (0, 0) if known == "believed empty" else (5_000_000, 500_000_000)
        await admin.execute(
            "update pg_class set relpages = $1, reltuples = $2 where relname in ('accounts', 'payments')",
            pages,
            float(rows),
        )
    batch = [books.payment(at % 4, (at + 1) % 4, 1, id=str(uuid.uuid4())) for at in range(BATCH)]

    # Six calls: a plan is made anew for the first five and kept from then on.
    for _ in range(6):
        found = await touched(admin, [payment._replace(id=str(uuid.uuid4())) for payment in batch])

    assert found["accounts"].scans == 0
    assert found["payments"].scans == 0
    # Locked once and written once each; four accounts in all.
    assert found["accounts"].probes <= 2 * 4
    assert found["accounts"].fetched <= 2 * 4
    assert found["payments"].probes <= BATCH
    assert found["payments"].fetched == 0


async def test_a_scan_would_be_seen(books: Books, admin: Pool) -> None:
    async with admin.acquire() as connection, connection.transaction():
        before = await read_counters(connection)
        await connection.fetch("select * from accounts where balance = 7")
        after = await read_counters(connection)
    assert after["accounts"].scans == before["accounts"].scans + 1

"""Reads the books: accounts, entries, events, and the answers of payments in doubt.

Each read is one round trip that names its tenant; row-level security holds inside it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from core.database import Pool, acquire, without_doubt
from core.keys.safe import Safe
from core.ledger.words import Words, open_words
from core.nouns import Account, Entry


class Settled(NamedTuple):
    """What became of a payment in doubt. Only `id`, `status` and `judged_at_us` are set if it was fenced."""

    id: str
    status: int
    payer: int | None
    payee: int | None
    amount: int | None
    payer_balance: int | None
    payer_version: int | None
    payee_balance: int | None
    payee_version: int | None
    judged_at_us: int
    description: str | None
    kind: int


READ_ENTRIES = """
select account_id, number, payment_id::text, amount, counterparty, balance, judged_at_us, description,
       kind, subject::text, charge::text, hold, held, fee, metadata::text, description_sealed, asked_by::text
  from read_entries($1, $2, $3, $4, $5)
"""


async def read_account(pool: Pool, tenant_id: int, account_id: int) -> Account | None:
    """The account as it stands, or None if the tenant has no such account."""
    async with acquire(pool) as connection:
        row = await connection.fetchrow(
            "select id, person_id::text, status, version, balance, floor, held from read_account($1, $2)",
            tenant_id,
            account_id,
        )
    return Account(*row) if row else None


async def read_entries_after(
    pool: Pool, tenant_id: int, account_id: int, after: int, limit: int, keys: Safe | None = None
) -> list[Entry]:
    """Events with a number above `after`, oldest first. Without `keys`, without words."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(READ_ENTRIES, tenant_id, account_id, after, None, limit)
    return await to_entries(keys, tenant_id, rows)


async def read_entries_before(
    pool: Pool, tenant_id: int, account_id: int, before: int, limit: int, keys: Safe | None = None
) -> list[Entry]:
    """Entries with a number below `before`, newest first: a page of history. Without `keys`, without words."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(READ_ENTRIES, tenant_id, account_id, None, before, limit)
    return await to_entries(keys, tenant_id, rows)


async def to_entries(keys: Safe | None, tenant_id: int, rows: Sequence[asyncpg.Record]) -> list[Entry]:
    """Rows of entries, with what was written beside them."""
    texts = await open_words(
        keys,
        tenant_id,
        (Words(row["payment_id"], row["asked_by"], row["description_sealed"], row["description"]) for row in rows),
    )
    return [Entry(*row[:15])._replace(description=text) for row, text in zip(rows, texts, strict=True)]


async def read_versions(pool: Pool, accounts: Sequence[tuple[int, int]]) -> list[int | None]:
    """The last event number of each (tenant, account), in order; None where there is none."""
    if not accounts:
        return []
    tenants, ids = zip(*accounts, strict=True)
    async with acquire(pool) as connection:
        versions: list[int | None] = await connection.fetchval("select read_versions($1, $2)", tenants, ids)
    return versions


async def settle_payments(
    pool: Pool, tenant_id: int, person_id: str, ids: Sequence[str], *, sees_all: bool = False
) -> list[Settled]:
    """The answer of each payment in doubt, in the order asked; one that never arrived is fenced for good.

    `sees_all`: the person may act for everybody in the tenant and is told of everybody's payments. Raises
    OutcomeUnknown when a fence, or the answer it stands beside, may not survive a failover.
    """
    async with acquire(pool) as connection, without_doubt(connection):
        rows = await connection.fetch(
            "select id::text, status, payer, payee, amount, payer_balance, payer_version, payee_balance,"
            " payee_version, judged_at_us, description, kind from settle_payments($1, $2, $3, $4)",
            tenant_id,
            person_id,
            ids,
            sees_all,
        )
    found = {row[0]: Settled(*row) for row in rows}
    return [found[payment_id] for payment_id in dict.fromkeys(ids)]


async def acknowledge(pool: Pool, seen: Sequence[tuple[int, int, str, int]]) -> None:
    """Write how far people have seen: (tenant, account, person, number) each."""
    if not seen:
        return
    tenants, accounts, persons, numbers = zip(*seen, strict=True)
    async with acquire(pool) as connection:
        await connection.execute("select acknowledge($1, $2, $3, $4)", tenants, accounts, persons, numbers)


class Life(NamedTuple):
    """A payment and what its later steps add up to, as core.ledger.oracle.OracleStanding."""

    id: str
    kind: int
    status: int
    subject: str | None
    payer: int
    payee: int
    amount: int
    fee: int
    shared: int
    description: str | None
    metadata: str | None
    judged_at_us: int
    asked_by: str
    held: int
    captured: int
    refunded: int
    disputed: int
    fee_returned: int
    capture_max: int | None
    expires_at_us: int | None
    in_review: bool
    charge: str | None
    rule: int | None
    options: str | None


async def read_payments(pool: Pool, tenant_id: int, ids: Sequence[str], keys: Safe | None = None) -> dict[str, Life]:
    """The payments with these ids, posted or refused; unknown ones are left out. Without `keys`, without words."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            "select id::text, kind, status, subject::text, payer, payee, amount, fee, shared, description,"
            " metadata::text, judged_at_us, asked_by::text, held, captured, refunded, disputed, fee_returned,"
            " capture_max, expires_at_us, in_review, charge::text, rule, options::text, description_sealed"
            " from read_payments($1, $2)",
            tenant_id,
            ids,
        )
    texts = await open_words(
        keys,
        tenant_id,
        (Words(row["id"], row["asked_by"], row["description_sealed"], row["description"]) for row in rows),
    )
    return {row[0]: Life(*row[:-1])._replace(description=text) for row, text in zip(rows, texts, strict=True)}


async def find_expired_holds(pool: Pool, limit: int) -> list[tuple[int, str, int, int]]:
    """Holds whose time is over, of all tenants: (tenant, payment, payer, payee) each."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            "select tenant_id, payment_id::text, payer, payee from find_expired_holds($1)", limit
        )
    return [tuple(row) for row in rows]


async def read_shares(pool: Pool, tenant_id: int, payment_id: str) -> list[tuple[int, int]]:
    """Who got which part of a payment, over all its steps: (account, amount) each."""
    async with acquire(pool) as connection:
        rows = await connection.fetch("select account_id, amount from read_shares($1, $2)", tenant_id, payment_id)
    return [tuple(row) for row in rows]

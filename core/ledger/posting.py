"""One call that posts a batch: a list of payments in, a list of answers out, in the same order.

It turns rows into the arrays that core/sql/functions/post_payments.sql reads. It decides nothing
about money and never retries.
"""

from collections.abc import Sequence

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from core.database import (
    POST_TIMEOUT_S,
    Connection,
    Doubts,
    RawConnection,
    connect,
    is_payments_fault,
    is_rolled_back,
    without_doubt,
)
from core.errors import OutcomeUnknown
from core.nouns import Payment, Posting

POST_PAYMENTS = """
select statuses, payer_balances, payer_versions, payee_balances, payee_versions, judged_at_us
  from post_payments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def post_payments(connection: Connection, batch: Sequence[Payment]) -> list[Posting]:
    """Judge and post `batch` in order, in one commit, and return one Posting per payment.

    `connection` is outside a transaction: the call is its own. Raises OutcomeUnknown when the commit
    may not survive a failover, or asyncpg's error (see core.database.is_rolled_back for what it proves).
    """
    async with without_doubt(connection):
        row = await connection.fetchrow(POST_PAYMENTS, *_arrays(batch), timeout=POST_TIMEOUT_S)
    return _postings(row)


class Poster:
    """A connection that does nothing but post, kept open and its statement prepared: a batch is one round trip.

    It is used by one batch at a time. After any failure that leaves the connection in doubt it takes a new one.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: RawConnection | None = None
        self._statement: PreparedStatement | None = None
        self._doubts = Doubts()

    async def post(self, batch: Sequence[Payment]) -> list[Posting]:
        """As `post_payments`; also raises Unavailable when PostgreSQL cannot be reached."""
        await self.open()
        assert self._statement is not None
        self._doubts.heard = False
        try:
            row = await self._statement.fetchrow(*_arrays(batch), timeout=POST_TIMEOUT_S)
        except BaseException as error:
            # Also when cancelled: the batch may still be running there, and must not meet the next one. And when
            # the server is at fault: after a failover, another one answers to the same name.
            if not (is_rolled_back(error) and is_payments_fault(error)):
                self.close()
            raise
        if self._doubts.heard:
            raise OutcomeUnknown
        return _postings(row)

    async def open(self) -> None:
        """Connect and plan before the first batch, which would wait for it. Raises Unavailable."""
        if self._connection is None or self._connection.is_closed():
            await self._connect()

    def close(self) -> None:
        """Let go of the connection at once."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = self._statement = None

    async def _connect(self) -> None:
        self._connection = await connect(self._url, name="payhub-posting")
        self._connection.add_log_listener(self._doubts)
        self._statement = await self._connection.prepare(POST_PAYMENTS)


class Posters:
    """As many Posters as batches may be under way at once."""

    def __init__(self, url: str, count: int) -> None:
        self._all = [Poster(url) for _ in range(count)]
        self._free = list(self._all)

    async def __call__(self, batch: Sequence[Payment]) -> list[Posting]:
        """Post with a free Poster. The caller never has more batches under way than there are Posters."""
        poster = self._free.pop()
        try:
            return await poster.post(batch)
        finally:
            self._free.append(poster)

    async def open(self) -> None:
        """Connect all of them. Raises Unavailable."""
        for poster in self._all:
            await poster.open()

    def close(self) -> None:
        """Let go of every connection."""
        for poster in self._all:
            poster.close()


def _postings(row: asyncpg.Record | None) -> list[Posting]:
    assert row is not None
    return list(map(Posting, *row))


def _arrays(batch: Sequence[Payment]) -> tuple[object, ...]:
    tenants, ids, payers, payees, amounts, asked_by, descriptions = zip(*batch, strict=True)
    payer_keys = list(zip(tenants, payers, strict=True))
    payee_keys = list(zip(tenants, payees, strict=True))
    # One locking order for every batch everywhere: by tenant, then account.
    accounts = sorted({*payer_keys, *payee_keys})
    position = dict(zip(accounts, range(1, len(accounts) + 1), strict=True))
    return (
        [tenant for tenant, _ in accounts],
        [account for _, account in accounts],
        tenants,
        ids,
        payers,
        payees,
        [position[key] for key in payer_keys],
        [position[key] for key in payee_keys],
        amounts,
        descriptions,
        asked_by,
        _first_copies(tenants, ids),
    )


def _first_copies(tenants: Sequence[int], ids: Sequence[str]) -> list[int] | None:
    """For each payment the position of its id's first copy in the batch, or None if no id repeats."""
    keys = list(zip(tenants, ids, strict=True))
    if len(set(keys)) == len(keys):
        return None
    first: dict[tuple[int, str], int] = {}
    return [first.setdefault(key, at) for at, key in enumerate(keys, start=1)]

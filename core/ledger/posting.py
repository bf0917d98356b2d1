"""One call that posts a batch: a list of payments in, a list of answers out, in the same order.

It turns rows into the arrays that core/sql/functions/post_payments.sql reads. It decides nothing
about money and never retries.
"""

from collections.abc import Sequence

import asyncpg

from core.database import SYNC_WAIT_CANCELLED, SYNC_WAIT_TERMINATED, Connection
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
    doubts: list[str] = []

    def listen(_: object, message: asyncpg.PostgresLogMessage) -> None:
        # The commit is reported as done, but no standby has it: the answer must not leave.
        if message.message.startswith((SYNC_WAIT_CANCELLED, SYNC_WAIT_TERMINATED)):
            doubts.append(message.message)

    connection.add_log_listener(listen)
    try:
        row = await connection.fetchrow(POST_PAYMENTS, *_arrays(batch))
    finally:
        connection.remove_log_listener(listen)
    if doubts:
        raise OutcomeUnknown
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

"""Lets go of reserved money whose time is over. By ledger time: a capture that comes first wins, and only one does."""

import uuid
from typing import Final

from core.database import Pool, acquire
from core.ledger.posting import post_payments
from core.ledger.reading import find_expired_holds
from core.nouns import Kind, Payment

# Whoever expires a hold, whenever and how often, does it under the same id.
EXPIRY_IDS: Final = uuid.UUID("5f0f1c1e-7f0e-4a6e-9d59-0f6f2c1b7a11")
# Nobody asked: it is the ledger's own doing.
NOBODY: Final = str(uuid.UUID(int=0))


async def expire_holds(pool: Pool, limit: int) -> int:
    """Expire up to `limit` holds and payments in review, the longest overdue first, and say how many were due.

    Any number of workers may do it at once.
    """
    due = await find_expired_holds(pool, limit)
    if due:
        batch = [
            Payment(
                tenant_id,
                str(uuid.uuid5(EXPIRY_IDS, payment_id)),
                payer,
                payee,
                0,
                NOBODY,
                kind=Kind.EXPIRE,
                subject=payment_id,
            )
            for tenant_id, payment_id, payer, payee in due
        ]
        async with acquire(pool) as connection:
            await post_payments(connection, batch)
    return len(due)

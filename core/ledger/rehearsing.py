"""Tries payments without doing them: the ledger itself judges and writes, and then everything is rolled back.

So the answer cannot differ from what posting would answer at that moment. It holds the accounts' locks for as long as
a batch does, and leaves nothing behind.
"""

import asyncio
import random
from collections.abc import Sequence

import asyncpg

from core.database import Pool, acquire, is_race, transaction
from core.errors import Unavailable
from core.keys.safe import Safe
from core.ledger.entries import entries_of
from core.ledger.posting import post_payments
from core.nouns import Entry, Payment, Posting

# Lost races are tried again; nothing depends on this but an answer.
TRIES_MAX = 5


async def rehearse(pool: Pool, batch: Sequence[Payment], keys: Safe | None = None) -> tuple[list[Posting], list[Entry]]:
    """What posting the batch would answer now, and the entries that it would make."""
    for tried in range(1, TRIES_MAX + 1):
        try:
            async with acquire(pool) as connection, transaction(connection, is_rehearsal=True):
                postings = await post_payments(connection, batch, keys)
        except asyncpg.PostgresError as error:
            if not is_race(error):
                raise
            await asyncio.sleep(random.uniform(0, 0.005 * 2**tried))  # noqa: S311
            continue
        entries = [
            entry for payment, posting in zip(batch, postings, strict=True) for entry in entries_of(payment, posting)
        ]
        return postings, entries
    raise Unavailable("Other payments were always quicker. Nothing was done.")

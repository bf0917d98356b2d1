"""The worker's round over disputes: what is due is done, once, and a failure holds up nobody."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from core.database import Pool, acquire
from core.ledger.posting import post_payments
from core.ledger.reading import read_account
from core.payments.dispute_case import Actor, DisputeStatus, tend_dispute
from core.payments.dispute_profiles import CARD, Reason
from core.payments.disputes import Opening, open_dispute, read_dispute, set_profile
from tests.conftest import Books
from workers import disputes
from workers.disputes import tend_disputes


async def lapsed(books: Books, count: int) -> list[str]:
    """Disputes whose payee has not answered in time."""
    await set_profile(books.pool, books.tenant.id, CARD, is_default=True)
    payments = [books.payment(0, 1, 100) for _ in range(count)]
    async with acquire(books.pool) as connection:
        await post_payments(connection, payments)
    payer = Actor(books.people[0].person_id, (books.account(0),))
    long_ago = datetime.now(UTC) - timedelta(seconds=CARD.answer_s + 1)
    ids = [str(uuid.uuid4()) for _ in payments]
    for id_, payment in zip(ids, payments, strict=True):
        await open_dispute(
            books.pool, books.keys, books.tenant.id, payer, Opening(id_, payment.id, Reason.OTHER), long_ago
        )
    return ids


async def balance(books: Books, at: int) -> int:
    account = await read_account(books.pool, books.tenant.id, books.account(at))
    assert account is not None
    return account.balance


async def test_workers_that_meet_do_each_dispute_once(books: Books) -> None:
    await lapsed(books, 5)
    assert await balance(books, 0) == 500
    await asyncio.gather(*(tend_disputes(books.pool) for _ in range(4)))
    # Somebody who was passed by is looked at the next time.
    await tend_disputes(books.pool)
    assert (await balance(books, 0), await balance(books, 1)) == (1_000, 1_000)


async def test_one_that_fails_rests_and_the_others_are_done(books: Books, pool: Pool, monkeypatch: Any) -> None:
    bad, good = await lapsed(books, 2)

    async def tend(pool: Pool, tenant_id: int, dispute_id: str) -> object:
        if dispute_id == bad:
            raise ConnectionError("the server is away")
        return await tend_dispute(pool, tenant_id, dispute_id)

    monkeypatch.setattr(disputes, "tend_dispute", tend)
    await tend_disputes(pool)
    operator = Actor(str(uuid.uuid4()), (), is_operator=True)
    became = [(await read_dispute(pool, books.keys, books.tenant.id, operator, id_)).status for id_ in (bad, good)]
    assert became == [DisputeStatus.OPEN, DisputeStatus.ACCEPTED]
    monkeypatch.undo()
    # It rests: the next round does not meet it.
    await tend_disputes(pool)
    assert (await read_dispute(pool, books.keys, books.tenant.id, operator, bad)).status == DisputeStatus.OPEN

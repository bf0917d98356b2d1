"""The round that pays schedules: it takes all that are due, and says which it had to put off."""

import asyncio
import logging
import uuid
from datetime import UTC, datetime, time, timedelta

import pytest

from core.database import Pool
from core.keys.safe import Safe
from core.ledger.reading import read_account
from core.payments.calendar import Plan, Rule
from core.payments.schedules import IfUnpaid, Order, create_schedule
from core.proof.notary import Signer
from tests.conftest import Books
from workers.rounds import go_round
from workers.schedules import pay_schedules
from workers.work import rounds


async def schedule(books: Books, admin: Pool) -> str:
    """One that is due now."""
    plan = Plan(Rule.DAILY, datetime.now(UTC).date() + timedelta(days=2), time(6))
    one = Order(
        str(uuid.uuid4()), books.account(0), books.account(1), 100, None, plan, 3, 3_600, if_unpaid=IfUnpaid.SKIP
    )
    await create_schedule(books.pool, books.keys, books.tenant.id, books.people[0].person_id, one)
    await admin.execute("update schedules set due_at = clock_timestamp() where id = $1", one.id)
    return one.id


async def test_a_worker_pays_what_is_due(books: Books, admin: Pool, keys: Safe, signer: Signer) -> None:
    await schedule(books, admin)
    (paying,) = [one for one in rounds(books.pool, keys, signer) if one.name == "pay_schedules"]
    worker = asyncio.create_task(go_round(paying))
    try:
        async with asyncio.timeout(5):
            while True:
                account = await read_account(books.pool, books.tenant.id, books.account(0))
                assert account is not None
                if account.balance == 900:
                    break
                await asyncio.sleep(0.02)
    finally:
        worker.cancel()


async def test_what_is_put_off_is_in_the_log(books: Books, admin: Pool, caplog: pytest.LogCaptureFixture) -> None:
    stuck = await schedule(books, admin)
    await admin.execute("update tenants set time_zone = 'Nowhere/At_All' where id = $1", books.tenant.id)
    with caplog.at_level(logging.ERROR):
        assert await pay_schedules(books.pool, books.keys) == 1
    (record,) = [one for one in caplog.records if one.message == "schedule_put_off"]
    assert record.__dict__["schedule"] == stuck

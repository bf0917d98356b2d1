"""A merchant with a server of its own, people who pay, and a worker whose clock is in the test's hands."""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest_asyncio

from core.audit.trail import By
from core.database import Pool, in_tenant
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.nouns import Payment, PaymentStatus, SystemAccount
from core.outside import Outside
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import Role
from core.webhooks.webhooks import Made, Wish, make_webhook
from tests.core.webhooks.receiver import Receiver
from workers.webhooks.bringing import Bringing

LOOPBACK = ["127.0.0.0/8"]
# Tests do not wait until a look at all cursors has been paid for.
EAGER = math.inf


class Clock:
    """What time it is, moved by the test."""

    def __init__(self) -> None:
        self.now_ = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now_

    def move(self, **by: float) -> None:
        self.now_ += timedelta(**by)


class Shop(NamedTuple):
    """A tenant's merchant and how they are paid."""

    tenant: Tenant
    merchant: Opened
    pool: Pool
    keys: Safe
    admin: Pool

    @property
    def by(self) -> By:
        return By(self.merchant.person_id)

    async def pay(self, *amounts: int, account: int | None = None) -> None:
        """Money comes in, one payment each."""
        batch = [
            Payment(
                self.tenant.id,
                str(uuid.uuid4()),
                SystemAccount.CASH_IN,
                account or self.merchant.account_id,
                amount,
                self.merchant.person_id,
            )
            for amount in amounts
        ]
        async with self.pool.acquire() as connection:
            found = await post_payments(connection, batch)
        assert {one.status for one in found} == {PaymentStatus.POSTED}

    async def open_account(self) -> int:
        """Another account of the same merchant."""
        other = await open_person(self.pool, self.keys, self.tenant.id, Role.MERCHANT, "Another")
        async with self.admin.acquire() as connection:
            await connection.execute(
                "update accounts set person_id = $1 where tenant_id = $2 and id = $3",
                self.merchant.person_id,
                self.tenant.id,
                other.account_id,
            )
        return other.account_id

    async def hook(self, url: str, **wish: Any) -> Made:
        return await make_webhook(
            self.pool, self.keys, self.tenant.id, self.merchant.person_id, Wish(url, **wish), self.by
        )

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        async with in_tenant(self.pool, self.tenant.id) as connection:
            return [dict(row) for row in await connection.fetch(statement)]

    async def expire_claims(self) -> None:
        """As if the time of every claim were over."""
        async with in_tenant(self.pool, self.tenant.id) as connection:
            await connection.execute("update webhook_cursors set leased_until = now() - interval '1 second'")

    async def state(self) -> int:
        """Of the only webhook."""
        (row,) = await self.rows("select state from webhooks")
        found: int = row["state"]
        return found


OpenShop = Callable[..., Awaitable[Shop]]


@pytest_asyncio.fixture
async def open_shop(pool: Pool, keys: Safe, admin: Pool) -> AsyncIterator[OpenShop]:
    tenants: list[Tenant] = []

    async def open_(tenant: Tenant) -> Shop:
        tenants.append(tenant)
        return Shop(tenant, await open_person(pool, keys, tenant.id, Role.MERCHANT, "A shop"), pool, keys, admin)

    yield open_
    # Workers look at all tenants: nothing stays due for the next test.
    for tenant in tenants:
        async with in_tenant(pool, tenant.id) as connection:
            await connection.execute("delete from webhooks")


@pytest_asyncio.fixture
async def shop(open_shop: OpenShop, tenant: Tenant) -> Shop:
    return await open_shop(tenant)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    running = await Receiver().start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def bringing(pool: Pool, keys: Safe, clock: Clock) -> AsyncIterator[Bringing]:
    worker = Bringing(pool, keys, Outside(LOOPBACK), now=clock, share_max=EAGER)
    yield worker
    await worker.close(stop_s=0.1)


async def bring_all(*workers: Bringing) -> None:
    """Look until there is nothing to do at this moment of the clock."""
    idle = 0
    while idle < 2:
        found = sum(await asyncio.gather(*(worker.look() for worker in workers)))
        await asyncio.gather(*(worker.settle() for worker in workers))
        idle = 0 if found else idle + 1

"""Real servers for every test: one PostgreSQL and one Valkey per test process, a fresh tenant per test."""

import asyncio
import itertools
import os
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import asyncpg
import pytest
import pytest_asyncio

from config.embedded import Servers, temporary_servers
from core.database import Pool, open_pool
from core.keyring import Purpose, create_key, load_keys
from core.ledger.posting import post_payments
from core.ledger.verify import verify
from core.migrate import migrate
from core.nouns import Payment, PaymentStatus, Posting, SystemAccount
from core.people.opening import Opened, Tenant, create_tenant, open_people
from core.people.persons import Role
from core.proof.notary import Signer
from core.proof.sealing import seal_logs


class Database(NamedTuple):
    """A migrated database, and how to log in."""

    admin_url: str
    app_url: str
    redis_url: str
    master_key: bytes


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    # Durability is the one thing most tests do not look at; those that do start servers of their own.
    with temporary_servers(durable=False) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def database(servers: Servers) -> Database:
    await migrate(servers.admin_database_url)
    master_key = secrets.token_bytes(32)
    admin = await asyncpg.connect(servers.admin_database_url, server_settings={"search_path": "payhub"})
    try:
        await create_key(admin, master_key)
        await create_key(admin, master_key, purpose=Purpose.PROOFS)
    finally:
        await admin.close()
    return Database(servers.admin_database_url, servers.database_url, servers.redis_url, master_key)


@pytest_asyncio.fixture(scope="session")
async def pool(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.app_url, size_max=10, name="payhub-tests")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="session")
async def admin(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.admin_url, size_max=3, name="payhub-tests-admin")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="session")
async def signer(database: Database, pool: Pool) -> Signer:
    """Signs proofs with the database's key."""
    return Signer(await load_keys(pool, database.master_key, Purpose.PROOFS))


def answers(postings: Sequence[Posting]) -> list[Posting]:
    """What was answered, without what is said of this call alone: which batch it was in."""
    return [posting._replace(batch=None) for posting in postings]


async def seal_all(pool: Pool, signer: Signer) -> None:
    """Bring everything that is committed into the logs, as workers do."""
    while await seal_logs(pool, signer, time.time, timedelta(0)):
        pass


# What a superuser can do and nobody else: write past the triggers that keep rows as they were written.
PAST_TRIGGERS = "set local session_replication_role = replica"

_slugs = itertools.count()


@pytest_asyncio.fixture
async def tenant(admin: Pool) -> Tenant:
    return await create_tenant(admin, f"t{os.getpid()}-{next(_slugs)}", "A tenant", "BRL", "America/Sao_Paulo")


@pytest_asyncio.fixture
async def other_tenant(admin: Pool) -> Tenant:
    return await create_tenant(admin, f"o{os.getpid()}-{next(_slugs)}", "Another", "BRL", "America/Sao_Paulo")


async def prove(admin: Pool, *tenant_ids: int) -> None:
    """The books of these tenants are sound. Other tests plant errors in theirs."""
    async with admin.acquire() as connection:
        verdict = await verify(connection)
    assert not {tenant for tenant, _ in verdict.unbalanced_tenants} & {*tenant_ids}
    assert not {tenant for tenant, _ in verdict.broken_accounts} & {*tenant_ids}


class Books(NamedTuple):
    """A tenant with a few people and a way to fund them."""

    tenant: Tenant
    people: list[Opened]
    pool: Pool

    def account(self, at: int) -> int:
        return self.people[at].account_id

    def payment(
        self, payer: int, payee: int, amount: int, *, id: str | None = None, description: str | None = None
    ) -> Payment:
        """Between the people at these places; below zero, between system accounts (-1 is cash in)."""
        return Payment(
            self.tenant.id,
            id or str(uuid.uuid4()),
            -payer if payer < 0 else self.account(payer),
            -payee if payee < 0 else self.account(payee),
            amount,
            self.people[max(payer, 0)].person_id,
            description,
        )

    async def fund(self, amount: int) -> None:
        """Give everybody money."""
        batch = [self.payment(-SystemAccount.CASH_IN, at, amount) for at in range(len(self.people))]
        async with self.pool.acquire() as connection:
            assert {posting.status for posting in await post_payments(connection, batch)} == {PaymentStatus.POSTED}


@pytest.fixture
def open_books(pool: Pool) -> Callable[..., "asyncio.Future[Books]"]:
    async def open_(tenant: Tenant, people: int = 2, funds: int = 0) -> Books:
        opened = await open_people(pool, tenant.id, Role.MERCHANT, [f"Person {at}" for at in range(people)])
        books = Books(tenant, opened, pool)
        if funds:
            await books.fund(funds)
        return books

    return open_  # type: ignore[return-value]


@pytest_asyncio.fixture
async def books(tenant: Tenant, open_books: Callable[..., "asyncio.Future[Books]"]) -> Books:
    """Four people with 1,000 each."""
    return await open_books(tenant, people=4, funds=1_000)

"""Real servers for every test: one PostgreSQL and one Valkey per test process, a fresh tenant per test."""

import asyncio
import itertools
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
import pytest_asyncio

from config.embedded import Servers, temporary_servers
from config.settings import ensure_master_key
from core.database import Pool, open_pool
from core.keyring import Purpose, create_key, load_keys
from core.keys.choosing import Choice, open_safe
from core.keys.local import LocalKeys
from core.keys.master import Master
from core.keys.safe import Safe
from core.keys.store import SQL as KEYS_SQL
from core.ledger.posting import post_payments
from core.ledger.reading import read_payments
from core.ledger.verify import verify
from core.migrate import migrate
from core.nouns import Payment, PaymentStatus, Posting, SystemAccount
from core.people.opening import Opened, Tenant, create_tenant, open_people
from core.people.persons import Role
from core.proof.notary import Signer
from core.proof.sealing import seal_logs

# One dumps and restores the whole database, which grows with every test. The others take minutes each: begun last, one
# process would be at them while the others have nothing left to do.
FIRST = ("test_erasing.py", "test_browser.py", "test_hygiene.py", "test_walking.py", "test_pool_poisoning.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or longer the later it comes."""
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(FIRST)))


class Database(NamedTuple):
    """A migrated database, and how to log in."""

    admin_url: str
    app_url: str
    keys_admin_url: str
    keys_url: str
    redis_url: str
    master_key_file: Path


@pytest.fixture(scope="session")
def master_key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "master.key"
    ensure_master_key(path)
    return path


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    # Durability is the one thing most tests do not look at; those that do start servers of their own.
    with temporary_servers(durable=False) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def database(servers: Servers, master_key_file: Path) -> Database:
    return await make_database(servers, master_key_file)


async def make_database(servers: Servers, master_key_file: Path) -> Database:
    """Bring empty servers to this version's shape, with first keys."""
    await migrate(servers.admin_database_url)
    admin = await asyncpg.connect(servers.admin_database_url, server_settings={"search_path": "payhub"})
    try:
        for purpose in Purpose:
            await create_key(admin, Master(LocalKeys(master_key_file)), purpose=purpose)
    finally:
        await admin.close()
    await migrate(servers.keys_admin_database_url, KEYS_SQL)
    return Database(
        servers.admin_database_url,
        servers.database_url,
        servers.keys_admin_database_url,
        servers.keys_database_url,
        servers.redis_url,
        master_key_file,
    )


@pytest.fixture
def master(tmp_path: Path) -> Master:
    """A master key of the test's own."""
    path = tmp_path / "master.key"
    ensure_master_key(path)
    return Master(LocalKeys(path))


@pytest_asyncio.fixture(scope="session")
async def keys(database: Database, master_key_file: Path) -> AsyncIterator[Safe]:
    safe = await open_safe(Choice(database.keys_url, "local", master_key_file), name="payhub-tests", size_max=10)
    _keys.append(safe)
    yield safe
    _keys.remove(safe)
    await safe.close()


_keys: list[Safe] = []


def the_keys() -> Safe:
    """The session's keys, for helpers that are no fixtures. Whoever has the pool has them."""
    return _keys[-1]


@pytest_asyncio.fixture(scope="session")
async def pool(database: Database, keys: Safe) -> AsyncIterator[Pool]:
    pool = await open_pool(database.app_url, size_max=10, name="payhub-tests")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="session")
async def admin(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.admin_url, size_max=3, name="payhub-tests-admin")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="session")
async def signer(pool: Pool, keys: Safe) -> Signer:
    """Signs proofs with the database's key."""
    return Signer(await load_keys(pool, keys.master, Purpose.PROOFS))


async def texts_of(pool: Pool, tenant_id: int, ids: Sequence[str]) -> list[str | None]:
    """What was written beside these payments."""
    found = await read_payments(pool, tenant_id, ids, the_keys())
    return [found[id_].description for id_ in ids]


def answers(postings: Sequence[Posting]) -> list[Posting]:
    """What was answered, without what is said of this call alone: which batch it was in."""
    return [posting._replace(batch=None) for posting in postings]


async def seal_all(pool: Pool, signer: Signer) -> None:
    """Bring everything that is committed into the logs, as workers do."""
    while await seal_logs(pool, signer, time.time, timedelta(0)):
        pass


async def keep_sealing(pool: Pool, signer: Signer) -> None:
    """What a worker does all the time: a till believes no hold that is not signed."""
    while True:
        await seal_all(pool, signer)
        await asyncio.sleep(0.2)


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
    keys: Safe

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
def open_books(pool: Pool, keys: Safe) -> Callable[..., "asyncio.Future[Books]"]:
    async def open_(tenant: Tenant, people: int = 2, funds: int = 0) -> Books:
        opened = await open_people(pool, keys, tenant.id, Role.MERCHANT, [f"Person {at}" for at in range(people)])
        books = Books(tenant, opened, pool, keys)
        if funds:
            await books.fund(funds)
        return books

    return open_  # type: ignore[return-value]


@pytest_asyncio.fixture
async def books(tenant: Tenant, open_books: Callable[..., "asyncio.Future[Books]"]) -> Books:
    """Four people with 1,000 each."""
    return await open_books(tenant, people=4, funds=1_000)

"""Real hubs on real servers: two for the whole run, more for those tests that end them."""

import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import httpx2
import pytest
import pytest_asyncio

from core.database import Pool
from core.keyring import load_keys
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.nouns import Payment, PaymentStatus, SystemAccount
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from core.people.sessions import start_session
from hub.auth import Tokens
from tests.conftest import Database, the_keys
from tests.hub.known import PASSWORD, Known
from tests.hub.processes import HubProcess
from tests.hub.raw import RawSocket
from tests.hub.stranger import JSON, Stranger

# Words that tests put into names, descriptions and passwords. None may ever show in a log.
CANARY = "zq-canary"


class Somebody(NamedTuple):
    """A person who is logged in."""

    tenant: Tenant
    person: str
    account: int
    role: Role
    session: str
    token: str
    refresh_token: str


Enter: TypeAlias = Callable[..., Awaitable[Somebody]]
StartHub: TypeAlias = Callable[..., Awaitable[HubProcess]]
Meet: TypeAlias = Callable[..., Awaitable[Known]]
Join: TypeAlias = Callable[..., Awaitable[Stranger]]


class Hubs(NamedTuple):
    """Two hubs on one database and one Redis."""

    a: HubProcess
    b: HubProcess


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hubs")


@pytest_asyncio.fixture(scope="session")
async def hubs(database: Database, folder: Path, master_key_file: Path) -> AsyncIterator[Hubs]:
    # As behind a proxy on this machine: each test's requests come from an address of their own, with its own limits.
    # The identity providers and merchants' servers of tests live on this machine too.
    a, b = (
        HubProcess(
            database,
            folder,
            name,
            master_key_file=master_key_file,
            trusted_proxies="127.0.0.1",
            internal_networks="127.0.0.0/8",
            webhook_networks="127.0.0.0/8",
        )
        for name in ("a", "b")
    )
    try:
        yield Hubs(await a.start(), await b.start())
    finally:
        for hub in (a, b):
            await hub.stop()
    for hub in (a, b):
        # Whatever was thrown at them during the whole run.
        assert hub.bugs() == []
        text = hub.log.read_text()
        for secret in (CANARY, "eyJ", "phr_", "phk_", "whsec_", "phd_", "pht_", "otpauth"):
            assert secret not in text, f"{secret} stands in the log of {hub.name}"


@pytest_asyncio.fixture
async def start_hub(database: Database, folder: Path, master_key_file: Path) -> AsyncIterator[StartHub]:
    """Start a hub that this test may drain or kill."""
    started: list[HubProcess] = []

    async def start(name: str, **settings: str) -> HubProcess:
        hub = HubProcess(
            database, folder, f"{name}-{uuid.uuid4().hex[:6]}", master_key_file=master_key_file, **settings
        )
        started.append(hub)
        return await hub.start()

    yield start
    for hub in started:
        await hub.stop()


@pytest_asyncio.fixture(scope="session")
async def tokens(pool: Pool, keys: Safe) -> Tokens:
    return Tokens(await load_keys(pool, keys.master))


@pytest_asyncio.fixture(scope="session")
async def short_tokens(pool: Pool, keys: Safe) -> Tokens:
    """Tokens that end before anybody gets bored."""
    return Tokens(await load_keys(pool, keys.master), lifetime_s=3)


async def fund(pool: Pool, tenant: Tenant, account: int, amount: int, asked_by: str) -> None:
    payment = Payment(tenant.id, str(uuid.uuid4()), SystemAccount.CASH_IN, account, amount, asked_by)
    async with pool.acquire() as connection:
        (posting,) = await post_payments(connection, [payment], the_keys())
    assert posting.status == PaymentStatus.POSTED


@pytest.fixture
def enter(pool: Pool, tokens: Tokens, keys: Safe) -> Enter:
    """Open a person, give them money and log them in; or log somebody in once more, in a session beside the other."""

    async def enter_(
        tenant: Tenant,
        role: Role = Role.CUSTOMER,
        funds: int = 0,
        *,
        issue_with: Tokens | None = None,
        again: Somebody | None = None,
        proved: bool = False,
    ) -> Somebody:
        proofs = ("pwd",) if proved else ()
        if again is not None:
            return await log_in(pool, issue_with or tokens, tenant, again.person, again.account, again.role, proofs)
        opened = await open_person(pool, keys, tenant.id, role, f"{CANARY} {role.name}")
        if funds:
            await fund(pool, tenant, opened.account_id, funds, opened.person_id)
        return await log_in(pool, issue_with or tokens, tenant, opened.person_id, opened.account_id, role, proofs)

    return enter_


@pytest_asyncio.fixture
async def meet(pool: Pool) -> Meet:
    """Open a person who logs in by a password."""

    async def meet_(tenant: Tenant, role: Role = Role.CUSTOMER, funds: int = 0) -> Known:
        login = f"ana-{uuid.uuid4().hex[:8]}"
        opened = await open_person(pool, the_keys(), tenant.id, role, f"{CANARY} Ana", login, PASSWORD)
        if funds:
            await fund(pool, tenant, opened.account_id, funds, opened.person_id)
        return Known(pool, tenant, login, opened.person_id, opened.account_id, role)

    return meet_


@pytest_asyncio.fixture
async def known(meet: Meet, tenant: Tenant) -> Known:
    return await meet(tenant)


async def log_in(
    pool: Pool, tokens: Tokens, tenant: Tenant, person: str, account: int, role: Role, proofs: tuple[str, ...] = ()
) -> Somebody:
    """A session; with proofs, of somebody who has just proved who they are."""
    session = await start_session(pool, tenant.id, person)
    now = time.time()
    proved_at = int(now) if proofs else None
    issued = tokens.issue(tenant.id, person, role, session.session_id, now, proved_at=proved_at, proofs=proofs)
    return Somebody(tenant, person, account, role, session.session_id, issued.token, session.refresh_token)


@pytest_asyncio.fixture
async def join() -> AsyncIterator[Join]:
    """Connect and authenticate; closed at the test's end."""
    joined: list[Stranger] = []

    async def join_(hub: HubProcess, somebody: Somebody, subprotocol: str = JSON) -> Stranger:
        client = await Stranger.connect(hub.socket_url, subprotocol)
        joined.append(client)
        welcome = await client.authenticate(somebody.token)
        assert welcome["type"] == "welcome", welcome
        return client

    yield join_
    for client in joined:
        await client.connection.close()


@pytest_asyncio.fixture
async def web() -> AsyncIterator[httpx2.AsyncClient]:
    # Of the networks for tests of networks (RFC 2544).
    address = f"198.{random.randint(18, 19)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
    async with httpx2.AsyncClient(timeout=15, headers={"x-forwarded-for": address}) as client:
        yield client


@pytest_asyncio.fixture(autouse=True)
async def no_raw_socket_stays_open() -> AsyncIterator[None]:
    yield
    while RawSocket.opened:
        await RawSocket.opened.pop().leave()

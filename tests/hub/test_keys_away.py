"""A hub whose keys are away: what needs none goes on, the rest says so, and comes back by itself."""

import asyncio
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from core.database import Pool
from core.keys.safe import TENANT_KEPT_S
from core.keys.store import SQL
from core.migrate import ensure_database, migrate
from core.people.opening import Tenant, create_tenant
from core.people.persons import Role
from tests.conftest import Database
from tests.core.keys.transit import Transit
from tests.hub.conftest import CANARY, Enter, Join, StartHub
from tests.hub.processes import ROOT, HubProcess, free_port

PASSWORD = "correct horse battery"


@pytest.fixture
def transit() -> Iterator[Transit]:
    transit = Transit()
    yield transit
    transit.stop()


class Guarded(NamedTuple):
    """A hub whose master key is in Vault, and whose keys are in a database of their own."""

    hub: HubProcess
    transit: Transit
    keys_admin_url: str
    settings: dict[str, str]


@pytest_asyncio.fixture
async def guarded(database: Database, start_hub: StartHub, transit: Transit, tmp_path: Path) -> AsyncIterator[Guarded]:
    name = f"keys_{secrets.token_hex(6)}"
    admin_url = database.keys_admin_url.replace("/payhub_keys?", f"/{name}?")
    await ensure_database(admin_url)
    await migrate(admin_url, SQL)
    token = tmp_path / "vault.token"
    await asyncio.to_thread(token.write_text, "s.first")
    settings = {
        "keys_database_url": database.keys_url.replace("/payhub_keys?", f"/{name}?"),
        "key_service": "vault",
        "vault_url": transit.url,
        "vault_key": "payhub",
        "vault_token_file": str(token),
    }
    yield Guarded(await start_hub("guarded", **settings), transit, admin_url, settings)


async def register(web: httpx2.AsyncClient, hub: HubProcess, tenant: Tenant) -> Any:
    login = f"p-{uuid.uuid4().hex[:12]}"
    body = {"tenant": tenant.slug, "login": login, "password": PASSWORD, "name": f"{CANARY} name"}
    return await web.post(f"{hub.url}/v1/register", json=body)


async def test_while_the_key_service_is_away_payments_go_on_and_new_people_wait(
    guarded: Guarded,
    web: httpx2.AsyncClient,
    admin: Pool,
    tenant: Tenant,
    other_tenant: Tenant,
    enter: Enter,
    join: Join,
) -> None:
    hub, transit = guarded.hub, guarded.transit
    known = (await register(web, hub, tenant)).json()
    headers = {"authorization": f"Bearer {known['access_token']}"}
    operator = await enter(tenant, Role.OPERATOR)
    payer = await join(hub, operator)

    transit.fails_with = 503
    # A tenant whose key nobody has asked for yet.
    answer = await register(web, hub, other_tenant)
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
    assert 0 < answer.json()["retry_after_ms"] <= 2_000
    assert answer.headers["retry-after"]
    # What is kept goes on: names, log-ins, even new people of a tenant whose key is here.
    assert (await web.get(f"{hub.url}/v1/profile", headers=headers)).json()["name"] == f"{CANARY} name"
    assert (await register(web, hub, tenant)).status_code == 201
    assert TENANT_KEPT_S >= 300
    # Nobody waits for it, and it is not asked by everybody.
    transit.asked.clear()
    began = time.monotonic()
    for _ in range(12):
        assert (await register(web, hub, other_tenant)).status_code == 503
    assert time.monotonic() - began < 30
    assert len(transit.asked) < 10
    assert (await hub.metrics())['payhub_keys_refusals_total{reason="away"}'] >= 2
    # Money needs no key.
    paid = await payer.pay(1, known["account"], 500)
    assert paid["status"] == "posted"
    assert (await web.get(f"{hub.url}/readyz")).status_code == 200

    # Vault is back, and gives us no right: the client is told the same, operators see the difference.
    transit.fails_with, transit.tokens = None, {"s.another"}
    await asyncio.sleep(1.1)
    answer = await register(web, hub, other_tenant)
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
    assert (await hub.metrics())['payhub_keys_refusals_total{reason="refused"}'] >= 1

    transit.tokens = {"s.first"}
    third = await create_tenant(admin, f"third-{uuid.uuid4().hex[:8]}", "Third", "BRL", "UTC")
    assert (await register(web, hub, third)).status_code == 201
    assert hub.bugs() == []
    log = await asyncio.to_thread(hub.log.read_text)
    assert "s.first" not in log
    assert CANARY not in log


async def test_while_the_database_of_keys_is_away_a_session_begins_without_a_name(
    guarded: Guarded, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter, join: Join
) -> None:
    hub = guarded.hub
    known = (await register(web, hub, tenant)).json()
    headers = {"authorization": f"Bearer {known['access_token']}"}
    operator = await enter(tenant, Role.OPERATOR)
    name = urlsplit(guarded.keys_admin_url).path.removeprefix("/")
    admin = await asyncpg.connect(guarded.keys_admin_url.replace(f"/{name}?", "/postgres?"))
    try:
        await admin.execute(f"alter database {name} allow_connections false")
        await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        await asyncio.sleep(0.8)
        answer = await web.get(f"{hub.url}/v1/profile", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
        payer = await join(hub, operator)
        assert (await payer.pay(1, known["account"], 500))["status"] == "posted"
        await admin.execute(f"alter database {name} allow_connections true")
        began = time.monotonic()
        while (answer := await web.get(f"{hub.url}/v1/profile", headers=headers)).status_code != 200:
            assert time.monotonic() - began < 5
            await asyncio.sleep(0.1)
        assert answer.json()["name"] == f"{CANARY} name"
    finally:
        await admin.execute(f"alter database {name} allow_connections true")
        await admin.close()
    # The driver complains once that its pool is empty.
    assert [bug for bug in hub.bugs() if "pool connection floor" not in bug["event"]] == []


def serve_once(database: Database, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PAYHUB_DATABASE_URL": database.app_url,
        "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
        "PAYHUB_REDIS_URL": database.redis_url,
        "PAYHUB_MASTER_KEY_FILE": str(folder / "master.key"),
        "PAYHUB_LISTEN": f"127.0.0.1:{free_port()}",
        "PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
        "PAYHUB_DATA_DIR": str(folder),
        **{f"PAYHUB_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "payhub", "serve"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


async def test_a_hub_with_another_master_key_does_not_start_and_says_why(
    keys: Any, database: Database, tmp_path: Path
) -> None:
    await asyncio.to_thread((tmp_path / "master.key").write_bytes, secrets.token_bytes(32))
    ended = await asyncio.to_thread(serve_once, database, tmp_path)
    assert ended.returncode == 1
    assert "The master key that wrapped this is not in" in ended.stderr
    assert "put your copy of it there" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_hub_whose_vault_is_away_does_not_start_and_says_why(
    keys: Any, database: Database, tmp_path: Path
) -> None:
    token = tmp_path / "vault.token"
    await asyncio.to_thread(token.write_text, "s.first")
    settings = {
        "key_service": "vault",
        "vault_url": f"http://127.0.0.1:{free_port()}",
        "vault_key": "payhub",
        "vault_token_file": str(token),
    }
    name = f"keys_{secrets.token_hex(6)}"
    await ensure_database(database.keys_admin_url.replace("/payhub_keys?", f"/{name}?"))
    await migrate(database.keys_admin_url.replace("/payhub_keys?", f"/{name}?"), SQL)
    own = database._replace(keys_url=database.keys_url.replace("/payhub_keys?", f"/{name}?"))
    ended = await asyncio.to_thread(serve_once, own, tmp_path, **settings)
    assert ended.returncode == 1
    assert "Vault is away: ConnectError" in ended.stderr
    assert "Traceback" not in ended.stderr

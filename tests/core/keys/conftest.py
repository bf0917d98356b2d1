"""Pools of databases of keys, and key services: a file, KMS on moto's server, Transit, and one that can be taken away."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
import pytest_asyncio
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from core.database import Pool, open_pool
from core.keys.choosing import Choice, services
from core.keys.local import LocalKeys
from core.keys.services import KeyService
from core.keys.store import SQL
from core.migrate import ensure_database, migrate
from tests.conftest import Database
from tests.core.keys.transit import Transit
from tests.core.keys.weather import Weathered


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.keys_url, size_max=4, name="payhub-tests-keys")
    yield pool
    await pool.close()


@pytest.fixture
def weathered(master_key_file: Path) -> Weathered:
    return Weathered(LocalKeys(master_key_file))


class Kms(NamedTuple):
    url: str
    key: str
    client: Any


@pytest.fixture(scope="session")
def kms() -> Iterator[Kms]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "sa-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }.items():
            patch.setenv(name, value)
        url = f"http://{host}:{port}"
        client = boto3.client("kms", endpoint_url=url)  # type: ignore[no-untyped-call]
        key = client.create_key(Description="payhub")["KeyMetadata"]["KeyId"]
        yield Kms(url, key, client)
    server.stop()


@pytest.fixture
def transit() -> Iterator[Transit]:
    transit = Transit()
    yield transit
    transit.stop()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "vault.token"
    path.write_text("s.first\n")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    path.write_bytes(secrets.token_bytes(32))
    path.chmod(0o600)
    return path


@pytest_asyncio.fixture
async def service(
    request: pytest.FixtureRequest, file: Path, kms: Kms, transit: Transit, token_file: Path
) -> AsyncIterator[KeyService]:
    choice = Choice(
        "",
        request.param,
        file,
        aws_key=kms.key,
        aws_region="sa-east-1",
        aws_endpoint=kms.url,
        vault_url=transit.url,
        vault_key="payhub",
        vault_token_file=token_file,
    )
    chosen, *formers = services(choice)
    assert chosen.name == request.param
    assert [one.name for one in formers] == ([] if request.param == "local" else ["local"])
    yield chosen
    for one in (chosen, *formers):
        await one.close()


@pytest_asyncio.fixture
async def own_store(database: Database) -> AsyncIterator[Pool]:
    """A database of keys of the test's own: a master key is everybody's."""
    name = f"keys_{secrets.token_hex(6)}"
    admin_url = database.keys_admin_url.replace("/payhub_keys?", f"/{name}?")
    await ensure_database(admin_url)
    await migrate(admin_url, SQL)
    pool = await open_pool(database.keys_url.replace("/payhub_keys?", f"/{name}?"), size_max=4, name="payhub-own")
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def own_admin(own_store: Pool, database: Database) -> AsyncIterator[Pool]:
    """The administrator there."""
    name = await own_store.fetchval("select current_database()")
    pool = await open_pool(database.keys_admin_url.replace("/payhub_keys?", f"/{name}?"), size_max=1, name="payhub-own")
    yield pool
    await pool.close()

"""`payhub keys …` on databases of its own: what an operator types, and what it says."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest_asyncio

from core.database import Pool, open_pool
from core.keys.local import split
from core.migrate import ensure_database
from tests.conftest import Database

ROOT = Path(__file__).parents[1]


class Own(NamedTuple):
    """An installation: its environment, and its ledger's database for the administrator."""

    environment: dict[str, str]
    admin: Pool
    master_key_file: Path

    async def payhub(self, *arguments: str, code: int = 0, typed: str = "", **settings: str) -> str:
        """What `payhub` prints."""
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(ROOT / "payhub.py"), *arguments],
            env=self.environment | settings,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
        return ended.stdout if code == 0 else ended.stderr

    async def opens(self, slug: str) -> None:
        """Signing keys, keys of tenants and of persons: all are needed for a token of somebody who logs in."""
        assert (await self.payhub("token", "--tenant", slug, "--login", "operator")).startswith("eyJ")


@pytest_asyncio.fixture
async def own(database: Database, tmp_path: Path) -> AsyncIterator[Own]:
    name = f"own_{secrets.token_hex(6)}"
    urls = {
        "DATABASE_URL": database.app_url.replace("/payhub?", f"/{name}?"),
        "ADMIN_DATABASE_URL": database.admin_url.replace("/payhub?", f"/{name}?"),
        "KEYS_DATABASE_URL": database.keys_url.replace("/payhub_keys?", f"/{name}_keys?"),
        "KEYS_ADMIN_DATABASE_URL": database.keys_admin_url.replace("/payhub_keys?", f"/{name}_keys?"),
    }
    await ensure_database(urls["ADMIN_DATABASE_URL"])
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PAYHUB_")}
    environment |= {f"PAYHUB_{key}": value for key, value in urls.items()}
    environment |= {"PAYHUB_REDIS_URL": database.redis_url, "PAYHUB_DATA_DIR": str(tmp_path)}
    admin = await open_pool(urls["ADMIN_DATABASE_URL"], size_max=1, name="payhub-tests")
    made = Own(environment, admin, tmp_path / "master.key")
    said = await made.payhub("migrate")
    # The database of keys was not there: it is made, and brought to its shape.
    assert "applied keys/migrations/0001_create_key_store.sql" in said
    assert f"Master key: {tmp_path / 'master.key'}" in said
    await made.payhub("tenant", "create", "acme", "--name", "Acme")
    yield made
    await admin.close()


async def test_the_master_key_is_turned_step_by_step(own: Own) -> None:
    await own.opens("acme")
    assert await own.payhub("keys", "rotate", "master", "--only-new") == "A new master key wraps from now on.\n"
    assert len(split(await asyncio.to_thread(own.master_key_file.read_bytes))) == 2
    refused = await own.payhub("keys", "forget-old-master", code=1)
    assert refused == "Error: Keys are still wrapped by an old master key: `payhub keys rotate master` first.\n"
    # The installation's own, the tenant's two, and the two that sign.
    assert (await own.payhub("keys", "rotate", "master", "--only-rewrap")).startswith("5 keys are wrapped")
    assert (await own.payhub("keys", "forget-old-master")).startswith("1 old master keys are gone")
    assert len(split(await asyncio.to_thread(own.master_key_file.read_bytes))) == 1
    await own.opens("acme")
    assert (await own.payhub("keys", "rotate", "master")).startswith("5 keys are wrapped")
    await own.opens("acme")
    assert "give one of them" in await own.payhub("keys", "rotate", "master", "--only-new", "--only-rewrap", code=2)


async def test_a_tenants_and_a_persons_keys_are_turned_by_their_names(own: Own) -> None:
    people = json.loads(await own.payhub("seed", "--tenant", "acme", "--people", "3", "--json"))
    person = people["people"][0]["person"]
    assert (await own.payhub("keys", "rotate", "tenant", "acme")).startswith("5 keys of persons are wrapped")
    said = await own.payhub("keys", "rotate", "person", "acme", person)
    assert said == "1 persons have new keys, and 2 values are sealed by them.\n"
    await own.opens("acme")
    assert "There is no tenant nobody" in await own.payhub("keys", "rotate", "tenant", "nobody", code=1)
    assert "or say --all" in await own.payhub("keys", "rotate", "person", "acme", code=2)
    entries = await own.admin.fetch(
        "select what, count(*) from audit_entries where what like 'key.%' group by 1 order by 1"
    )
    assert dict(map(tuple, entries))["key.made"] >= 2


async def test_a_person_is_erased_by_hand_after_a_question(own: Own) -> None:
    people = json.loads(await own.payhub("seed", "--tenant", "acme", "--people", "1", "--json"))
    person = people["people"][0]["person"]
    assert "Aborted" in await own.payhub("keys", "destroy", "acme", person, code=1, typed="n\n")
    said = await own.payhub("keys", "destroy", "acme", person, "--why", "case 12", typed="y\n")
    assert f"The keys of {person} are destroyed" in said
    again = await own.payhub("keys", "destroy", "acme", person, "--yes")
    assert f"The keys of {person} were destroyed before" in again
    rows = await own.admin.fetch("select about, why from audit_entries where what = 'key.destroyed'")
    assert [tuple(row) for row in rows] == [(person, "case 12")]
    stranger = str(uuid.uuid4())
    assert "There is no such person" in await own.payhub("keys", "destroy", "acme", stranger, "--yes", code=1)
    assert "is not a valid UUID" in await own.payhub("keys", "destroy", "acme", "ana", "--yes", code=2)


async def test_what_is_plain_is_told_and_sealed(own: Own) -> None:
    assert "not sealed yet" not in await own.payhub("migrate")
    assert await own.payhub("keys", "seal") == "0 values are sealed.\n"
    await own.admin.execute("update profiles set display_name = 'Plain', display_name_sealed = null")
    assert "Some personal data is not sealed yet: `payhub keys seal`" in await own.payhub("migrate")
    person = str(await own.admin.fetchval("select person_id from profiles"))
    assert "payhub keys seal" in await own.payhub("keys", "destroy", "acme", person, "--yes", code=1)
    assert await own.payhub("keys", "seal") == "1 values are sealed.\n"
    assert await own.admin.fetchval("select count(*) from profiles where display_name is not null") == 0
    await own.opens("acme")


async def test_a_master_key_that_is_not_this_installations_is_one_sentence(own: Own, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    await asyncio.to_thread(other.write_bytes, secrets.token_bytes(32))
    for command in (
        ("keys", "seal"),
        ("token", "--tenant", "acme", "--login", "operator"),
        ("keys", "rotate", "master"),
    ):
        said = await own.payhub(*command, code=1, PAYHUB_MASTER_KEY_FILE=str(other))
        assert f"is not in {other}: put your copy of it there." in said
    assert len(await asyncio.to_thread(other.read_bytes)) == 32

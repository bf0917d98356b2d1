"""`payhub keys …` on databases of its own: what an operator types, and what it says."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from core.keys.local import split
from tests.conftest import Database
from tests.installation import Own, installed


@pytest_asyncio.fixture
async def own(database: Database, tmp_path: Path) -> AsyncIterator[Own]:
    async with installed(database, tmp_path) as made:
        yield made


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


async def test_what_is_plain_is_told_and_sealed(own: Own) -> None:
    assert "not sealed yet" not in await own.payhub("migrate")
    assert await own.payhub("keys", "seal") == "0 values are sealed.\n"
    seeded = await own.payhub("seed", "--tenant", "acme", "--people", "1", "--balance", "0", "--json")
    person = json.loads(seeded)["people"][0]["person"]
    plain = "update profiles set display_name = 'Plain', display_name_sealed = null where person_id = $1"
    await own.admin.execute(plain, person)
    assert "Some personal data is not sealed yet: `payhub keys seal`" in await own.payhub("migrate")
    assert "payhub keys seal" in await own.payhub("privacy", "erase", "acme", person, "--yes", code=1)
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

"""`payhub privacy …` on databases of its own: what an operator types, and what it says."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.conftest import Database
from tests.installation import Own, installed


@pytest_asyncio.fixture
async def own(database: Database, tmp_path: Path) -> AsyncIterator[Own]:
    async with installed(database, tmp_path) as made:
        yield made


async def seeded(own: Own, balance: int) -> str:
    people = json.loads(
        await own.payhub("seed", "--tenant", "acme", "--people", "1", "--balance", str(balance), "--json")
    )
    return str(people["people"][0]["person"])


async def test_a_person_is_erased_by_hand_after_a_question(own: Own) -> None:
    person = await seeded(own, 0)
    erase = ("privacy", "erase", "acme", person)
    ahead = json.loads(await own.payhub(*erase, "--dry-run", "--json"))
    assert (ahead["status"], ahead["in_the_way"], ahead["kept"]) == ("not_asked", [], [])
    assert "Aborted" in await own.payhub(*erase, code=1, typed="n\n")
    assert "erased" in await own.payhub(*erase, "--why", "case 12", typed="y\n")
    again = json.loads(await own.payhub(*erase, "--yes", "--json"))
    assert again["status"] == "erased" and again["erased_at"]
    rows = await own.admin.fetch("select about, why from audit_entries where what = 'key.destroyed'")
    assert [tuple(row) for row in rows] == [(person, "case 12")]
    stranger = str(uuid.uuid4())
    assert "There is no such person" in await own.payhub("privacy", "erase", "acme", stranger, "--yes", code=1)
    assert "is not a valid UUID" in await own.payhub("privacy", "erase", "acme", "ana", "--yes", code=2)


async def test_whoever_has_money_is_not_erased_and_it_is_said_what_to_do_first(own: Own) -> None:
    person = await seeded(own, 500)
    said = json.loads(await own.payhub("privacy", "erase", "acme", person, "--yes", "--json", code=1))
    assert [code for code, _, _ in said["in_the_way"]] == ["balance_left"]
    assert [law.split(",")[0] for _, law, _ in said["kept"]] == ["Circular BCB 3.978/2020"] * 2
    assert await own.admin.fetchval("select count(*) from erasures") == 0
    assert await own.admin.fetchval("select status from persons where id = $1", person) == 0


async def test_a_column_that_nobody_classified_is_named(own: Own) -> None:
    assert await own.payhub("privacy", "check") == "Every column of both databases is classified.\n"
    await own.admin.execute("alter table profiles add column mother text")
    said = await own.payhub("privacy", "check", code=1)
    assert said == "column profiles.mother is not classified\n"


async def test_the_record_and_an_incidents_drafts_say_who_answers(own: Own, tmp_path: Path) -> None:
    await own.payhub(
        *("privacy", "controller", "acme", "--name", "Acme Pagamentos S.A.", "--document", "12.345.678/0001-90"),
        *("--officer", "Maria Souza", "--officer-contact", "encarregada@acme.example"),
    )
    page = await own.payhub("privacy", "record", "acme")
    assert "Acme Pagamentos S.A." in page and "Maria Souza" in page
    record = json.loads(await own.payhub("privacy", "record", "acme", "--language", "en", "--json"))
    assert record["controller"]["name"] == "Acme Pagamentos S.A."
    await seeded(own, 500)
    folder = tmp_path / "incident"
    known = (
        "--known-at",
        "2026-03-02T12:00-03:00",
        "--from",
        "2026-03-01T12:00-03:00",
        "--to",
        "2099-01-01T00:00-03:00",
    )
    said = await own.payhub("privacy", "incident", "acme", *known, "--what", "A copy got out.", "--into", str(folder))
    assert "persons" in said
    files = {file.name: file.read_text() for file in await asyncio.to_thread(lambda: sorted(folder.iterdir()))}
    assert set(files) == {"anpd.md", "incident.json", "persons.csv", "titulares.md"}
    assert "12.345.678/0001-90" in files["anpd.md"] and "Maria Souza" in files["titulares.md"]
    # The operator, and the two whom `seed` opened.
    assert len(files["persons.csv"].splitlines()) == 1 + json.loads(files["incident.json"])["persons"]
    listed = json.loads(await own.payhub("privacy", "incidents", "acme", "--json"))
    assert len(listed["incidents"]) == 1
    done = json.loads(await own.payhub("privacy", "retention", "--json"))
    assert (done["erased"], done["failed"]) == (0, [])

"""What is done with keys gets into the trail once, whichever database fails and when; who was erased stays so."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from core.audit.trail import NOBODY, By, Entry, read_trail
from core.database import Pool, in_tenant, open_pool
from core.errors import KeysUnavailable
from core.keys import erasing, telling
from core.keys.cipher import Erased
from core.keys.erasing import erase, replay
from core.keys.master import Master
from core.keys.safe import Safe
from core.keys.telling import tell, tell_all
from core.people.opening import Tenant
from tests.conftest import PAST_TRIGGERS, Database
from tests.core.keys.weather import Weathered, somebody

BY = By(somebody(), somebody(), "203.0.113.0/24")


@pytest_asyncio.fixture
async def keys_admin(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.keys_admin_url, size_max=2, name="payhub-tests")
    yield pool
    await pool.close()


async def trail(pool: Pool, tenant: Tenant, about: str) -> list[tuple[str, dict[str, Any] | None]]:
    return [(entry.what, entry.details) for entry in reversed(await read_trail(pool, tenant.id, 100, about=about))]


async def entry_of(pool: Pool, tenant: Tenant, about: str) -> Entry:
    return (await read_trail(pool, tenant.id, 1, about=about))[0]


async def erased_in_the_ledger(pool: Pool, tenant: Tenant, person: str) -> bool:
    async with in_tenant(pool, tenant.id) as connection:
        return bool(await connection.fetchval("select true from erased_persons where person_id = $1", person))


async def test_a_key_is_in_the_trail_from_its_making_to_its_destruction(pool: Pool, keys: Safe, tenant: Tenant) -> None:
    person = somebody()
    await keys.one(tenant.id, person, create=True)
    await tell_all(pool, keys.pool)
    destroyed = await erase(pool, keys, tenant.id, person, BY, "asked for it")
    assert await trail(pool, tenant, person) == [
        ("key.made", {"level": "person", "version": 1}),
        ("key.destroyed", None),
    ]
    entry = await entry_of(pool, tenant, person)
    assert (entry.who, entry.session_id, entry.network, entry.why) == (*BY, "asked for it")
    assert entry.at == destroyed.at
    assert await erased_in_the_ledger(pool, tenant, person)
    await erase(pool, keys, tenant.id, person, NOBODY)
    assert len(await trail(pool, tenant, person)) == 2
    made = [one for one in await read_trail(pool, tenant.id, 100, what="key.made") if one.about != person]
    assert [one.details for one in made] == [{"level": "tenant", "purpose": "persons"}]


async def test_who_is_told_at_once_is_told_once(pool: Pool, keys: Safe, tenant: Tenant) -> None:
    people = [somebody() for _ in range(200)]
    await keys.of(tenant.id, people, create=True)
    await asyncio.gather(*(tell(pool, keys.pool, 17) for _ in range(8)))
    await tell_all(pool, keys.pool)
    entries = await read_trail(pool, tenant.id, 1_000, what="key.made")
    assert sorted(entry.about or "" for entry in entries if (entry.details or {})["level"] == "person") == sorted(
        people
    )


async def test_a_ledger_that_fails_loses_no_note_and_one_that_fails_late_doubles_none(
    pool: Pool, keys: Safe, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = somebody()
    await keys.one(tenant.id, person, create=True)
    with monkeypatch.context() as patch:
        patch.setattr(
            telling,
            "NOTE",
            "select 1/0, $1::int[], $2::text[], $3::text[], $4::text[], $5::text[],"
            " $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]",
        )
        with pytest.raises((asyncpg.PostgresError, asyncpg.DataError)):
            await tell(pool, keys.pool)
    assert await trail(pool, tenant, person) == []
    with monkeypatch.context() as patch:
        # The trail has it, and then the database of keys fails.
        patch.setattr(telling, "DROP", "select 1/0, $1::int[], $2::timestamptz[], $3::uuid[]")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tell(pool, keys.pool)
    assert len(await trail(pool, tenant, person)) == 1
    assert await tell_all(pool, keys.pool) > 0
    assert len(await trail(pool, tenant, person)) == 1
    assert await tell_all(pool, keys.pool) == 0


async def test_an_erasure_is_done_even_if_the_trail_cannot_be_told_and_told_later(
    pool: Pool, keys: Safe, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = somebody()
    await keys.one(tenant.id, person, create=True)

    async def away(*_: object) -> int:
        raise KeysUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "tell_all", away)
        await erase(pool, keys, tenant.id, person, BY)
    assert isinstance(await keys.one(tenant.id, person), Erased)
    assert not await erased_in_the_ledger(pool, tenant, person)
    await tell_all(pool, keys.pool)
    assert await erased_in_the_ledger(pool, tenant, person)
    assert (await entry_of(pool, tenant, person)).who == BY.person_id


async def test_keys_that_come_back_out_of_a_backup_are_destroyed_again(
    pool: Pool, keys: Safe, store: Pool, weathered: Weathered, keys_admin: Pool, tenant: Tenant, other_tenant: Tenant
) -> None:
    person, neighbour = somebody(), somebody()
    ciphers = await keys.of(tenant.id, [person, neighbour], create=True)
    sealed = {one: ciphers[one].seal("t", "c", "r", one) for one in ciphers}
    kept = await keys_admin.fetch("select * from person_keys where tenant_id = $1", tenant.id)
    await erase(pool, keys, tenant.id, person, BY)
    # As a backup from before would have it.
    await keys_admin.execute("update holders set destroyed_at = null where person_id = $1", person)
    await keys_admin.executemany(
        "insert into person_keys values ($1, $2, $3, $4, $5, $6) on conflict do nothing", [tuple(row) for row in kept]
    )
    back = Safe(store, Master(weathered))
    assert (await back.one(tenant.id, person)).open("t", "c", "r", sealed[person]) == person

    replayed = await replay(pool, back)
    assert replayed.destroyed == 1
    assert (await back.one(tenant.id, person)).open("t", "c", "r", sealed[person]) is None
    assert (await back.one(tenant.id, neighbour)).open("t", "c", "r", sealed[neighbour]) == neighbour
    assert (await entry_of(pool, tenant, person)).why == erasing.REPLAYED
    # The same person id in another tenant is somebody else.
    assert not isinstance(await back.one(other_tenant.id, person, create=True), Erased)
    assert await replay(pool, back) == (0, 0)


async def test_a_ledger_that_comes_back_out_of_a_backup_learns_again_who_was_erased(
    pool: Pool, admin: Pool, keys: Safe, tenant: Tenant
) -> None:
    person = somebody()
    await keys.one(tenant.id, person, create=True)
    destroyed = await erase(pool, keys, tenant.id, person, BY)
    async with admin.acquire() as connection, connection.transaction():
        await connection.execute(PAST_TRIGGERS)
        await connection.execute("delete from erased_persons where person_id = $1", person)
        gone = "delete from audit_entries where about = $1 and what = 'key.destroyed' returning id"
        await connection.execute("delete from audit_unlogged where id = $1", await connection.fetchval(gone, person))
    assert (await replay(pool, keys)).remembered == 1
    assert await erased_in_the_ledger(pool, tenant, person)
    entry = await entry_of(pool, tenant, person)
    assert (entry.what, entry.at, entry.why) == ("key.destroyed", destroyed.at, erasing.REPLAYED)
    assert (await replay(pool, keys)).remembered == 0


async def test_thousands_are_replayed_page_by_page(
    pool: Pool, keys: Safe, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, keys_admin: Pool
) -> None:
    people = [somebody() for _ in range(25)]
    await keys.of(tenant.id, people, create=True)
    for person in people:
        await erase(pool, keys, tenant.id, person, NOBODY)
    await keys_admin.execute("update holders set destroyed_at = null where person_id = any ($1)", people)
    monkeypatch.setattr(erasing, "PAGE", 4)
    assert (await replay(pool, keys)).destroyed == 25


async def test_notes_hold_no_key(keys: Safe, keys_admin: Pool, tenant: Tenant) -> None:
    person = somebody()
    await keys.one(tenant.id, person, create=True)
    wrapped = await keys_admin.fetchval("select wrapped from person_keys where person_id = $1", person)
    notes = await keys_admin.fetch("select * from key_events where tenant_id = $1", tenant.id)
    text = json.dumps([list(map(str, note)) for note in notes])
    assert wrapped.hex() not in text
    assert str(wrapped) not in text

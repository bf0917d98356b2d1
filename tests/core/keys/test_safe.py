"""The safe: keys are made once, kept for a moment, bound to their place, and gone for good when they are destroyed."""

import asyncio
import random
import secrets
import time
from pathlib import Path

import pytest

from core.audit.trail import NOBODY
from core.database import Pool, open_pool
from core.errors import KeysRefused, KeysUnavailable, PersonErased, SealBroken
from core.keys import store as module
from core.keys.choosing import Choice, open_safe
from core.keys.cipher import Cipher, Erased
from core.keys.master import Master
from core.keys.safe import KEPT_S, Safe
from core.people.opening import Tenant
from tests.conftest import Database
from tests.core.keys.weather import Weathered, somebody

PLACE = ("profiles", "display_name", "row-1")


async def test_what_is_sealed_opens_in_another_process(keys: Safe, database: Database, master_key_file: Path) -> None:
    tenant, person = 70_001, somebody()
    sealed = (await keys.one(tenant, person, create=True)).seal(*PLACE, "Ana Souza")
    assert b"Ana" not in sealed
    other = await open_safe(Choice(database.keys_url, "local", master_key_file), name="payhub-tests")
    try:
        assert (await other.one(tenant, person)).open(*PLACE, sealed) == "Ana Souza"
    finally:
        await other.close()


async def test_a_key_is_made_once_however_many_ask(store: Pool, weathered: Weathered, tenant: Tenant) -> None:
    people = [somebody() for _ in range(20)]
    safes = [Safe(store, Master(weathered)) for _ in range(8)]
    answers = await asyncio.gather(*(safe.of(tenant.id, people, create=True) for safe in safes))
    for person in people:
        sealed = answers[0][person].seal(*PLACE, person)
        assert [answer[person].open(*PLACE, sealed) for answer in answers] == [person] * len(safes)


async def test_nobody_gets_a_key_unasked(keys: Safe, tenant: Tenant) -> None:
    person = somebody()
    nobody = await keys.one(tenant.id, person)
    assert isinstance(nobody, Erased)
    assert nobody.destroyed_at is None
    with pytest.raises(PersonErased):
        nobody.seal(*PLACE, "something")
    assert not isinstance(await keys.one(tenant.id, person, create=True), Erased)


@pytest.mark.parametrize("plain", ["", "a", "Ünïcödé 🙂", "x" * 100_000])
def test_a_text_comes_back_as_it_was(plain: str) -> None:
    cipher = Cipher(1, somebody(), 1, {1: secrets.token_bytes(32)})
    assert cipher.open(*PLACE, cipher.seal(*PLACE, plain)) == plain
    assert cipher.open_bytes(*PLACE, cipher.seal(*PLACE, b"\x00\xff")) == b"\x00\xff"
    assert cipher.seal(*PLACE, None) is None
    assert cipher.open(*PLACE, None) is None


def test_the_same_text_is_never_sealed_alike() -> None:
    cipher = Cipher(1, somebody(), 1, {1: secrets.token_bytes(32)})
    assert len({cipher.seal(*PLACE, "Ana") for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    ("tenant", "person", "table", "column", "row"),
    [
        (2, "p", "t", "c", "r"),
        (1, "q", "t", "c", "r"),
        (1, "p", "u", "c", "r"),
        (1, "p", "t", "d", "r"),
        (1, "p", "t", "c", "s"),
        (1, "p", "t", "c|r", ""),
    ],
)
def test_what_was_moved_does_not_open(tenant: int, person: str, table: str, column: str, row: str) -> None:
    key = secrets.token_bytes(32)
    sealed = Cipher(1, "p", 1, {1: key}).seal("t", "c", "r", "Ana")
    with pytest.raises(SealBroken):
        Cipher(tenant, person, 1, {1: key}).open(table, column, row, sealed)


def test_no_bit_of_what_is_sealed_can_be_changed() -> None:
    key = secrets.token_bytes(32)
    # The same key under two versions, so that the version is what makes the difference.
    cipher = Cipher(1, "p", 1, dict.fromkeys((0, 1, 2, 3, 5, 9, 17, 33, 65, 129), key) | {1: key, 257: key})
    sealed = cipher.seal(*PLACE, "Ana Souza")
    for at in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            try:
                assert cipher.open(*PLACE, bytes(changed)) is None, (at, bit)
            except SealBroken:
                continue
            assert at in {1, 2}, "only an unknown version reads as a lost key"
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            cipher.open(*PLACE, sealed[:length])


def test_a_key_that_was_lost_reads_as_nothing() -> None:
    sealed = Cipher(1, "p", 2, {2: secrets.token_bytes(32)}).seal(*PLACE, "Ana")
    assert Cipher(1, "p", 1, {1: secrets.token_bytes(32)}).open(*PLACE, sealed) is None


async def test_who_was_erased_is_nobody_everywhere_within_a_second(
    store: Pool, weathered: Weathered, tenant: Tenant
) -> None:
    person = somebody()
    here, there = Safe(store, Master(weathered)), Safe(store, Master(weathered))
    sealed = (await here.one(tenant.id, person, create=True)).seal(*PLACE, "Ana")
    assert (await there.one(tenant.id, person)).open(*PLACE, sealed) == "Ana"
    began = time.monotonic()
    destroyed = await here.destroy(tenant.id, person, NOBODY, "asked for it")
    assert destroyed.is_new
    assert (await here.one(tenant.id, person)).open(*PLACE, sealed) is None
    while (await there.one(tenant.id, person)).open(*PLACE, sealed) is not None:
        await asyncio.sleep(0.01)
    assert time.monotonic() - began < 1.0
    for safe in (here, there):
        erased = await safe.one(tenant.id, person, create=True)
        assert isinstance(erased, Erased)
        assert erased.destroyed_at == destroyed.at
    again = await there.destroy(tenant.id, person, NOBODY)
    assert not again.is_new
    assert again.at == destroyed.at


async def test_a_key_is_never_made_again_whoever_races(store: Pool, weathered: Weathered, tenant: Tenant) -> None:
    people = [somebody() for _ in range(60)]
    safes = [Safe(store, Master(weathered)) for _ in range(4)]
    await safes[0].one(tenant.id, somebody(), create=True)

    async def make(safe: Safe) -> None:
        for person in people:
            await safe.one(tenant.id, person, create=True)

    async def destroy() -> None:
        for person in people:
            await safes[0].destroy(tenant.id, person, NOBODY)

    await asyncio.gather(destroy(), *(make(safe) for safe in safes[1:]))
    found = await Safe(store, Master(weathered)).of(tenant.id, people, create=True)
    assert all(isinstance(one, Erased) for one in found.values())
    async with store.acquire() as connection:
        await connection.execute("select set_config('payhub.tenant_id', $1, false)", str(tenant.id))
        left = await connection.fetchval("select count(*) from person_keys where person_id = any ($1)", people)
        await connection.execute("reset all")
    assert left == 0


async def test_kept_keys_are_as_many_as_there_is_room_for(store: Pool, weathered: Weathered, tenant: Tenant) -> None:
    safe = Safe(store, Master(weathered), kept_max=10, kept_s=60)
    people = [somebody() for _ in range(25)]
    await safe.of(tenant.id, people, create=True)
    assert len(safe._persons) == 10
    assert len(await safe.of(tenant.id, people)) == 25


async def test_a_kept_key_asks_nobody(store: Pool, weathered: Weathered, tenant: Tenant) -> None:
    safe = Safe(store, Master(weathered), kept_s=60)
    person = somebody()
    await safe.one(tenant.id, person, create=True)
    weathered.asked = 0
    safe.pool = None  # type: ignore[assignment]
    assert (await safe.one(tenant.id, person)).person_id == person
    assert weathered.asked == 0


async def test_the_key_service_is_asked_once_for_many(store: Pool, weathered: Weathered, tenant: Tenant) -> None:
    people = [somebody() for _ in range(30)]
    await Safe(store, Master(weathered)).of(tenant.id, people, create=True)
    weathered.asked = 0
    safe = Safe(store, Master(weathered))
    await asyncio.gather(*(safe.one(tenant.id, person) for person in people))
    assert weathered.asked == 1


async def test_who_asks_at_once_is_answered_together_and_who_leaves_takes_nobody_along(
    store: Pool, weathered: Weathered, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [somebody() for _ in range(200)]
    await Safe(store, Master(weathered)).of(tenant.id, people, create=True)
    safe = Safe(store, Master(weathered))
    calls: list[int] = []
    real = module.read_person_keys

    async def read(pool: Pool, tenant_id: int, person_ids: list[str]) -> object:
        calls.append(len(person_ids))
        await asyncio.sleep(0.05)
        return await real(pool, tenant_id, person_ids)

    monkeypatch.setattr(module, "read_person_keys", read)
    asking = [asyncio.create_task(safe.one(tenant.id, person)) for person in people]
    same = [asyncio.create_task(safe.one(tenant.id, people[-1])) for _ in range(10)]
    await asyncio.sleep(0.02)
    same[0].cancel()
    asking[7].cancel()
    answers = await asyncio.gather(*asking, *same, return_exceptions=True)
    left = [one for one in answers if isinstance(one, asyncio.CancelledError)]
    assert len(left) == 2
    assert all(isinstance(one, Cipher) and not isinstance(one, Erased) for one in answers if one not in left)
    assert sum(calls) == len(people)
    assert len(calls) <= 3


async def test_nobody_is_forgotten_who_comes_at_whatever_moment(
    keys: Safe, weathered: Weathered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gathering alone, on a loop with nothing to wait for: every order of steps comes up."""
    safe = Safe(keys.pool, Master(weathered), kept_s=0)

    async def fetch(tenant_id: int, person_ids: list[str], *, create: bool) -> dict[str, Cipher]:
        await asyncio.sleep(0)
        return {person: Cipher(tenant_id, person, 1, {}) for person in person_ids}

    monkeypatch.setattr(safe, "_fetch", fetch)
    dice = random.Random(7)

    async def ask(at: int) -> None:
        for _ in range(500):
            for _ in range(dice.randrange(6)):
                await asyncio.sleep(0)
            assert (await safe.one(1, f"p{at}")).person_id == f"p{at}"

    async with asyncio.timeout(30):
        await asyncio.gather(*(ask(at) for at in range(4)))
        while safe._fetching:
            await asyncio.sleep(0)
    assert not any(safe._wanted.values())


async def test_when_a_call_fails_everybody_who_waits_is_told_and_the_next_one_is_made(
    store: Pool, weathered: Weathered, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [somebody() for _ in range(5)]
    safe = Safe(store, Master(weathered), kept_s=0)
    await safe.of(tenant.id, people, create=True)

    async def fail(*_: object) -> object:
        await asyncio.sleep(0.01)
        raise KeysUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(module, "read_person_keys", fail)
        answers = await asyncio.gather(*(safe.one(tenant.id, one) for one in people), return_exceptions=True)
    assert [type(one) for one in answers] == [KeysUnavailable] * 5
    assert len(await safe.of(tenant.id, people)) == 5
    closing = asyncio.create_task(safe.one(tenant.id, people[0]))
    await asyncio.sleep(0)
    for task in list(safe._fetching.values()):
        task.cancel()
    with pytest.raises(KeysUnavailable):
        await closing


async def test_while_the_key_service_is_away_what_is_kept_goes_on(
    store: Pool, weathered: Weathered, tenant: Tenant
) -> None:
    kept_s = 4.0
    safe = Safe(store, Master(weathered), tenant_kept_s=kept_s)
    began = time.monotonic()
    person, other = somebody(), somebody()
    await safe.one(tenant.id, person, create=True)
    hash_before = await safe.index(tenant.id, "login", "ana")
    weathered.is_away = True
    # The tenant's key is still here: a person's own can be opened, and even made.
    await asyncio.sleep(KEPT_S)
    assert not isinstance(await safe.one(tenant.id, person), Erased)
    await asyncio.sleep(began + kept_s + KEPT_S - time.monotonic())
    for asked in (
        safe.one(tenant.id, person),
        safe.one(tenant.id, other, create=True),
        safe.index(tenant.id, "a", "b"),
    ):
        with pytest.raises(KeysUnavailable):
            await asked
    # Nobody waits for it to be asked again and again.
    weathered.asked = 0
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(KeysUnavailable):
            await safe.one(tenant.id, person)
    assert weathered.asked <= 1 + int(time.monotonic() - began)
    weathered.is_away = False
    await asyncio.sleep(1.05)
    assert not isinstance(await safe.one(tenant.id, person), Erased)
    assert await safe.index(tenant.id, "login", "ana") == hash_before


async def test_another_master_key_is_refused_with_a_sentence(keys: Safe, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(secrets.token_bytes(32))
    with pytest.raises(KeysRefused, match=f"The master key that wrapped this is not in {path}"):
        await open_safe(Choice(database.keys_url, "local", path), name="payhub-tests")
    path.write_bytes(b"no key")
    with pytest.raises(KeysRefused, match="holds 6 bytes"):
        await open_safe(Choice(database.keys_url, "local", path), name="payhub-tests")


async def test_hashes_are_the_tenants_the_fields_and_the_values(
    keys: Safe, tenant: Tenant, other_tenant: Tenant
) -> None:
    one = await keys.index(tenant.id, "login", "ana")
    assert len(one) == 32
    assert await keys.index(tenant.id, "login", "ana") == one
    others = [
        await keys.index(other_tenant.id, "login", "ana"),
        await keys.index(tenant.id, "email", "ana"),
        await keys.index(tenant.id, "login", "bruno"),
        await keys.index(tenant.id, "login\x00a", "na"),
    ]
    assert len({one, *others}) == 5


async def test_a_persons_key_that_was_moved_does_not_open(
    keys: Safe, database: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    one, other = somebody(), somebody()
    await keys.of(tenant.id, [one, other], create=True)
    admin = await open_pool(database.keys_admin_url, size_max=1, name="payhub-tests")
    try:
        await admin.execute(
            "update person_keys set wrapped = (select wrapped from person_keys where person_id = $1) where person_id = $2",
            one,
            other,
        )
        keys.forget(tenant.id, other)
        with pytest.raises(SealBroken):
            await keys.one(tenant.id, other)
    finally:
        await admin.close()
    assert not isinstance(await keys.one(tenant.id, one), Erased)

"""Keys of every level are replaced while people go on reading and writing: nobody meets an error, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from config.settings import ensure_master_key
from core.audit.trail import NOBODY, read_trail
from core.database import Pool, in_tenant, open_pool
from core.errors import KeysRefused
from core.keys import rotating
from core.keys.cipher import version_of
from core.keys.erasing import erase
from core.keys.local import LocalKeys, split
from core.keys.master import Master
from core.keys.places import DISPLAY_NAME, PLACES, Place
from core.keys.rotating import (
    forget_old_master,
    list_everybody,
    rotate_master,
    rotate_persons,
    rotate_tenant,
)
from core.keys.safe import Safe
from core.keys.services import KeyService
from core.keys.telling import tell_all
from core.payments.charges import Asked, create_charge, list_charges
from core.people.credentials import check_password
from core.people.opening import Opened, Tenant, open_people, open_person
from core.people.persons import Role, read_payee_names, read_person
from tests.conftest import Database
from tests.core.keys.weather import Weathered, somebody

PASSWORD = "correct horse battery"


@pytest_asyncio.fixture
async def keys_admin(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.keys_admin_url, size_max=2, name="payhub-tests")
    yield pool
    await pool.close()


class Crowd:
    """People of a tenant whose names and charges are read and written without a pause, in several processes' ways."""

    def __init__(self, pool: Pool, safes: list[Safe], tenant: Tenant, people: list[Opened]) -> None:
        self.pool, self.safes, self.tenant = pool, safes, tenant
        self.names = {one.account_id: f"Person {at}" for at, one in enumerate(people)}
        self.people = people
        self.done = 0
        self.charges: list[str] = []

    async def while_(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do this under load, and a while longer. Whatever goes wrong with the load is raised."""
        users = [asyncio.create_task(self._use(safe)) for safe in self.safes]
        try:
            await work()
            await asyncio.sleep(0.5)
        finally:
            for user in users:
                user.cancel()
        for outcome in await asyncio.gather(*users, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError), outcome
        assert self.done > 5

    async def _use(self, safe: Safe) -> None:
        at = 0
        while True:
            at += 1
            one = self.people[at % len(self.people)]
            found = await read_payee_names(self.pool, safe, self.tenant.id, list(self.names))
            assert found == self.names
            charge = Asked(somebody(), one.account_id, 100, f"No. {at}", f"ref {at}", False, None)
            made = await create_charge(self.pool, safe, self.tenant.id, one.person_id, charge)
            assert (made.description, made.reference) == (charge.description, charge.reference)
            self.charges.append(made.id)
            fresh = await open_person(self.pool, safe, self.tenant.id, Role.CUSTOMER, f"Fresh {at}")
            assert (await read_person(self.pool, safe, self.tenant.id, fresh.person_id)).display_name == f"Fresh {at}"
            self.done += 1

    async def everything_reads(self, safe: Safe) -> None:
        assert await read_payee_names(self.pool, safe, self.tenant.id, list(self.names)) == self.names
        texts = set()
        for one in self.people:
            for charge in await list_charges(self.pool, safe, self.tenant.id, one.account_id, None, None, 10_000):
                assert charge.description is not None
                assert charge.reference is not None
                texts.add(charge.id)
        # One more may have been made by somebody who was stopped before he could say so.
        assert texts >= set(self.charges)


@pytest_asyncio.fixture
async def crowd(pool: Pool, store: Pool, weathered: Weathered, tenant: Tenant) -> Crowd:
    safes = [Safe(store, Master(weathered)) for _ in range(3)]
    people = await open_people(pool, safes[0], tenant.id, Role.MERCHANT, [f"Person {at}" for at in range(12)])
    return Crowd(pool, safes, tenant, people)


async def test_a_tenants_key_is_replaced_under_load(
    crowd: Crowd, keys: Safe, keys_admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "BATCH", 5)
    tenant_id = crowd.tenant.id
    before = await keys_admin.fetchval(
        "select id::text from tenant_keys where tenant_id = $1 and purpose = 0", tenant_id
    )
    counts = []
    for _ in range(3):
        await crowd.while_(lambda: rotate_tenant(keys, tenant_id, lambda done, total: counts.append((done, total))))
    left = await keys_admin.fetch("select id::text from tenant_keys where tenant_id = $1 and purpose = 0", tenant_id)
    assert len(left) == 1
    assert left[0]["id"] != before
    assert counts
    assert all(0 < done <= total for done, total in counts)
    await crowd.everything_reads(keys)
    await tell_all(crowd.pool, keys.pool)
    turned = await read_trail(crowd.pool, tenant_id, 10, what="key.rotated")
    assert [(one.details or {})["level"] for one in turned] == ["tenant"] * 3
    assert len(await read_trail(crowd.pool, tenant_id, 10, what="key.retired")) == 3


async def test_a_rotation_of_a_tenant_that_broke_off_is_finished(
    crowd: Crowd, keys: Safe, keys_admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_id = crowd.tenant.id
    monkeypatch.setattr(rotating, "BATCH", 5)

    def break_off(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotate_tenant(keys, tenant_id, break_off)
    mixed = await keys_admin.fetchval(
        "select count(distinct tenant_key) from person_keys where tenant_id = $1", tenant_id
    )
    assert mixed == 2
    await crowd.everything_reads(crowd.safes[0])
    assert await rotate_tenant(keys, tenant_id) == 7
    assert (
        await keys_admin.fetchval("select count(*) from tenant_keys where tenant_id = $1 and purpose = 0", tenant_id)
        == 1
    )
    await crowd.everything_reads(crowd.safes[1])


async def test_persons_keys_are_replaced_and_all_that_is_theirs_sealed_anew_under_load(
    crowd: Crowd, keys: Safe, admin: Pool, keys_admin: Pool
) -> None:
    tenant_id = crowd.tenant.id
    persons = [one.person_id for one in crowd.people]
    sealed: list[int] = []

    async def rotate() -> None:
        sealed.append(await rotate_persons(keys, admin, tenant_id, persons, settle_s=2.0))

    await crowd.while_(rotate)
    await crowd.while_(rotate)
    assert all(count > len(persons) for count in sealed)
    rows = await keys_admin.fetch(
        "select version, count(*) from person_keys where tenant_id = $1 and person_id = any ($2) group by version",
        tenant_id,
        persons,
    )
    assert [tuple(row) for row in rows] == [(3, len(persons))]
    async with in_tenant(admin, tenant_id) as connection:
        for query in (
            "select display_name_sealed from profiles where tenant_id = $1 and person_id = any ($2)",
            "select description_sealed from charges where tenant_id = $1 and payee in"
            " (select id from accounts where tenant_id = $1 and person_id = any ($2))",
        ):
            for row in await connection.fetch(query, tenant_id, persons):
                assert version_of(row[0]) == 3
    for safe in (keys, *crowd.safes):
        await crowd.everything_reads(safe)
    await tell_all(crowd.pool, keys.pool)
    acts = [
        (one.what, (one.details or {})["version"])
        for one in reversed(await read_trail(crowd.pool, tenant_id, 10, about=persons[0]))
    ]
    assert acts == [
        ("key.made", 1),
        ("key.rotated", 2),
        ("key.retired", 1),
        ("key.rotated", 3),
        ("key.retired", 2),
    ]


async def test_where_rows_are_never_changed_the_old_key_stays(
    pool: Pool, keys: Safe, admin: Pool, keys_admin: Pool, tenant: Tenant
) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    kept = (Place(*DISPLAY_NAME[:-1], is_kept=True), *PLACES[1:])
    # Only the name as a field of theirs is sealed anew.
    assert await rotate_persons(keys, admin, tenant.id, [opened.person_id], settle_s=0, places=kept) == 1
    versions = "select version from person_keys where person_id = $1 order by version"
    assert [row[0] for row in await keys_admin.fetch(versions, opened.person_id)] == [1, 2]
    assert (await read_person(pool, keys, tenant.id, opened.person_id)).display_name == "Ana"
    assert (await keys.one(tenant.id, opened.person_id)).version == 2
    # Another time, everything may be changed: both old ones go.
    assert await rotate_persons(keys, admin, tenant.id, [opened.person_id], settle_s=0) == 2
    assert [row[0] for row in await keys_admin.fetch(versions, opened.person_id)] == [3]
    assert (await read_person(pool, keys, tenant.id, opened.person_id)).display_name == "Ana"


async def test_a_new_version_opens_before_it_seals(
    keys: Safe, store: Pool, weathered: Weathered, tenant: Tenant
) -> None:
    person = somebody()
    await keys.one(tenant.id, person, create=True)
    await rotating._add_versions(keys, tenant.id, [person])
    slow = Safe(store, Master(weathered), kept_s=60)
    assert (await slow.one(tenant.id, person)).version == 1
    await store.execute(rotating.SWITCH_PERSON_KEYS, tenant.id, [person], [2])
    keys.forget(tenant.id, person)
    newest = await keys.one(tenant.id, person)
    assert newest.version == 2
    # Whoever has not heard yet reads what is written by the new one already.
    assert (await slow.one(tenant.id, person)).open("t", "c", "r", newest.seal("t", "c", "r", "new")) == "new"


async def test_who_is_erased_in_the_middle_of_a_rotation_stays_so(
    pool: Pool, keys: Safe, admin: Pool, keys_admin: Pool, tenant: Tenant
) -> None:
    people = await open_people(pool, keys, tenant.id, Role.CUSTOMER, [f"Person {at}" for at in range(10)])
    persons = [one.person_id for one in people]
    rotation = asyncio.create_task(rotate_persons(keys, admin, tenant.id, persons, settle_s=1.0))
    for at, moment in ((0, 0.2), (1, 0.9), (2, 0.2), (3, 0.4)):
        await asyncio.sleep(moment)
        await erase(pool, keys, tenant.id, persons[at], NOBODY)
    # Each one's name, as others see it and as a field of theirs; and of whoever was erased a moment too late.
    assert await rotation >= 6 * 2
    for person in persons[:4]:
        assert (await read_person(pool, keys, tenant.id, person)).display_name is None
    assert await keys_admin.fetchval("select count(*) from person_keys where person_id = any ($1)", persons[:4]) == 0
    assert await list_everybody(keys, tenant.id) == sorted(persons[4:])


async def test_a_log_in_goes_on_through_all_rotations(pool: Pool, keys: Safe, admin: Pool, tenant: Tenant) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana", "ana", PASSWORD)
    await rotate_master(keys)
    await rotate_tenant(keys, tenant.id)
    await rotate_persons(keys, admin, tenant.id, [opened.person_id], settle_s=0)
    assert await check_password(pool, keys, tenant.id, "ana", PASSWORD) == opened.person_id


async def test_the_master_key_is_replaced_under_load_and_the_old_one_can_go(
    pool: Pool, own_store: Pool, tenant: Tenant, tmp_path: Path
) -> None:
    path = tmp_path / "master.key"
    ensure_master_key(path)
    # Short-lived copies, so that the master key is asked again and again.
    safes = [Safe(own_store, Master(LocalKeys(path)), tenant_kept_s=0.05) for _ in range(3)]
    people = await open_people(pool, safes[0], tenant.id, Role.MERCHANT, [f"Person {at}" for at in range(12)])
    crowd = Crowd(pool, safes, tenant, people)
    operators = Safe(own_store, Master(LocalKeys(path)))

    async def rotate() -> None:
        for _ in range(3):
            await operators.master.service.rotate()
            await asyncio.sleep(0.1)
            with pytest.raises(KeysRefused, match="still wrapped by an old master key"):
                await forget_old_master(operators)
            # What wraps the keys of persons, and what finds them.
            assert await rotate_master(operators) == 2
            await asyncio.sleep(0.1)
            assert await forget_old_master(operators) == 1

    first = await asyncio.to_thread(path.read_bytes)
    await crowd.while_(rotate)
    last = await asyncio.to_thread(path.read_bytes)
    assert len(split(last)) == 1
    assert last != first
    await crowd.everything_reads(Safe(own_store, Master(LocalKeys(path))))
    await asyncio.to_thread(path.write_bytes, first)
    with pytest.raises(KeysRefused, match="is not in"):
        await crowd.everything_reads(Safe(own_store, Master(LocalKeys(path))))


async def test_keys_move_to_another_key_service(own_store: Pool, tmp_path: Path, tenant: Tenant) -> None:
    """As when an operator changes PAYHUB_KEY_SERVICE: the former one opens until everything is wrapped by the new one."""
    former, chosen = LocalKeys(tmp_path / "former.key"), Weathered(LocalKeys(tmp_path / "chosen.key"))
    for name in ("former.key", "chosen.key"):
        ensure_master_key(tmp_path / name)
    chosen.name = "another"
    person = somebody()
    before = Safe(own_store, Master(former))
    sealed = (await before.one(tenant.id, person, create=True)).seal("t", "c", "r", "Ana")
    index = await before.index(tenant.id, "login", "ana")
    moving = Safe(own_store, Master(chosen, [former]))
    assert (await moving.one(tenant.id, person)).open("t", "c", "r", sealed) == "Ana"
    assert await rotate_master(moving) == 2
    after = Safe(own_store, Master(chosen))
    assert (await after.one(tenant.id, person)).open("t", "c", "r", sealed) == "Ana"
    assert await after.index(tenant.id, "login", "ana") == index
    with pytest.raises(KeysRefused, match="wrapped by another"):
        await Safe(own_store, Master(former)).one(tenant.id, person)


@pytest.mark.parametrize("service", ["local", "aws", "vault"], indirect=True)
async def test_every_key_service_holds_a_whole_safe_and_binds_each_key_to_its_tenant(
    service: KeyService, own_store: Pool, own_admin: Pool
) -> None:
    safe = Safe(own_store, Master(service), kept_s=0, tenant_kept_s=0)
    person = somebody()
    sealed = {tenant: (await safe.one(tenant, person, create=True)).seal("t", "c", "r", "Ana") for tenant in (1, 2)}
    index = await safe.index(1, "login", "ana")
    await service.rotate()
    # Two tenants' keys for persons, and one for hashes.
    assert await rotate_master(safe) == 3
    for tenant in (1, 2):
        assert (await safe.one(tenant, person)).open("t", "c", "r", sealed[tenant]) == "Ana"
    assert await safe.index(1, "login", "ana") == index

    moved = "update tenant_keys set wrapped = (select wrapped from tenant_keys where tenant_id = $1 and purpose = $2)"
    await own_admin.execute(f"{moved} where tenant_id = 2", 1, 0)
    with pytest.raises(KeysRefused):
        await safe.one(2, person)
    # Nor does one that hashes pass for one that wraps.
    await own_admin.execute(f"{moved} where tenant_id = 1 and purpose = 0", 1, 1)
    with pytest.raises(KeysRefused):
        await safe.one(1, person)
    assert await safe.index(1, "login", "ana") == index

import asyncio
import statistics
import threading
import time

import pytest
from argon2 import PasswordHasher

from core.database import Pool, in_tenant
from core.errors import CredentialsRefused, Overloaded
from core.keys.safe import Safe
from core.people import credentials
from core.people.credentials import (
    HASHER,
    HASHES_AT_ONCE_MAX,
    HASHES_WAITING_MAX,
    NOBODYS_HASH,
    check_password,
    hash_password,
    normalise_login,
)
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import PersonStatus, Role
from tests.core.people.standings import stand

PASSWORD = "correct horse battery"


async def open_ana(pool: Pool, keys: Safe, tenant: Tenant) -> Opened:
    return await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana", "Ana@Example.com", PASSWORD)


async def test_the_right_password_gives_the_person(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    ana = await open_ana(pool, keys, tenant)
    for login in ("ana@example.com", " ANA@EXAMPLE.COM\n"):
        assert await check_password(pool, keys, tenant.id, login, PASSWORD) == ana.person_id


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ana@example.com", PASSWORD + " "),
        ("ana@example.com", PASSWORD.upper()),
        ("ana@example.com", ""),
        ("ana@example.com", "x" * 1_000_000),
        ("ana@example.com", "\ud800" * 12),
        ("ana@example.com", "correct horse\x00battery"),
        ("rui@example.com", PASSWORD),
        ("", PASSWORD),
        ("a\x00b", PASSWORD),
        ("' or 1=1 --", PASSWORD),
        ("a" * 1_000_000, PASSWORD),
        ("\ud800", PASSWORD),
    ],
)
async def test_every_refusal_says_the_same(pool: Pool, tenant: Tenant, login: str, password: str, keys: Safe) -> None:
    await open_ana(pool, keys, tenant)
    with pytest.raises(CredentialsRefused) as refused:
        await check_password(pool, keys, tenant.id, login, password)
    assert str(refused.value) == str(CredentialsRefused())


async def test_another_tenants_login_is_refused(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    await open_ana(pool, keys, tenant)
    with pytest.raises(CredentialsRefused):
        await check_password(pool, keys, tenant.id + 1_000_000, "ana@example.com", PASSWORD)


async def test_a_person_who_is_closed_is_refused_and_others_are_not(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    ana = await open_ana(pool, keys, tenant)
    for status in (PersonStatus.BLOCKED, PersonStatus.PENDING):
        await stand(pool, tenant.id, ana.person_id, status)
        assert await check_password(pool, keys, tenant.id, "ana@example.com", PASSWORD) == ana.person_id
    await stand(pool, tenant.id, ana.person_id, PersonStatus.CLOSED)
    with pytest.raises(CredentialsRefused):
        await check_password(pool, keys, tenant.id, "ana@example.com", PASSWORD)


async def test_an_unknown_login_costs_as_much_as_a_wrong_password(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    await open_ana(pool, keys, tenant)

    async def cost(login: str) -> float:
        started = time.perf_counter()
        with pytest.raises(CredentialsRefused):
            await check_password(pool, keys, tenant.id, login, "wrong horse battery")
        return time.perf_counter() - started

    known, unknown = [], []
    for _ in range(9):
        known.append(await cost("ana@example.com"))
        unknown.append(await cost("nobody@example.com"))
    assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2


def test_nobodys_hash_has_the_cost_of_a_real_one_and_no_password() -> None:
    assert not HASHER.check_needs_rehash(NOBODYS_HASH)
    assert not credentials._verify(NOBODYS_HASH, PASSWORD)


async def test_a_hash_of_older_parameters_is_replaced_at_login(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    ana = await open_ana(pool, keys, tenant)
    cheap = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute("update credentials set password_hash = $2 where person_id = $1", ana.person_id, cheap)
    assert await check_password(pool, keys, tenant.id, "ana@example.com", PASSWORD) == ana.person_id
    async with in_tenant(pool, tenant.id) as connection:
        stored = await connection.fetchval("select password_hash from credentials where person_id = $1", ana.person_id)
    assert stored != cheap
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await check_password(pool, keys, tenant.id, "ana@example.com", PASSWORD) == ana.person_id


async def test_a_hash_that_is_no_hash_refuses(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    ana = await open_ana(pool, keys, tenant)
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute("update credentials set password_hash = '!' where person_id = $1", ana.person_id)
    with pytest.raises(CredentialsRefused):
        await check_password(pool, keys, tenant.id, "ana@example.com", PASSWORD)


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 129, "\ud800" * 20])
async def test_a_new_password_out_of_bounds_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="12 to 128"):
        await hash_password(password)


@pytest.mark.parametrize("password", ["x" * 12, "x" * 128, "senha com acentuação", "密码密码密码密码密码密码"])
async def test_a_new_password_within_bounds_is_hashed_with_argon2id(password: str) -> None:
    assert (await hash_password(password)).startswith("$argon2id$")


async def test_one_password_typed_on_two_keyboards_is_one(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Zé", "ze.silva", "paçoca de amendoim")
    typed = "pac\u0327oca de amendoim"
    assert await check_password(pool, keys, tenant.id, "ze.silva", typed) == opened.person_id


@pytest.mark.parametrize("login", ["", "ab", "-abc", "a b c", "josé", "x" * 101, "a\nb", "\u0430dmin"])
def test_a_login_that_is_not_plain_is_refused(login: str) -> None:
    with pytest.raises(ValueError, match="login"):
        normalise_login(login)


async def test_few_hashes_run_at_once_and_a_flood_is_turned_away() -> None:
    gate, running, most = threading.Event(), [0], [0]

    def work() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        gate.wait(10)
        running[0] -= 1

    hashing = credentials._Hashing()
    flood = [asyncio.ensure_future(hashing.run(work)) for _ in range(HASHES_AT_ONCE_MAX + HASHES_WAITING_MAX + 10)]
    await asyncio.sleep(0.1)
    refused = [one for one in flood if one.done()]
    assert len(refused) == 10
    assert all(isinstance(one.exception(), Overloaded) for one in refused)
    gate.set()
    await asyncio.gather(*flood, return_exceptions=True)
    assert most[0] == HASHES_AT_ONCE_MAX
    await hashing.run(work)


async def test_hashing_leaves_the_loop_free() -> None:
    turns = 0
    hashing = asyncio.gather(*(hash_password(PASSWORD) for _ in range(4)))
    while not hashing.done():
        await asyncio.sleep(0.001)
        turns += 1
    await hashing
    assert turns > 10

"""Guessing: slower with every wrong guess, alike for every login, and no stranger's guess is at a person's own cost."""

import asyncio
import datetime
import secrets
import uuid

import pytest

from core.database import Pool, in_tenant
from core.people.marking import Marks
from core.people.opening import Tenant
from core.people.throttles import (
    PACES,
    QUIET,
    Count,
    Kind,
    Throttled,
    count_attempt,
    count_log_in,
    count_proof,
    count_stranger,
    forget_counts,
    forgive,
)

NOW = datetime.datetime(2031, 5, 4, 12, 0, tzinfo=datetime.UTC)
MARKS = Marks(secrets.token_bytes(32))


def at(seconds: float) -> datetime.datetime:
    return NOW + datetime.timedelta(seconds=seconds)


def log_in(tenant: Tenant, login: str = "ana", device: str | None = None, address: str = "192.0.2.7") -> Count:
    return count_log_in(MARKS, tenant.id, login, device, address, "192.0.2.0/24")


async def wait(pool: Pool, count: Count, seconds: float = 0.0) -> float:
    """The seconds to wait; 0: the attempt was looked at, and was wrong."""
    try:
        await count_attempt(pool, count, now=at(seconds))
    except Throttled as throttled:
        return throttled.wait_s
    return 0.0


async def test_waits_grow_with_every_wrong_guess_up_to_an_hour(pool: Pool, tenant: Tenant) -> None:
    count, now, free = log_in(tenant), 0.0, 0
    waits: list[float] = []
    while len(waits) < 15:
        told = await wait(pool, count, now)
        free += not told and not waits
        if told:
            # Asking early is refused without a look, and costs nothing.
            assert abs(await wait(pool, count, now + told / 2) - told / 2) < 0.01
            waits.append(told)
            now += told
    assert free == PACES[Kind.LOGIN].free
    # Each as long as the one before and again, until as much is forgotten meanwhile as is added.
    assert [round(one) for one in waits[:6]] == [30, 60, 120, 240, 480, 960]
    assert min(waits[8:]) >= 1_800
    assert max(waits) <= 3_600


async def test_in_a_day_a_guesser_has_fewer_guesses_than_nist_allows(pool: Pool, tenant: Tenant) -> None:
    """From as many addresses as there are: SP 800-63B-4, 3.2.2 allows a hundred in a row."""
    now, guesses = 0.0, 0
    while now < 86_400:
        told = await wait(pool, log_in(tenant, address=str(guesses)), now)
        guesses += not told
        now += told or 0.1
    assert guesses < 60


async def test_a_thousand_guesses_at_once_are_a_thousand(pool: Pool, tenant: Tenant) -> None:
    answers = await asyncio.gather(*(wait(pool, log_in(tenant)) for _ in range(200)))
    assert sum(not one for one in answers) == PACES[Kind.LOGIN].free


async def test_a_known_device_is_kept_waiting_by_its_own_guesses_alone(pool: Pool, tenant: Tenant) -> None:
    device = str(uuid.uuid4())
    while not await wait(pool, log_in(tenant)):
        pass
    assert await wait(pool, log_in(tenant, address="198.51.100.1")) > 0
    assert [await wait(pool, log_in(tenant, device=device)) for _ in range(10)] == [0] * 10
    assert await wait(pool, log_in(tenant, device=device)) > 0
    # Nor does what it spends keep anybody else waiting.
    assert await wait(pool, log_in(tenant, "rui", address="198.51.100.1")) == 0


async def test_what_was_right_is_taken_back_and_nothing_else(pool: Pool, tenant: Tenant) -> None:
    """A success forgives no stranger's guesses: that they vanish would say that somebody was let in."""
    count = log_in(tenant)
    for _ in range(50):
        assert await wait(pool, count) == 0
        await forgive(pool, count)
    for _ in range(9):
        assert await wait(pool, count) == 0
    assert await wait(pool, count) == 0  # the tenth, which is right
    await forgive(pool, count)
    assert await wait(pool, count) == 0
    assert await wait(pool, count) > 0
    await forgive(pool, count)
    assert await wait(pool, count) == 0


@pytest.mark.parametrize(("vary", "kind"), [("login", Kind.ADDRESS), ("address", Kind.LOGIN), ("network", Kind.TENANT)])
async def test_each_of_login_address_network_and_tenant_is_counted(
    pool: Pool, tenant: Tenant, vary: str, kind: Kind
) -> None:
    """Whatever is varied, something stays the same, and that is what fills up."""
    most = PACES[kind].free
    kinds = {"login": (0, "a", "n"), "address": ("l", 0, 0), "network": (0, 0, 0)}[vary]

    def count(number: int) -> Count:
        login, address, network = (str(number) if part == 0 else str(part) for part in kinds)
        return count_log_in(MARKS, tenant.id, login, None, address, network)

    # As if this many had been wrong before.
    async with in_tenant(pool, tenant.id) as connection:
        first = count(0)
        await connection.execute(
            "insert into throttles (tenant_id, kind, key, level, at) values ($1, $2, $3, $4, $5)",
            tenant.id,
            kind,
            first.keys[first.kinds.index(kind)],
            float(most - 2),
            NOW,
        )
    assert [await wait(pool, count(number)) > 0 for number in range(1, 4)] == [False, False, True]


async def test_a_whole_network_and_a_whole_tenant_are_slowed_and_never_shut(pool: Pool, tenant: Tenant) -> None:
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute(
            "insert into throttles (tenant_id, kind, key, level, at) values ($1, $2, $3, $4, $5)",
            tenant.id,
            Kind.TENANT,
            log_in(tenant).keys[3],
            float(PACES[Kind.TENANT].free),
            NOW,
        )
    now, looked, longest = 0.0, 0, 0.0
    while looked < 200:
        count = count_log_in(MARKS, tenant.id, f"l {looked}", None, f"a {looked}", f"n {looked}")
        told = await wait(pool, count, now)
        looked += not told
        now += told
        longest = max(longest, told)
    # Five a second, whoever they come from; nobody is told to wait for long.
    assert 3 < looked / now < 8
    assert longest < 2


async def test_what_a_stranger_typed_is_nowhere(pool: Pool, tenant: Tenant) -> None:
    await wait(pool, log_in(tenant, login="my password, by mistake"))
    async with in_tenant(pool, tenant.id) as connection:
        rows = await connection.fetch("select throttles::text as row, key from throttles")
    assert len(rows) == 4
    assert not any("password" in row["row"] or "192.0.2" in row["row"] for row in rows)
    assert len({row["key"] for row in rows}) == 4


async def test_a_login_is_counted_as_it_is_looked_up(pool: Pool, tenant: Tenant, other_tenant: Tenant) -> None:
    spellings = ["ana", " ANA ", "Ana"]
    assert len({log_in(tenant, login=one).keys for one in spellings}) == 1
    assert not set(log_in(tenant).keys) & set(log_in(other_tenant).keys)
    for _ in range(4):
        for spelling in spellings:
            await wait(pool, log_in(tenant, login=spelling))
    assert await wait(pool, log_in(tenant)) > 0
    assert await wait(pool, log_in(other_tenant)) == 0


async def test_proofs_are_counted_by_person_and_known_device(pool: Pool, tenant: Tenant) -> None:
    ana, device = str(uuid.uuid4()), str(uuid.uuid4())
    strange, known = count_proof(MARKS, tenant.id, ana, None), count_proof(MARKS, tenant.id, ana, device)
    while not await wait(pool, strange):
        pass
    assert await wait(pool, known) == 0
    assert await wait(pool, count_proof(MARKS, tenant.id, str(uuid.uuid4()), None)) == 0
    assert count_stranger(MARKS, tenant.id, "a", None).kinds == (Kind.ADDRESS, Kind.NETWORK, Kind.TENANT)


async def test_counts_that_are_quiet_are_forgotten(pool: Pool, tenant: Tenant) -> None:
    old, recent = log_in(tenant, "old"), log_in(tenant, "recent")
    now = datetime.datetime.now(datetime.UTC)
    await count_attempt(pool, old, now=now - QUIET - datetime.timedelta(hours=1))
    await count_attempt(pool, recent, now=now)
    assert await forget_counts(pool, 1_000) >= 1
    async with in_tenant(pool, tenant.id) as connection:
        left = {row["key"] for row in await connection.fetch("select key from throttles")}
    assert left == set(recent.keys)

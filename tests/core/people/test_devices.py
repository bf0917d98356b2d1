"""Devices: known by their secret to their own person, and only as long as nobody has to doubt them."""

import datetime
import hashlib

import pytest
import pytest_asyncio

from core.audit.trail import Act, By, read_trail
from core.database import Pool, in_tenant
from core.errors import CredentialsRefused
from core.people.devices import DEVICE_SECRET, DEVICES_PER_PERSON_MAX, Device, find_device
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import PersonStatus, Role
from core.people.sessions import (
    Arrival,
    Ending,
    RefreshTokenReused,
    Started,
    end_sessions,
    read_session_start,
    revoke,
    rotate,
    start_session,
)
from tests.conftest import the_keys
from tests.core.people.standings import stand

NOW = datetime.datetime(2031, 5, 4, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


@pytest_asyncio.fixture
async def ana(pool: Pool, tenant: Tenant) -> Opened:
    return await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Ana", "ana", "correct horse battery")


@pytest_asyncio.fixture
async def rui(pool: Pool, tenant: Tenant) -> Opened:
    return await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Rui", "rui.dias", "correct horse battery")


async def log_in(
    pool: Pool, tenant: Tenant, person: Opened, secret: str | None = None, now: datetime.datetime | None = None
) -> tuple[Started, Device]:
    arrival = Arrival("payhub-native", "192.0.2.0/24", secret, proofs=("pwd",))
    started = await start_session(pool, tenant.id, person.person_id, arrival, now=now)
    assert started.device is not None
    return started, started.device


async def test_a_device_that_brings_its_secret_is_known_again(pool: Pool, tenant: Tenant, ana: Opened) -> None:
    _, first = await log_in(pool, tenant, ana)
    assert first.secret is not None
    assert DEVICE_SECRET.fullmatch(first.secret)
    _, again = await log_in(pool, tenant, ana, first.secret)
    assert (again.id, again.secret, again.is_new) == (first.id, None, False)
    _, other = await log_in(pool, tenant, ana)
    assert other.id != first.id
    assert await find_device(pool, the_keys(), tenant.id, "ana", first.secret) == first.id


async def test_only_the_hash_of_a_secret_is_stored_and_it_is_in_no_repr(
    pool: Pool, tenant: Tenant, ana: Opened
) -> None:
    started, device = await log_in(pool, tenant, ana)
    assert device.secret is not None
    async with in_tenant(pool, tenant.id) as connection:
        stored = await connection.fetchval("select secret_hash from devices")
    assert stored == hashlib.sha256(device.secret.encode()).digest()
    for thing in (started, device, Arrival("payhub-web", None, device.secret)):
        assert device.secret not in repr(thing)


async def test_somebody_elses_secret_is_like_none(
    pool: Pool, tenant: Tenant, other_tenant: Tenant, ana: Opened, rui: Opened
) -> None:
    _, anas = await log_in(pool, tenant, ana)
    there = await open_person(pool, the_keys(), other_tenant.id, Role.CUSTOMER, "Ana", "ana", "correct horse battery")
    assert anas.secret is not None
    for where, who in ((tenant, rui), (other_tenant, there)):
        _, made = await log_in(pool, where, who, anas.secret)
        assert made.is_new
        assert made.id != anas.id
    for where, login in ((tenant, "rui.dias"), (tenant, "nobody"), (other_tenant, "ana")):
        assert await find_device(pool, the_keys(), where.id, login, anas.secret) is None


@pytest.mark.parametrize(
    "secret", ["", "phd_", "phd_" + "A" * 43, "phr_" + "A" * 43, "phd_" + "A" * 42 + "\n", "\ud800"]
)
async def test_what_nobody_was_given_makes_a_new_device(pool: Pool, tenant: Tenant, ana: Opened, secret: str) -> None:
    assert (await log_in(pool, tenant, ana, secret))[1].is_new
    assert await find_device(pool, the_keys(), tenant.id, "ana", secret) is None


async def test_a_device_is_as_old_as_its_first_log_in(pool: Pool, tenant: Tenant, ana: Opened) -> None:
    _, device = await log_in(pool, tenant, ana, now=NOW)
    later, _ = await log_in(pool, tenant, ana, device.secret, now=NOW + HOUR)
    new, _ = await log_in(pool, tenant, ana, now=NOW + HOUR)
    unknown = await start_session(pool, tenant.id, ana.person_id, now=NOW + 2 * HOUR)
    began = [await read_session_start(pool, tenant.id, one.session_id) for one in (later, new, unknown)]
    assert began == [int((NOW + hours * HOUR).timestamp()) for hours in (0, 1, 2)]


async def test_a_session_that_is_ended_from_elsewhere_takes_its_device_along(
    pool: Pool, tenant: Tenant, ana: Opened
) -> None:
    here, _ = await log_in(pool, tenant, ana)
    by = By(ana.person_id, here.session_id)
    for end_all in (False, True):
        there, lost = await log_in(pool, tenant, ana)
        if end_all:
            ended = await end_sessions(pool, tenant.id, ana.person_id, by, Ending.BY_ITS_PERSON)
            assert there.session_id in ended
            assert here.session_id not in ended
        else:
            await revoke(pool, tenant.id, there.session_id, by, Ending.BY_ITS_PERSON)
        assert (await log_in(pool, tenant, ana, lost.secret))[1].is_new


async def test_a_log_out_leaves_the_device_known(pool: Pool, tenant: Tenant, ana: Opened) -> None:
    started, device = await log_in(pool, tenant, ana)
    await revoke(pool, tenant.id, started.session_id, By(ana.person_id, started.session_id))
    again, known = await log_in(pool, tenant, ana, device.secret)
    assert not known.is_new
    # Its other session on the same device is ended from there, and what asks is not made a stranger by it.
    await log_in(pool, tenant, ana, device.secret)
    by = By(ana.person_id, again.session_id)
    assert len(await end_sessions(pool, tenant.id, ana.person_id, by, Ending.BY_ITS_PERSON)) == 1
    assert not (await log_in(pool, tenant, ana, device.secret))[1].is_new


async def test_a_copied_refresh_token_makes_its_device_a_stranger(pool: Pool, tenant: Tenant, ana: Opened) -> None:
    started, device = await log_in(pool, tenant, ana, now=NOW)
    await rotate(pool, tenant.id, started.refresh_token, now=NOW)
    with pytest.raises(RefreshTokenReused):
        await rotate(pool, tenant.id, started.refresh_token, now=NOW + HOUR, network="198.51.100.0/24")
    assert (await log_in(pool, tenant, ana, device.secret))[1].is_new
    (entry,) = await read_trail(pool, tenant.id, 10, what=Act.SESSION_ENDED)
    assert (entry.about, entry.details, entry.network) == (
        started.session_id,
        {"how": "refresh_token_reused"},
        "198.51.100.0/24",
    )


async def test_beginnings_and_ends_are_written_down_once_each(pool: Pool, tenant: Tenant, ana: Opened) -> None:
    started, device = await log_in(pool, tenant, ana)
    by = By(ana.person_id, started.session_id, "192.0.2.0/24")
    for _ in range(3):
        await revoke(pool, tenant.id, started.session_id, by)
    entries = await read_trail(pool, tenant.id, 10)
    assert [(one.what, one.about, one.who, one.session_id, one.network) for one in reversed(entries)] == [
        ("session.started", started.session_id, *by),
        ("device.first_seen", device.id, *by),
        ("session.ended", started.session_id, *by),
    ]
    assert entries[2].details == {"door": "payhub-native", "proofs": ["pwd"], "device": device.id}


async def test_a_session_that_does_not_begin_leaves_nothing(pool: Pool, tenant: Tenant, ana: Opened) -> None:
    await stand(pool, tenant.id, ana.person_id, PersonStatus.CLOSED)
    with pytest.raises(CredentialsRefused):
        await log_in(pool, tenant, ana)
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from devices") == 0
    assert [entry.what for entry in await read_trail(pool, tenant.id, 10)] == ["person.status_set"]


async def test_of_too_many_devices_those_not_seen_for_longest_are_forgotten(
    pool: Pool, tenant: Tenant, ana: Opened
) -> None:
    _, oldest = await log_in(pool, tenant, ana, now=NOW - HOUR)
    _, kept = await log_in(pool, tenant, ana, now=NOW - HOUR)
    await log_in(pool, tenant, ana, kept.secret, now=NOW)
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute(
            "insert into devices (tenant_id, id, person_id, secret_hash, last_seen_at)"
            " select $1, gen_random_uuid(), $2, sha256(at::text::bytea), $3 from generate_series(1, $4) as at",
            tenant.id,
            ana.person_id,
            NOW,
            DEVICES_PER_PERSON_MAX - 2,
        )
    await log_in(pool, tenant, ana, now=NOW + HOUR)
    assert not (await log_in(pool, tenant, ana, kept.secret, now=NOW + HOUR))[1].is_new
    assert (await log_in(pool, tenant, ana, oldest.secret, now=NOW + HOUR))[1].is_new

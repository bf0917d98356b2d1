"""What a person sees of their sessions, and how seldom it costs a write."""

import datetime
import uuid

import pytest
import pytest_asyncio

from core.audit.trail import Act, By, read_trail
from core.database import Pool, in_tenant
from core.errors import NotFound
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from core.people.sessions import Arrival, revoke, rotate, start_session
from core.people.sightings import list_sessions, name_session, touch
from tests.conftest import the_keys

SECOND = datetime.timedelta(seconds=1)


@pytest_asyncio.fixture
async def ana(pool: Pool, tenant: Tenant) -> str:
    return (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Ana")).person_id


async def test_a_person_sees_live_sessions_alone(pool: Pool, tenant: Tenant, ana: str) -> None:
    arrival = Arrival("payhub-web", "192.0.2.0/24", name="Phone", proofs=("pwd",))
    phone = await start_session(pool, tenant.id, ana, arrival)
    plain = await start_session(pool, tenant.id, ana)
    ended = await start_session(pool, tenant.id, ana)
    await revoke(pool, tenant.id, ended.session_id)
    by = By(ana, phone.session_id)
    found = {one.id: one for one in await list_sessions(pool, tenant.id, ana, by)}
    assert found.keys() == {phone.session_id, plain.session_id}
    assert phone.device is not None
    assert found[phone.session_id][4:] == ("Phone", "payhub-web", "192.0.2.0/24", phone.device.id, ("pwd",))
    assert found[plain.session_id][4:] == (None, None, None, None, ())
    assert await read_trail(pool, tenant.id, 10, what=Act.PERSONAL_DATA_READ) == []


async def test_somebody_elses_look_is_written_down(pool: Pool, tenant: Tenant, other_tenant: Tenant, ana: str) -> None:
    operator = By((await open_person(pool, the_keys(), tenant.id, Role.OPERATOR, "Olivia")).person_id)
    await start_session(pool, tenant.id, ana)
    assert len(await list_sessions(pool, tenant.id, ana, operator)) == 1
    (entry,) = await read_trail(pool, tenant.id, 10, what=Act.PERSONAL_DATA_READ)
    assert (entry.who, entry.about, entry.details) == (operator.person_id, ana, {"sessions": 1})
    for where, who in ((other_tenant, ana), (tenant, str(uuid.uuid4()))):
        with pytest.raises(NotFound):
            await list_sessions(pool, where.id, who, operator)


async def test_only_its_person_names_a_session(pool: Pool, tenant: Tenant, other_tenant: Tenant, ana: str) -> None:
    rui = (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Rui")).person_id
    session = (await start_session(pool, tenant.id, ana)).session_id
    await name_session(pool, tenant.id, ana, session, "Mine")
    for where, who, which in (
        (tenant, rui, session),
        (other_tenant, ana, session),
        (tenant, ana, str(uuid.uuid4())),
    ):
        with pytest.raises(NotFound):
            await name_session(pool, where.id, who, which, "Theirs")
    (seen,) = await list_sessions(pool, tenant.id, ana, By(ana))
    assert seen.name == "Mine"
    await revoke(pool, tenant.id, session)
    with pytest.raises(NotFound):
        await name_session(pool, tenant.id, ana, session, "Late")


async def test_a_session_is_touched_about_once_a_minute(pool: Pool, tenant: Tenant, ana: str) -> None:
    """Whatever a hub reports, and however many hubs do."""
    session = (await start_session(pool, tenant.id, ana)).session_id
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute("update sessions set created_at = now() - interval '1 hour', last_seen_at = null")
        now = await connection.fetchval("select now()")
    start = now - 600 * SECOND
    writes = sum([await touch(pool, {(tenant.id, session): start + at * SECOND}) for at in range(0, 600, 5)])
    assert 9 <= writes <= 11
    (seen,) = await list_sessions(pool, tenant.id, ana, By(ana))
    assert now - 65 * SECOND < seen.last_seen_at <= now
    # A clock that runs ahead sees nobody in the future.
    await touch(pool, {(tenant.id, session): now + 900 * SECOND})
    (seen,) = await list_sessions(pool, tenant.id, ana, By(ana))
    assert seen.last_seen_at < now + 60 * SECOND


async def test_touching_matches_pairs_and_not_sets(pool: Pool, tenant: Tenant, other_tenant: Tenant, ana: str) -> None:
    session = (await start_session(pool, tenant.id, ana)).session_id
    late = datetime.datetime.now(datetime.UTC) + 600 * SECOND
    assert await touch(pool, {(other_tenant.id, session): late, (tenant.id, str(uuid.uuid4())): late}) == 0
    assert await touch(pool, {}) == 0


async def test_a_refresh_says_where_a_session_was_heard_of_last(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana, Arrival("payhub-web", "192.0.2.0/24", proofs=("pwd",)))
    rotated = await rotate(pool, tenant.id, started.refresh_token, network="198.51.100.0/24")
    assert rotated.proofs == ("pwd",)
    assert rotated.proved_at is not None
    (seen,) = await list_sessions(pool, tenant.id, ana, By(ana))
    assert seen.network == "198.51.100.0/24"
    assert rotated.proved_at <= int(seen.made_at.timestamp())

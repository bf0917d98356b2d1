"""The one question at a session's beginning says what its parts say, each asked alone."""

import uuid

import pytest

from core.database import Pool
from core.errors import NotFound
from core.keys.safe import Safe
from core.people.beginnings import read_beginning
from core.people.opening import Tenant, list_accounts, open_person
from core.people.persons import PersonStatus, Role, open_name
from core.people.sessions import find_revoked, read_session_start, revoke, start_session
from core.people.standing import read_standings
from tests.core.people.standings import stand


async def test_it_says_what_its_parts_say(pool: Pool, keys: Safe, tenant: Tenant) -> None:
    ana = await open_person(pool, keys, tenant.id, Role.MERCHANT, "Ana")
    session = await start_session(pool, tenant.id, ana.person_id)
    for status in (PersonStatus.ACTIVE, PersonStatus.BLOCKED, PersonStatus.PENDING):
        await stand(pool, tenant.id, ana.person_id, status)
        found = await read_beginning(pool, tenant.id, ana.person_id, session.session_id)
        assert not found.is_over
        assert found.role is Role.MERCHANT
        assert open_name(await keys.one(tenant.id, ana.person_id), found.name) == "Ana"
        assert found.began_at == await read_session_start(pool, tenant.id, session.session_id)
        assert found.accounts == await list_accounts(pool, tenant.id, ana.person_id)
        assert {(tenant.id, ana.person_id): found.standing} == await read_standings(pool, [(tenant.id, ana.person_id)])
        assert found.standing.status is status


async def test_an_ended_session_is_over(pool: Pool, keys: Safe, tenant: Tenant) -> None:
    ana = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    session = await start_session(pool, tenant.id, ana.person_id)
    await revoke(pool, tenant.id, session.session_id)
    assert await find_revoked(pool, [(tenant.id, session.session_id)])
    for over in (session.session_id, str(uuid.uuid4())):
        assert (await read_beginning(pool, tenant.id, ana.person_id, over)).is_over


async def test_nobody_begins_in_another_tenant(pool: Pool, keys: Safe, tenant: Tenant, other_tenant: Tenant) -> None:
    ana = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    session = await start_session(pool, tenant.id, ana.person_id)
    with pytest.raises(NotFound):
        await read_beginning(pool, other_tenant.id, ana.person_id, session.session_id)
    bruno = await open_person(pool, keys, other_tenant.id, Role.CUSTOMER, "Bruno")
    # Somebody else's session is none.
    assert (await read_beginning(pool, other_tenant.id, bruno.person_id, session.session_id)).is_over

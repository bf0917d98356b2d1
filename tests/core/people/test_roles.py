"""Roles are given by operators, by one or by two, and never by oneself."""

import uuid

import pytest

from core.audit.trail import NOBODY, Act, By
from core.database import Pool
from core.errors import NotFound, Refusal
from core.people.fields import Kind
from core.people.opening import Tenant, open_person
from core.people.persons import PersonStatus, Role, read_nameless
from core.people.roles import list_requests, set_role
from core.people.sessions import find_revoked, start_session
from core.people.settings import DEFAULT, read_settings, set_settings
from tests.core.people.crowd import Town
from tests.core.people.standings import stand

ADMINISTRATOR = NOBODY


async def staff(town: Town, role: Role = Role.OPERATOR) -> By:
    opened = await open_person(town.pool, town.keys, town.tenant.id, role, "Olga")
    return By(opened.person_id, str(uuid.uuid4()))


async def role_of(town: Town, person: str) -> Role:
    return (await read_nameless(town.pool, town.tenant.id, person)).role


async def test_a_new_role_ends_the_sessions_of_the_old_one(town: Town) -> None:
    operator = await staff(town)
    ana = (await town.register()).person_id
    session = (await start_session(town.pool, town.tenant.id, ana)).session_id
    given = await set_role(town.pool, town.tenant.id, ana, Role.SUPPORT, operator, "case-1")
    assert (given.before, given.waits, given.ended) == (Role.CUSTOMER, False, [session])
    assert await role_of(town, ana) is Role.SUPPORT
    assert await find_revoked(town.pool, [(town.tenant.id, session)])
    (entry,) = await town.trail(what=Act.PERSON_ROLE_SET.value)
    assert (entry.who, entry.about, entry.why) == (operator.person_id, ana, "case-1")
    assert entry.details == {"before": "customer", "after": "support"}
    # The same again is no change, and no entry.
    assert (await set_role(town.pool, town.tenant.id, ana, Role.SUPPORT, operator)).ended == []
    assert len(await town.trail(what=Act.PERSON_ROLE_SET.value)) == 1


async def test_nobody_gives_themselves_a_role(town: Town) -> None:
    operator = await staff(town)
    for role in Role:
        with pytest.raises(Refusal) as refused:
            await set_role(town.pool, town.tenant.id, operator.person_id or "", role, operator)
        assert refused.value.code == "not_on_yourself"


async def test_the_last_operator_stays_one(town: Town) -> None:
    one, two = await staff(town), await staff(town)
    assert one.person_id is not None
    assert two.person_id is not None
    await set_role(town.pool, town.tenant.id, one.person_id, Role.AUDITOR, two)
    with pytest.raises(Refusal) as refused:
        await set_role(town.pool, town.tenant.id, two.person_id, Role.AUDITOR, one)
    assert refused.value.code == "last_operator"
    assert await role_of(town, two.person_id) is Role.OPERATOR


async def test_where_two_have_to_agree_the_second_one_does_it(town: Town) -> None:
    await set_settings(town.pool, town.tenant.id, DEFAULT._replace(needs_second_operator=True), NOBODY)
    one, two = await staff(town), await staff(town)
    ana = (await town.register()).person_id
    assert (await set_role(town.pool, town.tenant.id, ana, Role.AUDITOR, one)).waits
    assert await role_of(town, ana) is Role.CUSTOMER
    (request,) = await list_requests(town.pool, town.tenant.id)
    assert request[:3] == (ana, Role.AUDITOR, one.person_id)
    # The same operator again is one operator.
    assert (await set_role(town.pool, town.tenant.id, ana, Role.AUDITOR, one)).waits
    # Another role is another request.
    assert (await set_role(town.pool, town.tenant.id, ana, Role.SUPPORT, two)).waits
    assert [request[:3] for request in await list_requests(town.pool, town.tenant.id)] == [
        (ana, Role.SUPPORT, two.person_id)
    ]
    assert not (await set_role(town.pool, town.tenant.id, ana, Role.SUPPORT, one)).waits
    assert await role_of(town, ana) is Role.SUPPORT
    assert await list_requests(town.pool, town.tenant.id) == []
    (entry,) = await town.trail(what=Act.PERSON_ROLE_SET.value)
    assert entry.details == {"before": "customer", "after": "support", "asked_by": two.person_id}
    assert len(await town.trail(what=Act.PERSON_ROLE_ASKED.value)) == 3
    # To take a role away takes one.
    assert not (await set_role(town.pool, town.tenant.id, ana, Role.CUSTOMER, two)).waits


async def test_an_operator_who_is_none_any_more_has_not_agreed(town: Town) -> None:
    await set_settings(town.pool, town.tenant.id, DEFAULT._replace(needs_second_operator=True), NOBODY)
    one, two, three = await staff(town), await staff(town), await staff(town)
    ana = (await town.register()).person_id
    await set_role(town.pool, town.tenant.id, ana, Role.OPERATOR, one)
    assert one.person_id is not None
    await stand(town.pool, town.tenant.id, one.person_id, PersonStatus.BLOCKED)
    assert (await set_role(town.pool, town.tenant.id, ana, Role.OPERATOR, two)).waits
    assert not (await set_role(town.pool, town.tenant.id, ana, Role.OPERATOR, three)).waits


async def test_a_request_is_forgotten_after_a_week(town: Town, admin: Pool) -> None:
    await set_settings(town.pool, town.tenant.id, DEFAULT._replace(needs_second_operator=True), NOBODY)
    one, two = await staff(town), await staff(town)
    ana = (await town.register()).person_id
    await set_role(town.pool, town.tenant.id, ana, Role.SUPPORT, one)
    await admin.execute(
        "update role_requests set asked_at = asked_at - interval '7 days' where tenant_id = $1", town.tenant.id
    )
    assert await list_requests(town.pool, town.tenant.id) == []
    assert (await set_role(town.pool, town.tenant.id, ana, Role.SUPPORT, two)).waits


async def test_that_two_agree_is_given_up_by_the_administrator_alone(town: Town) -> None:
    operator = await staff(town)
    strict = DEFAULT._replace(needs_second_operator=True)
    await set_settings(town.pool, town.tenant.id, strict, operator)
    with pytest.raises(Refusal) as refused:
        await set_settings(town.pool, town.tenant.id, DEFAULT, operator)
    assert refused.value.code == "second_operator_needed"
    assert await read_settings(town.pool, town.tenant.id) == strict
    await set_settings(town.pool, town.tenant.id, DEFAULT, ADMINISTRATOR, by_administrator=True)
    assert await read_settings(town.pool, town.tenant.id) == DEFAULT
    last, first = await town.trail(what=Act.PEOPLE_SET.value)
    assert (first.who, last.who) == (operator.person_id, None)
    assert last.details is not None
    assert (last.details["before"]["needs_second_operator"], last.details["after"]["needs_second_operator"]) == (
        True,
        False,
    )


async def test_settings_that_do_not_fit_are_refused(town: Town) -> None:
    for settings, field in (
        (DEFAULT._replace(customers_need=(Kind.CNPJ,)), "customers_need"),
        (DEFAULT._replace(merchants_need=(Kind.CPF,)), "merchants_need"),
        (DEFAULT._replace(pending_are_paid=False, pending_pay=True), "pending_pay"),
    ):
        with pytest.raises(Refusal) as refused:
            await set_settings(town.pool, town.tenant.id, settings, NOBODY)
        assert refused.value.field == field
    assert await read_settings(town.pool, town.tenant.id) == DEFAULT


async def test_who_is_closed_or_not_there_gets_no_role(town: Town, other_tenant: Tenant) -> None:
    operator = await staff(town)
    ana = (await town.register()).person_id
    await stand(town.pool, town.tenant.id, ana, PersonStatus.CLOSED)
    with pytest.raises(Refusal) as refused:
        await set_role(town.pool, town.tenant.id, ana, Role.SUPPORT, operator)
    assert refused.value.code == "person_closed"
    theirs = (await open_person(town.pool, town.keys, other_tenant.id, Role.CUSTOMER, "Theirs")).person_id
    for person in (theirs, str(uuid.uuid4())):
        with pytest.raises(NotFound):
            await set_role(town.pool, town.tenant.id, person, Role.SUPPORT, operator)

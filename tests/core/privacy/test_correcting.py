"""A correction that was asked for is an edit of the profile, and an answer."""

import uuid

import pytest

from core.audit.trail import By, read_trail
from core.database import Pool
from core.errors import NotFound, Refusal
from core.keys.safe import Safe
from core.people.knowing import read_fields_history
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import Role, read_person
from core.privacy.correcting import correct
from core.privacy.requests import ask, read_request
from core.privacy.states import RequestStatus, Right

GRANTED = RequestStatus.GRANTED


async def asked(pool: Pool, keys: Safe, tenant: Tenant, person: Opened, right: Right, field: str | None) -> str:
    by = By(person.person_id)
    made = await ask(pool, keys, tenant.id, person.person_id, str(uuid.uuid4()), right, field, "It is wrong.", by)
    return made.id


async def test_the_profile_is_written_with_its_history_and_the_request_is_answered_once(
    pool: Pool, keys: Safe, tenant: Tenant
) -> None:
    ana = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana Sousa")
    operator = By((await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olívia")).person_id)
    request = await asked(pool, keys, tenant, ana, Right.CORRECTION, "name")
    for _ in range(2):
        done = await correct(pool, keys, tenant.id, request, {"name": "Ana Souza"}, GRANTED, "With a z now.", operator)
        assert (done.status, done.answer) == (GRANTED, "With a z now.")
    assert (await read_person(pool, keys, tenant.id, ana.person_id)).display_name == "Ana Souza"
    history = await read_fields_history(pool, keys, tenant.id, ana.person_id, None, 10)
    assert [known.value for known in history] == ["Ana Souza", "Ana Sousa"]
    (edit,) = await read_trail(pool, tenant.id, 10, what="profile.edited", about=ana.person_id)
    assert (edit.who, edit.why) == (operator.person_id, f"privacy request {request}")
    answers = await read_trail(pool, tenant.id, 10, what="privacy_request.answered", about=ana.person_id)
    assert len(answers) == 1


async def test_what_was_not_asked_for_is_not_corrected_and_nobody_corrects_for_themselves(
    pool: Pool, keys: Safe, tenant: Tenant
) -> None:
    ana = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana Sousa")
    boss = await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olívia")
    operator, where = By(boss.person_id), (pool, keys, tenant.id)
    name = await asked(pool, keys, tenant, ana, Right.CORRECTION, "name")
    login = await asked(pool, keys, tenant, ana, Right.CORRECTION, "login")
    other = await asked(pool, keys, tenant, ana, Right.OTHER, None)
    own = await asked(pool, keys, tenant, boss, Right.CORRECTION, "name")
    for request, given, status, code in (
        (name, {"birth_date": "1990-01-02"}, GRANTED, "invalid_field"),
        (name, {"name": "Ana", "birth_date": "1990-01-02"}, GRANTED, "invalid_field"),
        (name, {"name": "Ana"}, RequestStatus.REFUSED, "invalid_field"),
        (login, {"name": "Ana"}, GRANTED, "invalid_field"),
        (other, {"name": "Ana"}, GRANTED, "invalid_field"),
        (own, {"name": "Bia"}, GRANTED, "not_on_yourself"),
    ):
        with pytest.raises(Refusal) as refused:
            await correct(*where, request, given, status, "Done.", operator)
        assert refused.value.code == code
        assert (await read_request(*where, request)).status is RequestStatus.OPEN
    with pytest.raises(NotFound):
        await correct(*where, str(uuid.uuid4()), {"name": "Ana"}, GRANTED, "Done.", operator)
    assert (await read_person(*where, ana.person_id)).display_name == "Ana Sousa"

"""People ask, an operator answers, and the clock is watched."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from core.audit.trail import NOBODY, By, read_trail
from core.database import Pool
from core.errors import Conflict, NotFound, PersonErased, Refusal
from core.keys.safe import Safe
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from core.privacy.erasures import ask_erasure
from core.privacy.requests import (
    OPEN_MAX,
    Request,
    ask,
    count_due,
    list_open,
    list_requests,
    read_request,
    respond,
    withdraw,
)
from core.privacy.retention import run_retention
from core.privacy.states import RequestStatus, Right

WORDS = "Meu nome está errado: é Ana Sousa, com s."


@pytest.fixture
async def person(tenant: Tenant, pool: Pool, keys: Safe) -> str:
    return (await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")).person_id


@pytest.fixture
async def operator(tenant: Tenant, pool: Pool, keys: Safe) -> By:
    return By((await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olívia")).person_id)


async def correct(pool: Pool, keys: Safe, tenant: Tenant, person: str, at: datetime | None = None) -> Request:
    id_ = str(uuid.uuid4())
    return await ask(pool, keys, tenant.id, person, id_, Right.CORRECTION, "name", WORDS, By(person), at)


async def test_a_correction_is_asked_for_answered_and_kept_sealed(
    tenant: Tenant, pool: Pool, admin: Pool, keys: Safe, person: str, operator: By
) -> None:
    asked = await correct(pool, keys, tenant, person)
    assert (asked.status, asked.field, asked.text, asked.answer) == (RequestStatus.OPEN, "name", WORDS, None)
    assert asked.due_at - asked.asked_at == timedelta(days=15)
    again = await ask(pool, keys, tenant.id, person, asked.id, Right.CORRECTION, "name", WORDS, By(person))
    assert again == asked
    for other in (("login", WORDS), ("name", "something else")):
        with pytest.raises(Conflict):
            await ask(pool, keys, tenant.id, person, asked.id, Right.CORRECTION, *other, By(person))
    assert [one.id for one in await list_open(pool, keys, tenant.id, 10)] == [asked.id]
    answered = await respond(pool, keys, tenant.id, asked.id, RequestStatus.GRANTED, "Corrigido.", operator)
    assert (answered.status, answered.answer) == (RequestStatus.GRANTED, "Corrigido.")
    assert await respond(pool, keys, tenant.id, asked.id, RequestStatus.GRANTED, "Corrigido.", operator) == answered
    with pytest.raises(Refusal) as refused:
        await respond(pool, keys, tenant.id, asked.id, RequestStatus.REFUSED, "Não.", operator)
    assert refused.value.code == "request_answered"
    assert await list_open(pool, keys, tenant.id, 10) == []
    row = await admin.fetchrow("select * from payhub.privacy_requests where id = $1", asked.id)
    assert row is not None
    assert WORDS.encode() not in row["text_sealed"]
    assert "Ana Sousa" not in str(await read_trail(pool, tenant.id, 10, about=person))
    assert [one.what for one in await read_trail(pool, tenant.id, 10, about=person)] == [
        "privacy_request.answered",
        "privacy_request.made",
    ]


async def test_nobody_answers_their_own_and_another_tenants_is_not_there(
    tenant: Tenant, other_tenant: Tenant, pool: Pool, keys: Safe, person: str, operator: By
) -> None:
    asked = await correct(pool, keys, tenant, operator.person_id or "")
    with pytest.raises(Refusal) as refused:
        await respond(pool, keys, tenant.id, asked.id, RequestStatus.GRANTED, "Sim.", operator)
    assert refused.value.code == "not_on_yourself"
    with pytest.raises(NotFound):
        await respond(pool, keys, other_tenant.id, asked.id, RequestStatus.GRANTED, "Sim.", By(person))
    with pytest.raises(NotFound):
        await read_request(pool, keys, other_tenant.id, asked.id)
    with pytest.raises(NotFound):
        await withdraw(pool, keys, tenant.id, person, asked.id, By(person))
    with pytest.raises(NotFound):
        await correct(pool, keys, other_tenant, person)
    assert await list_requests(pool, keys, tenant.id, person, 10) == []


async def test_a_correction_names_its_field_and_a_person_has_few_open(
    tenant: Tenant, pool: Pool, keys: Safe, person: str, operator: By
) -> None:
    for right, field in ((Right.CORRECTION, None), (Right.ACCESS, "name")):
        with pytest.raises(Refusal) as refused:
            await ask(pool, keys, tenant.id, person, str(uuid.uuid4()), right, field, WORDS, By(person))
        assert (refused.value.code, refused.value.field) == ("invalid_field", "field")
    made = await asyncio.gather(*(correct(pool, keys, tenant, person) for _ in range(OPEN_MAX)))
    with pytest.raises(Refusal) as refused:
        await correct(pool, keys, tenant, person)
    assert refused.value.code == "too_many_requests"
    gone = await withdraw(pool, keys, tenant.id, person, made[0].id, By(person))
    assert gone.status is RequestStatus.WITHDRAWN
    assert await withdraw(pool, keys, tenant.id, person, made[0].id, By(person)) == gone
    await correct(pool, keys, tenant, person)
    await respond(pool, keys, tenant.id, made[1].id, RequestStatus.REFUSED, "Não.", operator)
    with pytest.raises(Refusal):
        await withdraw(pool, keys, tenant.id, person, made[1].id, By(person))
    found = await list_requests(pool, keys, tenant.id, person, 5)
    assert len(await list_requests(pool, keys, tenant.id, person, 50, found[-1].id)) == OPEN_MAX + 1 - 5


async def test_what_is_due_soon_and_what_is_late_is_counted_and_listed_first(
    tenant: Tenant, pool: Pool, keys: Safe, person: str
) -> None:
    now = datetime.now(UTC)
    late = await correct(pool, keys, tenant, person, now - timedelta(days=15, seconds=1))
    soon = await correct(pool, keys, tenant, person, now - timedelta(days=11))
    fresh = await correct(pool, keys, tenant, person, now)
    (due,) = [one for one in await count_due(pool, now) if one.tenant_id == tenant.id]
    assert (due.soon, due.late) == (1, 1)
    assert [one.id for one in await list_open(pool, keys, tenant.id, 10)] == [late.id, soon.id, fresh.id]
    assert [one.id for one in await list_open(pool, keys, tenant.id, 10, late.id)] == [soon.id, fresh.id]
    assert [one for one in await count_due(pool, now - timedelta(days=30)) if one.tenant_id == tenant.id] == []


async def test_an_erasure_takes_the_words_and_there_is_nobody_to_answer(
    tenant: Tenant, pool: Pool, keys: Safe, person: str, operator: By
) -> None:
    asked = await correct(pool, keys, tenant, person)
    await ask_erasure(pool, keys, tenant.id, person, NOBODY)
    assert (await read_request(pool, keys, tenant.id, asked.id)).text is None
    with pytest.raises(PersonErased):
        await respond(pool, keys, tenant.id, asked.id, RequestStatus.GRANTED, "Sim.", operator)


async def test_words_go_when_nobody_has_to_prove_them_any_more(
    tenant: Tenant, pool: Pool, keys: Safe, person: str
) -> None:
    asked = await correct(pool, keys, tenant, person)
    assert (await run_retention(pool, keys, 1_000, asked.asked_at + timedelta(days=365 * 9))).texts_emptied == 0
    assert (await run_retention(pool, keys, 1_000, asked.asked_at + timedelta(days=366 * 10 + 1))).texts_emptied >= 1
    assert (await read_request(pool, keys, tenant.id, asked.id)).text is None

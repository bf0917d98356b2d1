"""An incident is written down, counted by the register and drafted, in time, and never changed."""

import time
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.audit.trail import NOBODY, By, read_trail
from core.database import Pool
from core.errors import Conflict, NotFound, Refusal
from core.keys.safe import Safe
from core.people.opening import Tenant, open_people
from core.people.persons import Role
from core.people.sessions import start_session
from core.privacy.classes import KIND_WORDS, Kind
from core.privacy.controller import Controller, set_controller
from core.privacy.deadlines import due_by, last_day
from core.privacy.drafts import BLANK, RISKS, for_authority, for_persons
from core.privacy.erasures import ask_erasure
from core.privacy.incidents import (
    Hit,
    Incident,
    Notes,
    count_untold,
    list_incidents,
    list_persons,
    list_revisions,
    read_incident,
    record_incident,
    revise_incident,
)
from tests.conftest import Books

NOTES = Notes("Uma cópia do banco de dados saiu da instituição.")
ITEMS = {
    "authority": ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"],
    "persons": ["I", "II", "III", "IV", "V", "VI", "VII"],
}


async def record(pool: Pool, tenant: Tenant, hit: Hit | None = None, **more: Any) -> Incident:
    now = datetime.now(UTC)
    told = {"known_at": now, "began_at": now - timedelta(hours=1), "ended_at": now + timedelta(hours=1)} | more
    return await record_incident(
        pool,
        tenant.id,
        str(uuid.uuid4()),
        hit=hit or Hit(),
        notes=NOTES,
        by=NOBODY,
        **told,
    )


def items(draft: str) -> list[str]:
    return [line.removeprefix("## ").split(" — ")[0] for line in draft.splitlines() if line.startswith("## ")]


@pytest.mark.parametrize(
    ("known_on", "days", "last"),
    [
        (date(2026, 3, 2), 3, date(2026, 3, 5)),  # a Monday
        (date(2026, 3, 5), 3, date(2026, 3, 10)),  # over a weekend
        (date(2026, 3, 7), 3, date(2026, 3, 11)),  # known on a Saturday
        (date(2026, 2, 12), 3, date(2026, 2, 19)),  # carnival: Monday 16 and Tuesday 17 February 2026
        (date(2026, 2, 13), 3, date(2026, 2, 20)),
        (date(2026, 12, 29), 3, date(2027, 1, 4)),  # year end: 30, 31 December, then 4 January
        (date(2026, 12, 31), 3, date(2027, 1, 6)),
        (date(2026, 12, 23), 3, date(2026, 12, 29)),  # Christmas on a Friday
        (date(2027, 2, 5), 3, date(2027, 2, 12)),  # carnival 2027: 8 and 9 February
        (date(2026, 6, 3), 3, date(2026, 6, 9)),  # Corpus Christi, 4 June 2026
        (date(2026, 12, 10), 20, date(2027, 1, 11)),  # Christmas, New Year
        (date(2026, 1, 30), 20, date(2026, 3, 3)),  # carnival inside
        (date(2026, 2, 13), 6, date(2026, 2, 25)),  # small agents: twice three
    ],
)
def test_business_days_are_counted_across_carnival_and_year_end(known_on: date, days: int, last: date) -> None:
    assert last_day(known_on, days, "BR") == last


def test_the_last_day_ends_at_midnight_of_the_institutions_clock() -> None:
    # Late on Friday evening in São Paulo it is Saturday in UTC.
    known = datetime(2026, 3, 7, 1, 30, tzinfo=UTC)
    assert due_by(known, 3, "BR", "America/Sao_Paulo") == datetime(2026, 3, 12, 3, tzinfo=UTC)
    assert due_by(known, 3, "BR", "UTC") == datetime(2026, 3, 12, 0, tzinfo=UTC)


async def test_a_stolen_copy_concerns_everybody_and_is_counted_by_kind(books: Books, pool: Pool, keys: Safe) -> None:
    gone = (await open_people(pool, keys, books.tenant.id, Role.CUSTOMER, ["Gone"]))[0].person_id
    await ask_erasure(pool, keys, books.tenant.id, gone, NOBODY)
    incident = await record(pool, books.tenant)
    assert incident.persons == incident.total_persons == len(books.people)
    assert await list_persons(pool, books.tenant.id, incident.id, 100) == sorted(one.person_id for one in books.people)
    figures = {figure.kind: figure for figure in incident.figures}
    assert figures[Kind.IDENTIFICATION].persons == 4 and figures[Kind.IDENTIFICATION].is_sealed
    assert figures[Kind.FINANCIAL].persons == 4 and not figures[Kind.FINANCIAL].is_sealed
    assert Kind.SECURITY not in figures, "nobody of them logs in"
    with_keys = await record(pool, books.tenant, Hit(keys_too=True))
    assert not next(one for one in with_keys.figures if one.kind is Kind.IDENTIFICATION).is_sealed


async def test_who_listened_for_a_while_heard_those_who_spoke_in_it(books: Books, pool: Pool) -> None:
    await start_session(pool, books.tenant.id, books.people[2].person_id)
    sessions = Hit(("sessions", "refresh_tokens"), is_store=False)
    incident = await record(pool, books.tenant, sessions)
    assert await list_persons(pool, books.tenant.id, incident.id, 10) == [books.people[2].person_id]
    kinds = {Kind.SECURITY, Kind.CONDUCT, Kind.POINTER, Kind.FREE_TEXT}
    assert {figure.kind for figure in incident.figures} == kinds
    then = datetime(2020, 1, 1, tzinfo=UTC)
    before = await record(pool, books.tenant, sessions, began_at=then, ended_at=then + timedelta(days=1))
    assert (before.persons, before.figures) == (0, [])
    payments = await record(pool, books.tenant, Hit(("payments", "standings"), is_store=False))
    assert payments.persons == 4


async def test_another_tenants_people_are_not_concerned(books: Books, other_tenant: Tenant, pool: Pool) -> None:
    incident = await record(pool, other_tenant)
    assert (incident.persons, incident.total_persons) == (0, 0)
    with pytest.raises(NotFound):
        await read_incident(pool, books.tenant.id, incident.id)
    assert await list_persons(pool, books.tenant.id, incident.id, 10) == []


async def test_drafts_have_every_item_and_mark_what_only_the_institution_knows(
    books: Books, pool: Pool, admin: Pool
) -> None:
    said = Controller(
        "Acme Pagamentos S.A.",
        "12.345.678/0001-90",
        "Av. Paulista 1000",
        "privacidade@acme.example",
        "Maria Souza",
        "encarregada@acme.example",
    )
    await set_controller(admin, books.tenant.slug, said)
    incident = await record(pool, books.tenant)
    zone, now = books.tenant.time_zone, datetime.now(UTC)
    authority, persons = (draft(incident, said, zone, now) for draft in (for_authority, for_persons))
    assert items(authority) == ITEMS["authority"]
    assert items(persons) == ITEMS["persons"]
    for text in (authority, persons):
        assert "Maria Souza, encarregada@acme.example" in text
        assert BLANK in text
    assert "4 titulares." in authority and "12.345.678/0001-90" in authority
    assert "dados financeiros (art. 5º, III)" in authority
    assert "cifrados; sem as chaves, ilegíveis" in authority
    assert "dentro do prazo" in authority
    late = for_authority(incident, said, zone, incident.tell_by)
    assert f"{BLANK} (o prazo terminou em" in late
    told = await revise_incident(
        pool,
        books.tenant.id,
        incident.id,
        NOBODY,
        notes=NOTES._replace(cause="Um *backup* sem cifra #1", measures_after="Trocado.", mitigation="x", risks="y"),
    )
    authority = for_authority(told, said, zone, now)
    assert "Um \\*backup\\* sem cifra \\#1" in authority
    assert {*RISKS} == {kind.value for kind in Kind} == {kind.value for kind in KIND_WORDS}


async def test_the_clock_of_the_complement_runs_from_what_was_told_and_small_agents_have_twice_the_time(
    books: Books, pool: Pool, admin: Pool
) -> None:
    known = datetime(2026, 2, 12, 15, tzinfo=UTC)
    span: Any = {"known_at": known, "began_at": known - timedelta(days=9), "ended_at": known}
    incident = await record(pool, books.tenant, **span)
    assert incident.tell_by == datetime(2026, 2, 20, 3, tzinfo=UTC)
    told_at = datetime(2026, 2, 18, 12, tzinfo=UTC)
    told = await revise_incident(pool, books.tenant.id, incident.id, NOBODY, told_authority_at=told_at)
    assert told.complement_by == due_by(told_at, 20, "BR", "America/Sao_Paulo")
    again = await revise_incident(
        pool, books.tenant.id, incident.id, NOBODY, told_authority_at=told_at + timedelta(days=1)
    )
    assert again == told, "it was told once"
    await set_controller(admin, books.tenant.slug, Controller("Small", is_small_agent=True))
    small = await record(pool, books.tenant, **span)
    assert small.tell_by == datetime(2026, 2, 25, 3, tzinfo=UTC)


async def test_the_register_is_only_added_to_and_says_who_and_when(books: Books, pool: Pool, admin: Pool) -> None:
    operator = By(books.people[0].person_id)
    incident = await record(pool, books.tenant)
    revised = await revise_incident(
        pool, books.tenant.id, incident.id, operator, notes=NOTES._replace(cause="A backup.")
    )
    assert (revised.revision, revised.recorded_by, revised.notes.cause) == (2, operator.person_id, "A backup.")
    assert [one.revision for one in await list_revisions(pool, books.tenant.id, incident.id)] == [1, 2]
    assert [one.id for one in await list_incidents(pool, books.tenant.id, 10)] == [incident.id]
    assert await list_incidents(pool, books.tenant.id, 10, incident.id) == []
    for statement in (
        "update payhub.incidents set persons = 0",
        "delete from payhub.incidents",
        "delete from payhub.incident_persons",
        "truncate payhub.incidents",
    ):
        for role in (pool, admin):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(statement)
    trail = await read_trail(pool, books.tenant.id, 10, what="incident.recorded", about=incident.id)
    assert [one.who for one in trail] == [operator.person_id, None]


async def test_the_same_incident_again_is_the_same_and_nonsense_is_refused(books: Books, pool: Pool) -> None:
    now = datetime.now(UTC)
    id_ = str(uuid.uuid4())
    told = (now, now - timedelta(hours=1), now)
    first = await record_incident(pool, books.tenant.id, id_, *told, Hit(), NOTES, NOBODY)
    assert await record_incident(pool, books.tenant.id, id_, *told, Hit(), NOTES, NOBODY) == first
    with pytest.raises(Conflict):
        await record_incident(pool, books.tenant.id, id_, *told, Hit(keys_too=True), NOTES, NOBODY)
    for hit, notes, span in (
        (Hit(("diaries",)), NOTES, told),
        (Hit(("terms",)), NOTES, told),
        (Hit(), Notes(""), told),
        (Hit(), Notes("x" * 5_000), told),
        (Hit(), NOTES, (now, now, now - timedelta(seconds=1))),
    ):
        with pytest.raises(Refusal):
            await record_incident(pool, books.tenant.id, str(uuid.uuid4()), *span, hit, notes, NOBODY)


async def test_what_nobody_was_told_of_is_counted_until_somebody_was_or_said_why_not(books: Books, pool: Pool) -> None:
    incident = await record(pool, books.tenant)

    async def untold(at: datetime) -> list[tuple[int, int]]:
        return [(one.open, one.late) for one in await count_untold(pool, at) if one.tenant_id == books.tenant.id]

    assert await untold(incident.known_at) == [(1, 0)]
    assert await untold(incident.tell_by) == [(0, 1)]
    await revise_incident(
        pool, books.tenant.id, incident.id, NOBODY, notes=NOTES._replace(not_told_why="Só dados de teste.")
    )
    assert await untold(incident.tell_by) == []


async def test_thousands_are_counted_and_drafted_in_seconds(tenant: Tenant, pool: Pool, keys: Safe) -> None:
    for _ in range(4):
        await open_people(pool, keys, tenant.id, Role.CUSTOMER, [f"Person {at}" for at in range(500)])
    began = time.monotonic()
    incident = await record(pool, tenant)
    assert incident.persons == 2_000
    seen: list[str] = []
    while page := await list_persons(pool, tenant.id, incident.id, 700, seen[-1] if seen else None):
        seen += page
    assert len({*seen}) == 2_000
    assert time.monotonic() - began < 10

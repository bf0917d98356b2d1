"""What the institution has to show: the record of processing, and incidents with their drafts. For operators."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import UNSET, UnsetType

from core.audit.trail import Act, note
from core.database import in_tenant
from core.errors import NotFound
from core.privacy import incidents as core_incidents
from core.privacy.consents import list_purposes
from core.privacy.controller import read_controller
from core.privacy.drafts import for_authority, for_persons
from core.privacy.incidents import Hit, Incident, Notes, criteria, list_persons, record_incident, revise_incident
from core.privacy.record import Asked, record_of
from hub.commands.context import Context
from hub.commands.exporting import LANGUAGE
from hub.commands.operating import require_operator, require_overseer
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import EPOCH, MICROSECOND, from_time, given, or_unset, time_of, time_or_unset
from hub.protocol import incidents
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.session import Session

# Ids of one piece of the list.
PERSONS_PER_PIECE: Final = 5_000


async def record(context: Context, session: Session, command: incidents.RecordIncident) -> incidents.IncidentAnswer:
    """Write an incident down."""
    require_operator(session)
    made = await record_incident(
        context.pool,
        session.speaker.tenant_id,
        command.incident,
        _moment(command.known_at),
        _moment(command.began_at),
        _moment(command.ended_at),
        Hit(tuple(given(command.tables, [])), command.scope == "store", command.keys_too is True),
        _to_notes(command.notes),
        session.by,
    )
    return incidents.IncidentAnswer(command.id, to_state(made))


async def revise(context: Context, session: Session, command: incidents.ReviseIncident) -> incidents.IncidentAnswer:
    """Add what was learned or done since."""
    require_operator(session)
    notes = given(command.notes)
    told_authority, told_persons = given(command.told_authority_at), given(command.told_persons_at)
    try:
        revised = await revise_incident(
            context.pool,
            session.speaker.tenant_id,
            command.incident,
            session.by,
            notes=None if notes is None else _to_notes(notes),
            told_authority_at=None if told_authority is None else _moment(told_authority),
            told_persons_at=None if told_persons is None else _moment(told_persons),
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="incident") from None
    return incidents.IncidentAnswer(command.id, to_state(revised))


async def incident(context: Context, session: Session, command: incidents.ReadIncident) -> incidents.IncidentAnswer:
    """An incident as it is known now."""
    return incidents.IncidentAnswer(command.id, to_state(await _read(context, session, command.incident)))


async def list_incidents(
    context: Context, session: Session, command: incidents.ReadIncidents
) -> incidents.IncidentsAnswer:
    """A page of the register."""
    require_overseer(session)
    limit = given(command.limit, PAGE_LENGTH)
    found = await core_incidents.list_incidents(
        context.pool, session.speaker.tenant_id, limit + 1, given(command.before)
    )
    page = [to_state(one) for one in found[:limit]]
    return incidents.IncidentsAnswer(command.id, page, page[-1].incident if len(found) > limit else UNSET)


async def persons(
    context: Context, session: Session, command: incidents.ReadIncidentPersons
) -> incidents.IncidentPersonsAnswer:
    """A page of whom an incident concerns."""
    found = await _read(context, session, command.incident)
    limit = given(command.limit, PAGE_LENGTH)
    page = await list_persons(context.pool, session.speaker.tenant_id, found.id, limit + 1, given(command.after))
    rest = page[:limit]
    return incidents.IncidentPersonsAnswer(command.id, found.id, rest, rest[-1] if len(page) > limit else UNSET)


async def draft(context: Context, session: Session, incident_id: str, *, to_persons: bool) -> str:
    """A draft, as Markdown."""
    found = await _read(context, session, incident_id)
    controller, place = await read_controller(context.pool, session.speaker.tenant_id)
    write = for_persons if to_persons else for_authority
    return write(found, controller, place.time_zone, datetime.fromtimestamp(context.now(), UTC))


async def persons_csv(context: Context, session: Session, incident_id: str) -> AsyncIterator[bytes]:
    """Everybody whom an incident concerns, as CSV, in pieces. That somebody took the list is in the trail."""
    found = await _read(context, session, incident_id)
    tenant_id = session.speaker.tenant_id
    async with in_tenant(context.pool, tenant_id) as connection:
        details = {"persons": found.persons}
        await note(connection, tenant_id, session.by, Act.PERSONAL_DATA_READ, found.id, details=details)
    return _persons(context, tenant_id, found.id)


async def record_of_processing(context: Context, session: Session, language: str | UnsetType) -> dict[str, Any]:
    """The record of processing (art. 37)."""
    require_overseer(session)
    tenant_id = session.speaker.tenant_id
    chosen = given(language, LANGUAGE)
    controller, _ = await read_controller(context.pool, tenant_id)
    asked = [
        Asked(one.purpose, one.version, one.title_pt if chosen == "pt" else one.title_en)
        for one in await list_purposes(context.pool, tenant_id)
    ]
    return record_of(controller, asked, chosen, time_of(datetime.fromtimestamp(context.now(), UTC)))


async def _persons(context: Context, tenant_id: int, incident_id: str) -> AsyncIterator[bytes]:
    yield b"person\r\n"
    last: str | None = None
    while page := await list_persons(context.pool, tenant_id, incident_id, PERSONS_PER_PIECE, last):
        last = page[-1]
        yield "".join(f"{person}\r\n" for person in page).encode()


async def _read(context: Context, session: Session, incident_id: str) -> Incident:
    require_overseer(session)
    try:
        return await core_incidents.read_incident(context.pool, session.speaker.tenant_id, incident_id)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="incident") from None


def to_state(one: Incident) -> incidents.IncidentState:
    """An incident as the wire shows it."""
    return incidents.IncidentState(
        one.id,
        one.revision,
        time_of(one.recorded_at),
        time_of(one.known_at),
        time_of(one.began_at),
        time_of(one.ended_at),
        "store" if one.hit.is_store else "traffic",
        one.hit.keys_too,
        list(one.hit.tables),
        incidents.IncidentNotes(one.notes.what, *(or_unset(value) for value in one.notes[1:])),
        one.persons,
        one.total_persons,
        [incidents.FigureState(figure.kind.value, figure.persons, figure.is_sealed) for figure in one.figures],
        criteria(one.figures),
        time_of(one.tell_by),
        one.is_small_agent,
        time_or_unset(one.told_authority_at),
        time_or_unset(one.complement_by),
        time_or_unset(one.told_persons_at),
    )


def _to_notes(notes: incidents.IncidentNotes) -> Notes:
    return Notes(notes.what, *(given(getattr(notes, name)) for name in Notes._fields[1:]))


def _moment(text: str) -> datetime:
    return EPOCH + from_time(text) * MICROSECOND


ROWS: Final[tuple[Row, ...]] = (
    Row(incidents.RecordIncident, incidents.IncidentAnswer, record, "POST", "/v1/privacy/incidents", 201),
    Row(incidents.ReadIncidents, incidents.IncidentsAnswer, list_incidents, "GET", "/v1/privacy/incidents"),
    Row(incidents.ReadIncident, incidents.IncidentAnswer, incident, "GET", "/v1/privacy/incidents/{incident}"),
    Row(incidents.ReviseIncident, incidents.IncidentAnswer, revise, "POST", "/v1/privacy/incidents/{incident}/revise"),
    Row(
        incidents.ReadIncidentPersons,
        incidents.IncidentPersonsAnswer,
        persons,
        "GET",
        "/v1/privacy/incidents/{incident}/persons",
    ),
)

"""Sessions as their owner, or an operator, sees and ends them."""

import asyncio
from typing import Final

from msgspec import UnsetType

from core.errors import NotFound
from core.people import sessions as core_sessions
from core.people import sightings
from core.people.sessions import Ending
from core.people.sightings import SessionSeen
from hub.commands.context import Context, end_everywhere
from hub.commands.operating import require_operator
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of
from hub.doors import Door
from hub.protocol import sessions
from hub.protocol.codes import ErrorCode
from hub.session import Session

DOOR_NAMES: Final[dict[str | None, sessions.DoorName]] = {
    Door.WEB.value: "web",
    Door.NATIVE.value: "native",
    None: "installation",
}
NEEDS_REASON: Final = "To end somebody else's session, say why: give a reason."


async def read_sessions(context: Context, session: Session, command: sessions.ReadSessions) -> sessions.SessionsAnswer:
    """Where somebody is logged in."""
    speaker = session.speaker
    person = given(command.person, speaker.person_id)
    if person != speaker.person_id:
        require_operator(session)
    try:
        found = await sightings.list_sessions(context.pool, speaker.tenant_id, person, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    return sessions.SessionsAnswer(command.id, [_to_state(one, speaker.session_id) for one in found])


async def name_session(context: Context, session: Session, command: sessions.NameSession) -> sessions.SessionNamed:
    """Give a session a name."""
    speaker = session.speaker
    try:
        await sightings.name_session(context.pool, speaker.tenant_id, speaker.person_id, command.session, command.name)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="session") from None
    return sessions.SessionNamed(command.id, command.session, command.name)


async def end_session(context: Context, session: Session, command: sessions.EndSession) -> sessions.SessionsEnded:
    """End one. Somebody else's is like one that is not there, unless an operator says why."""
    speaker, reason = session.speaker, given(command.reason)
    of: str | None = speaker.person_id
    how = Ending.BY_ITS_PERSON
    if session.is_operator and reason is not None:
        of, how = None, Ending.BY_AN_OPERATOR
    elif command.session == speaker.session_id:
        how = Ending.LOGGED_OUT
    try:
        await core_sessions.revoke(context.pool, speaker.tenant_id, command.session, session.by, how, of=of, why=reason)
    except NotFound:
        if session.is_operator and reason is None:
            raise CommandRefused(ErrorCode.INVALID_FIELD, NEEDS_REASON, field="reason") from None
        raise CommandRefused(ErrorCode.NOT_FOUND, field="session") from None
    return _end(context, session, command.id, [command.session])


async def end_sessions(context: Context, session: Session, command: sessions.EndSessions) -> sessions.SessionsEnded:
    """End all others of one's own, or all of a person."""
    speaker, reason = session.speaker, given(command.reason)
    person, how = given(command.person, speaker.person_id), Ending.BY_ITS_PERSON
    if not isinstance(command.person, UnsetType):
        require_operator(session)
        how = Ending.BY_AN_OPERATOR
        if reason is None:
            raise CommandRefused(ErrorCode.INVALID_FIELD, NEEDS_REASON, field="reason")
    try:
        ended = await core_sessions.end_sessions(context.pool, speaker.tenant_id, person, session.by, how, reason)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    return _end(context, session, command.id, ended)


def _end(context: Context, session: Session, id_: int, ended: list[str]) -> sessions.SessionsEnded:
    # On the loop's next turn: one of them may be the session that is still to hear this answer.
    asyncio.get_running_loop().call_soon(end_everywhere, context, session.speaker.tenant_id, ended)
    return sessions.SessionsEnded(id_, ended)


def _to_state(one: SessionSeen, current: str) -> sessions.SessionState:
    return sessions.SessionState(
        one.id,
        time_of(one.made_at),
        time_of(one.last_seen_at),
        DOOR_NAMES[one.door],
        list(one.proofs),
        or_unset(one.name),
        or_unset(one.network),
        or_unset(one.device_id),
        or_unset(True if one.id == current else None),
    )


ROWS: Final = (
    Row(sessions.ReadSessions, sessions.SessionsAnswer, read_sessions, "GET", "/v1/sessions"),
    Row(sessions.EndSessions, sessions.SessionsEnded, end_sessions, "POST", "/v1/sessions/end"),
    Row(sessions.NameSession, sessions.SessionNamed, name_session, "PUT", "/v1/sessions/{session}/name"),
    Row(sessions.EndSession, sessions.SessionsEnded, end_session, "POST", "/v1/sessions/{session}/end"),
)

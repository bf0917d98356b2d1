"""The audit trail, read."""

import json
from typing import Final

import msgspec
from msgspec import UNSET

from core.audit.reading import Filter, read_own_trail, read_whole_trail
from core.audit.trail import Act, Entry
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import from_time, given, or_unset, time_of, to_datetime
from hub.protocol import staff
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.session import Session

SITTING: Final = frozenset({Act.SEAT_TAKEN, Act.SEAT_USED, Act.SEAT_ACTED})


async def trail(context: Context, session: Session, command: staff.ReadTrail) -> staff.TrailPage:
    """A page of the trail: the tenant's, or the speaker's own."""
    speaker = session.speaker
    before, before_entry, since = given(command.before), given(command.before_entry), given(command.since)
    if before is None and before_entry is not None:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "before_entry comes with before.", field="before")
    wanted = Filter(
        given(command.what),
        given(command.who),
        given(command.about),
        None if since is None else to_datetime(from_time(since)),
        None if before is None else to_datetime(from_time(before)),
        before_entry,
    )
    limit = given(command.limit, PAGE_LENGTH)
    if session.oversees:
        found = await read_whole_trail(context.pool, speaker.tenant_id, wanted, limit + 1, session.by)
        page = [_to_state(entry) for entry in found[:limit]]
    else:
        found = await read_own_trail(context.pool, speaker.tenant_id, speaker.person_id, wanted, limit + 1)
        page = [_to_own_state(entry, speaker.person_id) for entry in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    return staff.TrailPage(
        command.id, page, UNSET if last is None else time_of(last.at), UNSET if last is None else last.id
    )


def _to_state(entry: Entry) -> staff.TrailEntry:
    return staff.TrailEntry(
        entry.id,
        time_of(entry.at),
        entry.what,
        or_unset(entry.who),
        or_unset(entry.about),
        or_unset(entry.why),
        or_unset(entry.session_id),
        or_unset(entry.network),
        UNSET if entry.details is None else json.dumps(entry.details),
    )


def _to_own_state(entry: Entry, person_id: str) -> staff.TrailEntry:
    """As its person may see it: what others did is told, and not who of them, from where or why; but for their seats.

    Whoever holds a seat has accepted that the merchant knows what they do there.
    """
    if entry.who == person_id:
        return _to_state(entry)
    if entry.what in SITTING:
        return msgspec.structs.replace(_to_state(entry), network=UNSET)
    return staff.TrailEntry(entry.id, time_of(entry.at), entry.what, about=or_unset(entry.about))


ROWS: Final[tuple[Row, ...]] = (Row(staff.ReadTrail, staff.TrailPage, trail, "GET", "/v1/trail"),)

"""Acting for a merchant: seats as whoever holds them sees them; accepted, left, and spoken from.

A seat's session speaks for the merchant and hangs on the log-in that it was opened from (sessions.login_id): whatever
ends that log-in, or the seat, ends it, and nothing has to remember to.
"""

import datetime
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import CredentialsRefused, NotFound, Refusal
from core.keys.safe import Safe
from core.machines.seats import SITTING, close, read_display_names
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.people.persons import PersonStatus, Role

# Nobody works in so many places; who is invited to everything has been mistaken for somebody.
HELD_MAX: Final = 20

COLUMNS: Final = """
       seats.id::text, seats.person_id::text as merchant, seats.scopes, seats.accepted_at is not null as is_held,
       seats.invited_at, seats.lapses_at, seats.accepted_at,
       seats.ended_at is null and seats.declined_at is null
       and (seats.accepted_at is not null or seats.lapses_at > now()) as lives
"""
LIST: Final = f"""
select {COLUMNS}
  from seats
 where tenant_id = $1 and holder = $2 and ended_at is null and declined_at is null
   and (accepted_at is not null or lapses_at > now())
 order by accepted_at is null desc, invited_at desc, id desc
 limit $3
"""  # noqa: S608  # the columns are ours
READ: Final = f"""
select {COLUMNS} from seats where tenant_id = $1 and id = $2 and holder = $3 for no key update
"""  # noqa: S608
FIND_MERCHANT: Final = "select person_id::text from seats where tenant_id = $1 and id = $2 and holder = $3"
# In one order, and before the seat, as whoever sets a status holds them.
LOCK_PERSONS: Final = """
select id::text, role, status from persons
 where tenant_id = $1 and id = any ($2::uuid[])
 order by id
   for no key update
"""
COUNT_HELD: Final = """
select count(*), count(*) filter (where person_id = $3)
  from seats
 where tenant_id = $1 and holder = $2 and accepted_at is not null and ended_at is null
"""
ACCEPT: Final = "update seats set accepted_at = now() where tenant_id = $1 and id = $2"
DECLINE: Final = "update seats set declined_at = now() where tenant_id = $1 and id = $2"
READ_LOG_IN: Final = """
select expires_at from sessions
 where tenant_id = $1 and id = $2 and person_id = $3 and not is_machines and revoked_at is null and expires_at > now()
   for key share
"""
FIND_SESSION: Final = """
select id::text from sessions
 where tenant_id = $1 and seat_id = $2 and login_id = $3 and revoked_at is null and expires_at > now()
"""
OPEN_SESSION: Final = """
insert into sessions (tenant_id, id, person_id, expires_at, is_machines, seat_id, login_id)
values ($1, $2, $3, $4, true, $5, $6)
"""
NOTE_USE: Final = """
update seats set last_used_on = current_date
 where tenant_id = $1 and id = $2 and last_used_on is distinct from current_date
"""
# More than anybody can be invited to and keep in mind.
LISTED_MAX: Final = 200


class OwnSeat(NamedTuple):
    """A seat as who was invited to it, or holds it, sees it. `lives` False: it has ended, lapsed or was declined."""

    id: str
    merchant: str
    scopes: Sequence[str]
    is_held: bool
    invited_at: datetime.datetime
    lapses_at: datetime.datetime
    accepted_at: datetime.datetime | None
    lives: bool


class Acting(NamedTuple):
    """A session that speaks for a merchant. It ends by `expires_at` at the latest, as the log-in does."""

    session_id: str
    merchant: str
    scopes: Sequence[str]
    expires_at: datetime.datetime


async def list_own(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str
) -> tuple[list[OwnSeat], dict[str, str | None]]:
    """What somebody is invited to, then what they hold, each newest first; and the merchants' names by their ids."""
    async with in_tenant(pool, tenant_id) as connection:
        seats = [OwnSeat(*row) for row in await connection.fetch(LIST, tenant_id, person_id, LISTED_MAX)]
    return seats, await read_display_names(pool, keys, tenant_id, {seat.merchant for seat in seats})


async def accept(pool: Pool, keys: Safe, tenant_id: int, seat_id: str, by: By) -> tuple[OwnSeat, dict[str, str | None]]:
    """Take the seat that one was invited to. Once more is the same.

    Raises NotFound for somebody else's; Refusal `seat_over` when it has ended, lapsed or was declined, or its merchant
    is none or not active; `already_seated` with the same merchant; `too_many_seats` of one's own.
    """
    person_id = _speaker_of(by)
    async with in_tenant(pool, tenant_id) as connection:
        seat = await _hold(connection, tenant_id, seat_id, person_id)
        if not seat.is_held:
            held, there = await connection.fetchrow(COUNT_HELD, tenant_id, person_id, seat.merchant) or (0, 0)
            if there:
                raise Refusal("already_seated")
            if held >= HELD_MAX:
                raise Refusal("too_many_seats")
            await connection.execute(ACCEPT, tenant_id, seat_id)
            await note(connection, tenant_id, by, Act.SEAT_TAKEN, seat_id)
            facts = Facts(at=datetime.datetime.now(datetime.UTC), subject=seat_id)
            await leave(connection, tenant_id, NoticeKind.SEAT_TAKEN, seat.merchant, facts, session_id=by.session_id)
            seat = await _read(connection, tenant_id, seat_id, person_id)
    return seat, await read_display_names(pool, keys, tenant_id, {seat.merchant})


async def leave_seat(pool: Pool, tenant_id: int, seat_id: str, by: By) -> tuple[OwnSeat, list[str]]:
    """Decline an invitation, which nobody is told, or leave a seat. Once more is the same.

    Returns it with the sessions that have ended. Raises NotFound for somebody else's.
    """
    person_id = _speaker_of(by)
    ended: list[str] = []
    async with in_tenant(pool, tenant_id) as connection:
        seat = await _read(connection, tenant_id, seat_id, person_id)
        if seat.lives and seat.is_held:
            ended = await close(connection, tenant_id, seat_id, by)
        elif seat.lives:
            await connection.execute(DECLINE, tenant_id, seat_id)
            await note(connection, tenant_id, by, Act.SEAT_DECLINED, seat_id)
        seat = await _read(connection, tenant_id, seat_id, person_id)
    return seat, ended


async def act(pool: Pool, tenant_id: int, seat_id: str, by: By) -> Acting:
    """Speak for the seat's merchant, from the log-in that asks. The same log-in has one session in a seat.

    Raises NotFound for somebody else's seat; Refusal `seat_over` as `accept`, and when it was not accepted;
    CredentialsRefused when the log-in has ended.
    """
    person_id = _speaker_of(by)
    assert by.session_id is not None
    async with in_tenant(pool, tenant_id) as connection:
        seat = await _hold(connection, tenant_id, seat_id, person_id)
        if not seat.is_held:
            raise Refusal("seat_over")
        expires_at = await connection.fetchval(READ_LOG_IN, tenant_id, by.session_id, person_id)
        if expires_at is None:
            raise CredentialsRefused
        session_id: str | None = await connection.fetchval(FIND_SESSION, tenant_id, seat_id, by.session_id)
        if session_id is None:
            session_id = str(uuid.uuid4())
            await connection.execute(
                OPEN_SESSION, tenant_id, session_id, seat.merchant, expires_at, seat_id, by.session_id
            )
            await note(connection, tenant_id, by._replace(session_id=session_id), Act.SEAT_USED, seat_id)
        await connection.execute(NOTE_USE, tenant_id, seat_id)
    return Acting(session_id, seat.merchant, seat.scopes, expires_at)


async def note_act(pool: Pool, tenant_id: int, seat_session: str, by: By, asked: str, about: str | None) -> None:
    """Write down what somebody in a seat asks for, before it is done. `asked`: the command; `about`: an id."""
    async with in_tenant(pool, tenant_id) as connection:
        seat_id = await connection.fetchval(
            "select seat_id::text from sessions where tenant_id = $1 and id = $2", tenant_id, seat_session
        )
        details = {"asked": asked, "about": about}
        await note(connection, tenant_id, by, Act.SEAT_ACTED, seat_id, details=details)


async def _hold(connection: Connection, tenant_id: int, seat_id: str, person_id: str) -> OwnSeat:
    """A seat that lives, and both its people, held until the transaction ends. Raises NotFound, Refusal `seat_over`."""
    merchant = await connection.fetchval(FIND_MERCHANT, tenant_id, seat_id, person_id)
    if merchant is None:
        raise NotFound
    people = {
        row["id"]: (row["role"], row["status"])
        for row in await connection.fetch(LOCK_PERSONS, tenant_id, [merchant, person_id])
    }
    seat = await _read(connection, tenant_id, seat_id, person_id)
    is_theirs = people[merchant] == (Role.MERCHANT, PersonStatus.ACTIVE)
    role, status = people[person_id]
    if not seat.lives or not is_theirs or role not in SITTING or status != PersonStatus.ACTIVE:
        raise Refusal("seat_over")
    return seat


async def _read(connection: Connection, tenant_id: int, seat_id: str, person_id: str) -> OwnSeat:
    row = await connection.fetchrow(READ, tenant_id, seat_id, person_id)
    if row is None:
        raise NotFound
    return OwnSeat(*row)


def _speaker_of(by: By) -> str:
    assert by.person_id is not None
    return by.person_id

"""A person asks to be erased (LGPD art. 18, VI): what is in the way, what has to be kept and until when, and the rest.

    asked ──in the way──► refused, with what to do first; nothing is changed
      │
      └─ accounts closed, sessions ended, in one commit ──┬─ nothing to keep ──► key destroyed ──► ERASED
                                                          └─ WAITING for its day ──► ERASING ──► ERASED

Whatever of it is interrupted, `finish` does the rest. The key goes before the rows: by then it is done, and what is
removed after it opens no more.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from core.audit.trail import NOBODY, Act, By, note
from core.database import Connection, Pool, acquire, in_tenant
from core.errors import NotFound, Refusal
from core.keys.safe import Safe
from core.keys.sealing import has_plain
from core.people.erasing import NotSealedYet, close_doors, erase_person
from core.privacy.classes import Rows
from core.privacy.controller import read_controller
from core.privacy.duties import Duty, duties_of, read_past
from core.privacy.exports import STOP as STOP_EXPORTS
from core.privacy.forgetting import forget
from core.privacy.gathering import Person, read_accounts
from core.privacy.obstacles import Obstacle, find_obstacles
from core.privacy.states import ErasureStatus

# After its day, something may still be in the way (money that came back): it is looked at again after so long.
REST: Final = timedelta(days=1)
NOBODY_THERE: Final = "There is no such person in this tenant."
# Why the trail tells of an erasure on its day.
DUE: Final = "nothing obliges to keep it any more"
# And of one whose key these rows did not know to be gone.
GONE: Final = "the key was destroyed before"

NOW: Final = "select coalesce($1::timestamptz, clock_timestamp())"
READ: Final = """
select status, asked_at, by_operator, kept::text, due_on, forgotten_at, erased_at
  from erasures where tenant_id = $1 and person_id = $2
"""
HAS_PERSON: Final = "select true from persons where tenant_id = $1 and id = $2"
CLOSE_PERSON: Final = "select close_person($1, $2, $3)"
INSERT: Final = """
insert into erasures (tenant_id, person_id, status, asked_at, asked_by, by_operator, kept, due_on)
values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)
"""
IS_KEYLESS: Final = """
select exists (select from erased_persons where tenant_id = $1 and person_id = $2)
   and not exists (select from erasures where tenant_id = $1 and person_id = $2 and status <> 0)
"""
ADOPT: Final = """
insert into erasures (tenant_id, person_id, status, asked_at, by_operator, kept, due_on)
values ($1, $2, 1, $3, true, '[]', $4)
    on conflict (tenant_id, person_id) do update set status = 1, due_on = least(erasures.due_on, excluded.due_on)
"""
BEGIN: Final = """
update erasures set status = 1 where tenant_id = $1 and person_id = $2 and status = 0
"""
FORGOTTEN: Final = """
update erasures set forgotten_at = coalesce(forgotten_at, clock_timestamp()), rest_until = null
 where tenant_id = $1 and person_id = $2
"""
ERASED: Final = """
update erasures set status = 2, erased_at = $3 where tenant_id = $1 and person_id = $2 and status <> 2
returning true
"""
PUT_OFF: Final = "update erasures set rest_until = $3 where tenant_id = $1 and person_id = $2"
FIND_DUE: Final = "select tenant_id, person_id::text from find_due_erasures($1, $2)"


class Outlook(NamedTuple):
    """What an erasure would meet now: nothing, or what is in the way and what has to be kept."""

    obstacles: list[Obstacle]
    duties: list[Duty]


class Erasure(NamedTuple):
    """An erasure as it stands. `due_on`: the first day on which nothing obliges to keep anything any more."""

    status: ErasureStatus
    asked_at: datetime
    by_operator: bool
    kept: list[Duty]
    due_on: date
    forgotten_at: datetime | None
    erased_at: datetime | None


class Asked(NamedTuple):
    """What asking did: the erasure, and the sessions that ended with it, to close their sockets."""

    erasure: Erasure
    sessions: list[str]


async def read_erasure(pool: Pool, tenant_id: int, person_id: str) -> Erasure | None:
    """The person's erasure, if they asked for one."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, person_id)
    return None if row is None else _to_erasure(tuple(row))


async def look_ahead(pool: Pool, tenant_id: int, person_id: str, at: datetime | None = None) -> Outlook:
    """What is in the way of erasing this person now, and what would be kept. Raises NotFound."""
    controller, place = await read_controller(pool, tenant_id)
    async with in_tenant(pool, tenant_id) as connection:
        if await connection.fetchval(HAS_PERSON, tenant_id, person_id) is None:
            raise NotFound(NOBODY_THERE)
        now = await connection.fetchval(NOW, at)
        past = await read_past(connection, tenant_id, person_id)
        duties = duties_of(past, now, place.time_zone, keeps_all_identities=controller.keeps_all_identities)
        return Outlook(await find_obstacles(connection, tenant_id, person_id), _still(duties, now, place.time_zone))


async def ask_erasure(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    person_id: str,
    by: By,
    *,
    by_operator: bool = False,
    why: str | None = None,
    at: datetime | None = None,
) -> Asked:
    """End the relationship with a person and erase them, or as much of them as may be. Again it changes nothing.

    Raises NotFound; Refusal `erasure_obstructed`: nothing was changed, see `look_ahead`; NotSealedYet, Unavailable:
    nothing was done, or it is finished later; OutcomeUnknown: ask again.
    """
    if await has_plain(pool, tenant_id, person_id):
        raise NotSealedYet
    controller, place = await read_controller(pool, tenant_id)
    async with in_tenant(pool, tenant_id) as connection:
        # Locked and closed before anybody looks: what is found then cannot change.
        if not await connection.fetchval(CLOSE_PERSON, tenant_id, person_id, by.person_id):
            raise NotFound(NOBODY_THERE)
        known = await connection.fetchrow(READ, tenant_id, person_id)
        if known is not None:
            return Asked(_to_erasure(tuple(known)), [])
        now: datetime = await connection.fetchval(NOW, at)
        obstacles = await find_obstacles(connection, tenant_id, person_id)
        if obstacles:
            raise _obstructed(obstacles)
        past = await read_past(connection, tenant_id, person_id)
        duties = duties_of(past, now, place.time_zone, keeps_all_identities=controller.keeps_all_identities)
        duties = _still(duties, now, place.time_zone)
        ended = await close_doors(connection, tenant_id, person_id, by, why)
        await connection.execute(STOP_EXPORTS, tenant_id, person_id)
        status = ErasureStatus.WAITING if duties else ErasureStatus.ERASING
        due_on = duties[0].until if duties else now.astimezone(ZoneInfo(place.time_zone)).date()
        kept = json.dumps([duty._asdict() for duty in duties], default=str)
        await connection.execute(
            INSERT, tenant_id, person_id, int(status), now, by.person_id, by_operator, kept, due_on
        )
        details = {"status": status.name.lower(), "due_on": str(due_on), "laws": [duty.law for duty in duties]}
        await note(connection, tenant_id, by, Act.ERASURE_ASKED, person_id, why, details)
    if status is ErasureStatus.ERASING:
        await _erase(pool, keys, tenant_id, person_id, by, why)
    else:
        await _forget_at_once(pool, tenant_id, person_id)
    erasure = await read_erasure(pool, tenant_id, person_id)
    assert erasure is not None
    return Asked(erasure, ended)


async def find_due(pool: Pool, limit: int, at: datetime | None = None) -> list[tuple[int, str]]:
    """(tenant, person) whose erasure has something to be done, of all tenants."""
    async with acquire(pool) as connection:
        now = await connection.fetchval(NOW, at)
        return [tuple(row) for row in await connection.fetch(FIND_DUE, now, limit)]


async def finish(pool: Pool, keys: Safe, tenant_id: int, person_id: str, at: datetime | None = None) -> Erasure:
    """Do what an erasure has to be done of now: what was interrupted, and what its day has come for.

    Raises Refusal `erasure_obstructed` if something came in the way meanwhile: it is looked at again tomorrow. Any
    number of workers may call it at once.
    """
    _, place = await read_controller(pool, tenant_id)
    async with in_tenant(pool, tenant_id) as connection:
        now: datetime = await connection.fetchval(NOW, at)
        today = now.astimezone(ZoneInfo(place.time_zone)).date()
        if await connection.fetchval(IS_KEYLESS, tenant_id, person_id):
            await _adopt(connection, tenant_id, person_id, now, today)
        row = await connection.fetchrow(READ, tenant_id, person_id)
        if row is None:
            raise NotFound
        erasure = _to_erasure(tuple(row))
        is_due = today >= erasure.due_on
        if erasure.status is ErasureStatus.WAITING and is_due:
            await _begin(connection, tenant_id, person_id)
    if erasure.status is not ErasureStatus.ERASED and is_due:
        await _erase(pool, keys, tenant_id, person_id, NOBODY, DUE)
    elif erasure.forgotten_at is None:
        await _forget_at_once(pool, tenant_id, person_id)
    found = await read_erasure(pool, tenant_id, person_id)
    assert found is not None
    return found


async def put_off(pool: Pool, tenant_id: int, person_id: str, until: datetime) -> None:
    """Leave an erasure alone for a while."""
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(PUT_OFF, tenant_id, person_id, until)


async def _adopt(connection: Connection, tenant_id: int, person_id: str, now: datetime, today: date) -> None:
    """Their key is gone, and these rows do not know: from an older backup, or erased at the command line."""
    await connection.execute(CLOSE_PERSON, tenant_id, person_id, None)
    await close_doors(connection, tenant_id, person_id, NOBODY, GONE)
    await connection.execute(STOP_EXPORTS, tenant_id, person_id)
    await connection.execute(ADOPT, tenant_id, person_id, now, today)


async def _begin(connection: Connection, tenant_id: int, person_id: str) -> None:
    """Its day has come. Money may have come back to a closed account since."""
    await connection.execute(CLOSE_PERSON, tenant_id, person_id, None)
    obstacles = await find_obstacles(connection, tenant_id, person_id)
    if obstacles:
        raise _obstructed(obstacles)
    await connection.execute(BEGIN, tenant_id, person_id)


async def _erase(pool: Pool, keys: Safe, tenant_id: int, person_id: str, by: By, why: str | None) -> None:
    destroyed = (await erase_person(pool, keys, tenant_id, person_id, by, why)).key
    await _forget_at_once(pool, tenant_id, person_id)
    person = await _person(pool, tenant_id, person_id)
    removed = await forget(pool, person, Rows.GO_AT_THE_END)
    async with in_tenant(pool, tenant_id) as connection:
        if await connection.fetchval(ERASED, tenant_id, person_id, destroyed.at):
            await note(connection, tenant_id, by, Act.ERASURE_DONE, person_id, why, {"removed": removed})


async def _forget_at_once(pool: Pool, tenant_id: int, person_id: str) -> None:
    await forget(pool, await _person(pool, tenant_id, person_id), Rows.GO_AT_ONCE)
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(FORGOTTEN, tenant_id, person_id)


async def _person(pool: Pool, tenant_id: int, person_id: str) -> Person:
    return Person(tenant_id, person_id, tuple(await read_accounts(pool, tenant_id, person_id)))


def _obstructed(obstacles: list[Obstacle]) -> Refusal:
    codes = ", ".join(dict.fromkeys(one.code.value for one in obstacles))
    return Refusal("erasure_obstructed", f"First: {codes}. Nothing was changed.")


def _still(duties: list[Duty], now: datetime, time_zone: str) -> list[Duty]:
    """Those that hold on this day."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return [duty for duty in duties if duty.until > today]


def _to_erasure(row: tuple[Any, ...]) -> Erasure:
    status, asked_at, by_operator, kept, due_on, forgotten_at, erased_at = row
    duties = [
        Duty(one["code"], one["tables"], one["law"], date.fromisoformat(one["until"])) for one in json.loads(kept)
    ]
    return Erasure(ErasureStatus(status), asked_at, by_operator, duties, due_on, forgotten_at, erased_at)

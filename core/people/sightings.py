"""Sessions as their owner sees them: where they are, what they are called, when they were last heard of.

It begins and ends none.
"""

import datetime
from collections.abc import Mapping
from typing import NamedTuple

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant
from core.errors import NotFound
from core.people.sessions import HAS_PERSON

# Sessions shown at once. Nobody reads more; all of them can be ended without being listed.
SESSIONS_SHOWN_MAX = 200

LIST = """
select id::text, person_id::text, created_at, coalesce(last_seen_at, created_at), name, door, network, device_id::text,
       proofs
  from sessions
 where tenant_id = $1 and person_id = $2 and revoked_at is null and expires_at > now()
   and seat_id is null   -- somebody else's log-in: the merchant's seats say when each was used
 order by coalesce(last_seen_at, created_at) desc, id
 limit $3
"""
NAME = """
update sessions set name = $4
 where tenant_id = $1 and id = $2 and person_id = $3 and revoked_at is null and expires_at > now()
returning true
"""


class SessionSeen(NamedTuple):
    """A live session as its owner sees it."""

    id: str
    person_id: str
    made_at: datetime.datetime
    last_seen_at: datetime.datetime
    name: str | None
    door: str | None
    network: str | None
    device_id: str | None
    proofs: tuple[str, ...]


async def list_sessions(pool: Pool, tenant_id: int, person_id: str, by: By) -> list[SessionSeen]:
    """The person's live sessions, the one heard of last first. Somebody else's look at them is written down.

    Raises NotFound.
    """
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(HAS_PERSON, tenant_id, person_id):
            raise NotFound
        rows = await connection.fetch(LIST, tenant_id, person_id, SESSIONS_SHOWN_MAX)
        if by.person_id != person_id:
            await note(connection, tenant_id, by, Act.PERSONAL_DATA_READ, person_id, details={"sessions": len(rows)})
    return [SessionSeen(*row)._replace(proofs=tuple(row["proofs"])) for row in rows]


async def name_session(pool: Pool, tenant_id: int, person_id: str, session_id: str, name: str) -> None:
    """Give one of the person's own sessions a name. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(NAME, tenant_id, session_id, person_id, name):
            raise NotFound


async def touch(pool: Pool, seen: Mapping[tuple[int, str], datetime.datetime]) -> int:
    """Note when (tenant id, session id) pairs were last heard of; those noted within the last minute are left alone."""
    if not seen:
        return 0
    tenants, sessions = zip(*seen, strict=True)
    async with acquire(pool) as connection:
        count: int = await connection.fetchval(
            "select touch_sessions($1, $2, $3)", tenants, sessions, list(seen.values())
        )
    return count

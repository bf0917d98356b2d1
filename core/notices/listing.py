"""A person's own stream of notices: read, acknowledged, and watched for what is new.

Everything of theirs that is no event of an account, numbered without a gap. Events of accounts are in the accounts'
streams, and a code is in nobody's.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from core.database import Pool, acquire, in_tenant
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind

READ: Final = """
select notices.bell, notices.kind, notices.happened_at, notices.heard_at is not null, notices.session_id::text,
       sessions.name, notices.facts::text, news.title, news.body
  from notices
  left join sessions on sessions.tenant_id = notices.tenant_id and sessions.id = notices.session_id
  left join news
    on notices.kind = 50 and news.tenant_id = notices.tenant_id and news.id = (notices.facts ->> 'subject')::uuid
 where notices.tenant_id = $1 and notices.person_id = $2 and notices.bell is not null
   and ($3::bigint is null or notices.bell > $3) and ($4::bigint is null or notices.bell < $4)
"""
READ_NEWEST: Final = READ + " order by notices.bell desc limit $5"
READ_NEXT: Final = READ + " order by notices.bell limit $5"
READ_BELL: Final = """
select coalesce((select number from bells where tenant_id = $1 and person_id = $2), 0),
       (select count(*) from (
            select from notices
             where tenant_id = $1 and person_id = $2 and bell is not null and heard_at is null
             limit 100
       ) as waiting)
"""
HEAR: Final = "select hear_notices($1, $2, $3, $4)"
FIND_RUNG: Final = "select tenant_id, person_id::text, number, changed_at from find_rung($1, $2)"


class Notice(NamedTuple):
    """One of a person's stream. `name`: of the session that did it, if one did and it has any.

    `title`, `text`: of news.
    """

    number: int
    kind: NoticeKind
    at: datetime
    is_heard: bool
    session_id: str | None
    name: str | None
    facts: Facts | None
    title: str | None
    text: str | None


class Bell(NamedTuple):
    """The number of a person's last notice, and how many they have not acknowledged (100: or more)."""

    number: int
    unheard: int


async def read_notices(
    pool: Pool,
    tenant_id: int,
    person_id: str,
    limit: int,
    *,
    after: int | None = None,
    before: int | None = None,
) -> list[Notice]:
    """A page: with `after` the oldest first from there on, otherwise the newest first, below `before`."""
    query = READ_NEWEST if after is None else READ_NEXT
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(query, tenant_id, person_id, after, before, limit)
    return [
        Notice(
            number,
            NoticeKind(kind),
            at,
            is_heard,
            session_id,
            name,
            None if facts is None else msgspec.json.decode(facts, type=Facts),
            *news,
        )
        for number, kind, at, is_heard, session_id, name, facts, *news in rows
    ]


async def read_bell(pool: Pool, tenant_id: int, person_id: str) -> Bell:
    """How far a person's stream goes."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_BELL, tenant_id, person_id)
    assert row is not None
    return Bell(*row)


async def hear(pool: Pool, tenant_id: int, person_id: str, session_id: str, number: int) -> int:
    """Acknowledge a person's notices up to `number`, but for what this session did itself; how many it was."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval(HEAR, tenant_id, person_id, session_id, number)
    return count


class Rung(NamedTuple):
    """Somebody's stream has gone on."""

    tenant_id: int
    person_id: str
    number: int
    at: datetime


async def find_rung(pool: Pool, since: datetime | None, overlap: timedelta) -> list[Rung]:
    """Whose streams have gone on since then, of all tenants; None: since the last few seconds.

    `overlap`: further back, for what was committed later than it was written.
    """
    async with acquire(pool) as connection:
        return [Rung(*row) for row in await connection.fetch(FIND_RUNG, since, overlap)]

"""Whether somebody was told of something: the notices that are left of it, and what was handed over for them.

A notice of money goes when it is acknowledged; what was acknowledged, the account's own numbers say.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from core.database import Pool, in_tenant
from core.notices.deliveries import Road, State
from core.notices.kinds import NoticeKind

NOTICES_MAX: Final = 200

READ_OF_EVENTS: Final = """
select notices.id::text, notices.kind, notices.person_id::text, notices.noted_at, notices.heard_at
  from unnest($2::bigint[], $3::bigint[]) as event (account_id, number)
  join notices on notices.tenant_id = $1 and notices.account_id = event.account_id and notices.number = event.number
"""
READ_OF_SUBJECTS: Final = """
select id::text, kind, person_id::text, noted_at, heard_at
  from notices
 where tenant_id = $1 and person_id = any ($2::uuid[]) and account_id is null and facts ->> 'subject' = any ($3)
 limit $4
"""
READ_DELIVERIES: Final = """
select road, state, tries, code, made_at, ended_at, notice_ids::text[]
  from deliveries
 where tenant_id = $1 and person_id = any ($2::uuid[]) and made_at >= $3 and notice_ids && $4::uuid[]
 order by made_at
 limit $5
"""


class Handed(NamedTuple):
    """A push or a mail that was made of a notice, and what became of it."""

    road: Road
    state: State
    tries: int
    code: str | None
    made_at: datetime
    ended_at: datetime | None


class Told(NamedTuple):
    """A notice that somebody was left, when they acknowledged it, and what was handed over meanwhile."""

    id: str
    kind: NoticeKind
    person_id: str
    at: datetime
    heard_at: datetime | None
    handed: list[Handed]


async def read_told(
    pool: Pool,
    tenant_id: int,
    events: Sequence[tuple[int, int]],
    subjects: Sequence[str],
    persons: Sequence[str],
) -> list[Told]:
    """What these persons were told of these events, (account, number) each, and of what has these ids; oldest first."""
    accounts, numbers = [one[0] for one in events], [one[1] for one in events]
    async with in_tenant(pool, tenant_id) as connection:
        rows = list(await connection.fetch(READ_OF_EVENTS, tenant_id, accounts, numbers))
        rows += await connection.fetch(READ_OF_SUBJECTS, tenant_id, persons, subjects, NOTICES_MAX)
        told = {id_: Told(id_, NoticeKind(kind), person, at, heard_at, []) for id_, kind, person, at, heard_at in rows}
        if told:
            since = min(one.at for one in told.values())
            found = await connection.fetch(READ_DELIVERIES, tenant_id, persons, since, list(told), NOTICES_MAX)
            for road, state, tries, code, made_at, ended_at, notice_ids in found:
                for id_ in told.keys() & set(notice_ids):
                    told[id_].handed.append(Handed(Road(road), State(state), tries, code, made_at, ended_at))
    return sorted(told.values(), key=lambda one: one.at)

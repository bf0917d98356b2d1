"""How far the signed heads have got to the places outside this database, as the database remembers it.

A place takes, of all heads up to a round moment, the last one: so every place keeps the same heads, and whoever
compares two places finds them. It writes to no place itself; that is a worker's doing (workers/anchors). What is
remembered here is for catching up and for looking, and never for proving: a place is believed for what it has.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.database import Connection, Pool, acquire
from core.proof.checking import KeptHead, moment
from core.proof.cosignatures import Cosignature
from core.proof.heads import Head

# Heads are taken as of the last of these that has passed; so a head waits for its place half of a minute and a look.
STRIDE: Final = timedelta(seconds=30)
# What was signed before a round moment is there to be found so long after it: nobody seals for longer.
SETTLED: Final = timedelta(seconds=2)

FIND = "select * from find_unanchored($1, $2, $3, $4, $5)"
FIND_SHORTENED = "select * from find_shortened($1)"
NOTE = "select note_anchors($1, $2, $3, $4, $5, $6, $7)"
THIN = "select thin_heads($1)"
NOTE_REFUSAL = "select note_anchor_refusal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
# For an administrator, who sees all tenants: each log that has a head, and each place that is to have it or ever had.
READ_PROGRESS = """
select coalesce(tenants.slug, '') as slug, logs.tenant_id, places.place, coalesce(taken.size, 0) as size,
       taken.anchored_at, coalesce(newest.size, 0) as log_size, first.sealed_at as waits_since, refused.refused_at
  from (select 0 as tenant_id union all select id from payhub.tenants) as logs
 cross join (
      select unnest($1::text[]) union select place from payhub.anchors union select place from payhub.anchor_refusals
  ) as places (place)
  left join payhub.tenants on tenants.id = logs.tenant_id
  left join payhub.anchors as taken on taken.tenant_id = logs.tenant_id and taken.place = places.place
  left join lateral (
      select log_heads.size
        from payhub.log_heads
       where log_heads.tenant_id = logs.tenant_id
       order by log_heads.size desc
       limit 1
  ) newest on true
  left join lateral (
      select log_heads.sealed_at
        from payhub.log_heads
       where log_heads.tenant_id = logs.tenant_id and log_heads.size > coalesce(taken.size, 0)
       order by log_heads.size
       limit 1
  ) first on true
  left join lateral (
      select max(anchor_refusals.refused_at) as refused_at
        from payhub.anchor_refusals
       where anchor_refusals.tenant_id = logs.tenant_id and anchor_refusals.place = places.place
  ) refused on true
 where taken.size is not null
    or refused.refused_at is not null
    or (newest.size is not null and places.place = any ($1::text[]))
 order by logs.tenant_id, places.place
"""


class Waiting(NamedTuple):
    """A head that a place is to take.

    `anchored_size`: of what it took last, 0 for nothing. `since`: when the first head was signed that it does not
    cover.
    """

    head: Head
    anchored_size: int
    since: datetime


class Anchored(NamedTuple):
    """A head that a place has taken."""

    head: Head
    cosignature: Cosignature | None = None


class Shortened(NamedTuple):
    """A log that is shorter than a place has seen it."""

    tenant_id: int
    size: int
    anchored_size: int


class Refused(NamedTuple):
    """A head that a witness would not take, because of one that it has seen."""

    head: Head
    kept: KeptHead


class Progress(NamedTuple):
    """How far one place is with one log. `slug` empty: the installation's own log."""

    slug: str
    tenant_id: int
    place: str
    size: int
    anchored_at: datetime | None
    log_size: int
    waits_since: datetime | None
    refused_at: datetime | None


async def find_unanchored(pool: Pool, place: str, limit: int, until: datetime | None = None) -> list[Waiting]:
    """What a place is to take next, the longest waiting first. `until` None: as of the last round moment."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(FIND, place, until, STRIDE, SETTLED, limit)
    return [Waiting(Head(*row[:6]), row[6], row[7]) for row in rows]


async def find_shortened(pool: Pool, place: str) -> list[Shortened]:
    """Logs that have fewer leaves than this place has seen."""
    async with acquire(pool) as connection:
        return [Shortened(*row) for row in await connection.fetch(FIND_SHORTENED, place)]


async def note_anchors(pool: Pool, place: str, taken: Sequence[Anchored]) -> None:
    """Remember what a place has taken."""
    if not taken:
        return
    signed = [one.cosignature for one in taken]
    async with acquire(pool) as connection:
        await connection.execute(
            NOTE,
            place,
            [one.head.tenant_id for one in taken],
            [one.head.size for one in taken],
            [one.head.sealed_at for one in taken],
            [None if one is None else one.witness for one in signed],
            [None if one is None else moment(one.seen_at_us) for one in signed],
            [None if one is None else one.signature for one in signed],
        )


async def note_refusal(pool: Pool, place: str, refused: Refused) -> bool:
    """Remember, and write into the audit trail, that a witness would not take a head; whether it is news."""
    head, kept = refused
    async with acquire(pool) as connection:
        return bool(
            await connection.fetchval(
                NOTE_REFUSAL,
                head.tenant_id,
                place,
                kept.size,
                kept.root,
                moment(kept.at_us),
                kept.kid,
                kept.signature,
                head.size,
                head.root,
                head.sealed_at,
                head.kid,
                head.signature,
            )
        )


async def thin_heads(pool: Pool, limit: int) -> int:
    """Take away old heads that no place was given and no witness cosigned. How many were looked at, of each `limit`."""
    async with acquire(pool) as connection:
        return int(await connection.fetchval(THIN, limit))


async def read_progress(admin: "Connection | Pool", places: Sequence[str]) -> list[Progress]:
    """How far these places, and all others that ever took anything, are with every log."""
    return [Progress(*row) for row in await admin.fetch(READ_PROGRESS, places)]

"""What was written before there were keys is sealed where it lies, while everything goes on.

What stood plain in a row is taken away in the commit that seals it. A row that somebody changes meanwhile is left for
the next pass. Whoever is interrupted begins again.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg

from core.database import Connection, Pool, acquire, in_tenant
from core.keys.cipher import Erased
from core.keys.places import MOVING, PLACES, Place
from core.keys.safe import Safe

# Rows of one commit.
BATCH: Final = 500
# To look through a table once.
TIMEOUT_S: Final = 600.0

COUNT_PLAIN = "select count(*) from {source} where one.tenant_id = $1 and one.{plain} is not null"
HAS_PLAIN = "select exists (select from {table} as one where one.tenant_id = $1 and one.{plain} is not null)"
HAS_PLAIN_OF = """
select exists (select from {source} where one.tenant_id = $1 and {whose} = $2 and one.{plain} is not null)
"""
# A row is known by where this version of it lies: the reading transaction keeps that place from being used again.
READ_PLAIN = """
select one.ctid, {named}, {whose}::text, one.{plain} from {source} where one.tenant_id = $1 and one.{plain} is not null
"""
SEAL = """
update {table} as one set {column} = anew.sealed, {plain} = null{and_index}
  from unnest($2::tid[], $3::bytea[], $4::bytea[]) as anew (at, sealed, hash)
 where one.ctid = anew.at and one.tenant_id = $1
returning true
"""

Sealed = tuple[Any, bytes, bytes | None]


async def count_plain(admin: Pool, tenant_id: int, places: Sequence[Place] = (*PLACES, *MOVING)) -> int:
    """Values of a tenant's that are not sealed yet."""
    async with in_tenant(admin, tenant_id) as connection:
        return sum(
            [await connection.fetchval(_sql(COUNT_PLAIN, one), tenant_id, timeout=TIMEOUT_S) for one in _plain(places)]
        )


async def has_plain(
    pool: Pool, tenant_id: int, person_id: str | None = None, places: Sequence[Place] = (*PLACES, *MOVING)
) -> bool:
    """Whether anything of a tenant's, or of one person's, is not sealed yet."""
    async with in_tenant(pool, tenant_id) as connection:
        for one in _plain(places):
            if person_id is None:
                found = await connection.fetchval(_sql(HAS_PLAIN, one), tenant_id)
            else:
                found = await connection.fetchval(_sql(HAS_PLAIN_OF, one), tenant_id, person_id)
            if found:
                return True
    return False


async def seal_plain(
    admin: Pool,
    safe: Safe,
    tenant_id: int,
    reach: Callable[[int], None] = lambda _: None,
    places: Sequence[Place] = PLACES,
) -> int:
    """Seal what a tenant has in plain: how many values. `reach` is told how many it is so far.

    `admin` logs in as the administrator: nobody else may write all places. What cannot be sealed, because its person
    was erased or because two log in by one name, stays: has_plain tells.
    """
    count = 0
    for place in _plain(places):
        while done := await _pass(admin, safe, tenant_id, place):
            count += done
            reach(count)
    return count


async def _pass(admin: Pool, safe: Safe, tenant_id: int, place: Place) -> int:
    """Once through a place."""
    count = 0
    async with in_tenant(admin, tenant_id) as reading:
        cursor = await reading.cursor(_sql(READ_PLAIN, place), tenant_id)
        while rows := await cursor.fetch(BATCH):
            sealed = await _seal(safe, tenant_id, place, rows)
            async with acquire(admin) as connection:
                count += await _write(connection, tenant_id, place, sealed)
    return count


async def _seal(safe: Safe, tenant_id: int, place: Place, rows: Sequence[asyncpg.Record]) -> list[Sealed]:
    ciphers = await safe.of(tenant_id, {whose for _, _, whose, _ in rows if whose is not None}, create=True)
    sealed: list[Sealed] = []
    for at, row, whose, plain in rows:
        if whose is None or isinstance(ciphers[whose], Erased):
            continue
        index = None if place.found_by is None else await safe.index(tenant_id, place.found_by[1], plain)
        sealed.append((at, ciphers[whose].seal(place.table, place.column, row, plain), index))
    return sealed


async def _write(connection: Connection, tenant_id: int, place: Place, sealed: Sequence[Sealed]) -> int:
    if not sealed:
        return 0
    try:
        async with connection.transaction():
            await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant_id))
            return len(await connection.fetch(_sql(SEAL, place), tenant_id, *zip(*sealed, strict=True)))
    except asyncpg.UniqueViolationError:
        if len(sealed) == 1:
            return 0
    return sum([await _write(connection, tenant_id, place, [one]) for one in sealed])


def _plain(places: Sequence[Place]) -> list[Place]:
    """Places with something to seal. Rows that are never changed keep what they have."""
    return [one for one in places if one.plain is not None and not one.is_kept]


def _sql(query: str, place: Place) -> str:
    """A query about a place. Everything that is put in is a constant of places.py."""
    return query.format(
        table=place.table,
        column=place.column,
        plain=place.plain,
        named=place.named,
        source=place.source,
        whose=place.whose,
        and_index="" if place.found_by is None else f", {place.found_by[0]} = anew.hash",
    )

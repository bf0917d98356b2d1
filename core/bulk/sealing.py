"""What lines of bulks from before there were keys say is sealed, chunk by chunk, and taken away where it stood plain.

A bulk that is still being received is left alone: its file may be sent anew at any moment.
"""

from collections.abc import Callable
from typing import Final

from core.bulk.words import CHUNK_MAX, seal_words
from core.database import Connection, Pool, in_tenant
from core.errors import PersonErased
from core.keys.safe import Safe

FIND_BULKS = """
select bulks.id::text,
       coalesce(
           (select accounts.person_id from accounts
             where accounts.tenant_id = bulks.tenant_id and accounts.id = bulks.account),
           bulks.maker
       )::text
  from bulks
 where bulks.tenant_id = $1 and bulks.status > 0
   and exists (
       select from bulk_lines
        where bulk_lines.tenant_id = $1 and bulk_lines.bulk_id = bulks.id
          and (bulk_lines.description is not null or bulk_lines.reference is not null)
   )
"""
# Whoever begins the file again, or cancels, waits.
LOCK_BULK = "select true from bulks where tenant_id = $1 and id = $2 and status > 0 for update"
# From the first plain line on, up to the next chunk that is sealed.
READ_LINES = """
with begins as (
    select min(number) as at from bulk_lines
     where tenant_id = $1 and bulk_id = $2 and (description is not null or reference is not null)
), ends as (
    select least(
               begins.at + $3::int,
               (select min(first) from bulk_words where tenant_id = $1 and bulk_id = $2 and first > begins.at)
           ) as at
      from begins
)
select number, description, reference
  from bulk_lines, begins, ends
 where tenant_id = $1 and bulk_id = $2 and number >= begins.at and number < ends.at
 order by number
"""
KEEP = """
insert into bulk_words (tenant_id, bulk_id, first, length, person_id, sealed) values ($1, $2, $3, $4, $5, $6)
"""
TAKE_AWAY = """
update bulk_lines set description = null, reference = null, reference_hash = kept.hash
  from unnest($3::int[], $4::bytea[]) as kept (number, hash)
 where tenant_id = $1 and bulk_id = $2 and bulk_lines.number = kept.number
"""
TIMEOUT_S: Final = 60.0


async def seal_lines(admin: Pool, keys: Safe, tenant_id: int, reach: Callable[[int], None] = lambda _: None) -> int:
    """Seal what a tenant's lines say in plain: how many descriptions and references. `reach` is told the same so far.

    Of somebody who was erased, it stays: core.keys.sealing.has_plain tells.
    """
    count = 0
    async with in_tenant(admin, tenant_id) as connection:
        bulks = await connection.fetch(FIND_BULKS, tenant_id, timeout=TIMEOUT_S)
    for bulk_id, person_id in bulks:
        while True:
            async with in_tenant(admin, tenant_id) as connection:
                done = await _seal_chunk(connection, keys, tenant_id, bulk_id, person_id)
            if not done:
                break
            count += done
            reach(count)
    return count


async def _seal_chunk(connection: Connection, keys: Safe, tenant_id: int, bulk_id: str, person_id: str) -> int:
    if not await connection.fetchval(LOCK_BULK, tenant_id, bulk_id):
        return 0
    lines = await connection.fetch(READ_LINES, tenant_id, bulk_id, CHUNK_MAX, timeout=TIMEOUT_S)
    if not lines:
        return 0
    numbers, descriptions, references = zip(*lines, strict=True)
    try:
        kept = await seal_words(keys, tenant_id, person_id, bulk_id, numbers[0], descriptions, references)
    except PersonErased:
        return 0
    await connection.execute(KEEP, tenant_id, bulk_id, numbers[0], len(lines), person_id, kept.sealed)
    await connection.execute(TAKE_AWAY, tenant_id, bulk_id, numbers, kept.hashes, timeout=TIMEOUT_S)
    return sum(one is not None for one in (*descriptions, *references))

"""What a person asked to be told of themselves: asked for, watched, fetched, removed. making.py does the rest.

The files are made once, as of the moment they were asked for, and kept sealed under the person's own key: made anew
with each download they would differ, cost as much again, and have nothing that could be resumed. After a week they are
removed; an erasure takes them at once.
"""

import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from core.audit.trail import NOBODY, Act, By, note
from core.database import Pool, acquire, in_tenant
from core.errors import Conflict, NotFound, Refusal
from core.keys.places import EXPORT_PIECE
from core.keys.safe import Safe
from core.privacy.states import ExportStatus, Form

KEPT: Final = timedelta(days=7)
# Whoever needs it again within a day has it; making one reads all of a person's rows.
PER_DAY_MAX: Final = 3
LANGUAGES: Final = ("pt", "en")

COLUMNS: Final = """
id::text, person_id::text, language, status, asked_at, total, done, json_size, volumes, finished_at, expires_at
"""
INSERT: Final = f"""
insert into privacy_exports (tenant_id, id, person_id, language, session_id) values ($1, $2, $3, $4, $5)
    on conflict do nothing
returning {COLUMNS}
"""  # noqa: S608 - a constant
READ: Final = f"select {COLUMNS} from privacy_exports where tenant_id = $1 and id = $2"  # noqa: S608 - a constant
LIST: Final = f"""
select {COLUMNS}
  from privacy_exports
 where tenant_id = $1 and person_id = $2
   and ($3::uuid is null or (asked_at, id) < (
       select asked_at, id from privacy_exports where tenant_id = $1 and person_id = $2 and id = $3
   ))
 order by asked_at desc, id desc
 limit $4
"""  # noqa: S608 - a constant
COUNT_LATELY: Final = """
select count(*) from privacy_exports
 where tenant_id = $1 and person_id = $2 and status <> 4 and asked_at > clock_timestamp() - interval '1 day'
"""
# Asking is one at a time for a person, or two at once would both be the last that fits.
LOCK: Final = "select pg_advisory_xact_lock($1, hashtext('export ' || $2))"
READ_PIECE: Final = """
select content_sealed
  from privacy_export_pieces
 where tenant_id = $1 and export_id = $2 and form = $3 and volume = $4 and number = $5
"""
EXPIRE: Final = """
update privacy_exports set status = 3, place = null
 where tenant_id = $1 and id = $2 and status = 2
returning person_id::text
"""
DROP_PIECES: Final = "delete from privacy_export_pieces where tenant_id = $1 and export_id = $2"
# Of somebody who is erased: what is under way ends.
STOP: Final = """
update privacy_exports set status = 4, place = null
 where tenant_id = $1 and person_id = $2 and status in (0, 1, 2)
"""


class Export(NamedTuple):
    """An export as it stands. `total` and `done`: things told, of all there are. `json_size` in bytes.

    `volumes`: of the PDF. The files are there while the status is READY.
    """

    id: str
    person_id: str
    language: str
    status: int
    asked_at: datetime
    total: int
    done: int
    json_size: int
    volumes: int
    finished_at: datetime | None
    expires_at: datetime | None


class Progress(NamedTuple):
    """How far an export is."""

    tenant_id: int
    id: str
    status: int
    total: int
    done: int
    json_size: int
    volumes: int


async def ask_export(pool: Pool, tenant_id: int, person_id: str, export_id: str, language: str, by: By) -> Export:
    """Ask for everything of a person's. The same id again gives the export as it stands.

    Raises Conflict (the id is taken), NotFound, Refusal `export_under_way`, `too_many_exports`.
    """
    try:
        async with in_tenant(pool, tenant_id) as connection:
            await connection.execute(LOCK, tenant_id, person_id)
            known = await connection.fetchrow(READ, tenant_id, export_id)
            if known is not None:
                export = Export(*known)
                if (export.person_id, export.language) != (person_id, language):
                    raise Conflict
                return export
            if await connection.fetchval(COUNT_LATELY, tenant_id, person_id) >= PER_DAY_MAX:
                raise Refusal("too_many_exports")
            row = await connection.fetchrow(INSERT, tenant_id, export_id, person_id, language, by.session_id)
            if row is None:
                raise Refusal("export_under_way")
            await note(connection, tenant_id, by, Act.EXPORT_ASKED, person_id, details={"export": export_id})
            return Export(*row)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound from None


async def read_export(pool: Pool, tenant_id: int, person_id: str, export_id: str) -> Export:
    """The person's export as it stands. Raises NotFound, also for somebody else's."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, export_id)
    if row is None or row["person_id"] != person_id:
        raise NotFound
    return Export(*row)


async def list_exports(
    pool: Pool, tenant_id: int, person_id: str, limit: int, before: str | None = None
) -> list[Export]:
    """A person's exports, newest first, before one of them."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Export(*row) for row in await connection.fetch(LIST, tenant_id, person_id, before, limit)]


async def read_progress(pool: Pool, exports: Sequence[tuple[int, str]]) -> list[Progress]:
    """How far these (tenant, export) are, in no order."""
    tenants, ids = zip(*exports, strict=True)
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            "select tenant_id, id::text, status, total, done, json_size, volumes from read_export_progress($1, $2)",
            tenants,
            ids,
        )
    return [Progress(*row) for row in rows]


async def fetch_file(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str, export_id: str, form: Form, volume: int, by: By
) -> AsyncIterator[bytes]:
    """A finished file, in pieces, opened one at a time. That it is fetched is in the trail before the first of them.

    Raises NotFound: there is no such file, or no more, or it is somebody else's.
    """
    export = await read_export(pool, tenant_id, person_id, export_id)
    last = 0 if form is Form.JSON else export.volumes - 1
    if export.status != ExportStatus.READY or not 0 <= volume <= last:
        raise NotFound
    async with in_tenant(pool, tenant_id) as connection:
        details = {"export": export_id, "form": form.name.lower(), "volume": volume}
        await note(connection, tenant_id, by, Act.EXPORT_FETCHED, person_id, details=details)
    return _pieces(pool, keys, tenant_id, person_id, export_id, form, volume)


async def remove_expired(pool: Pool, limit: int) -> int:
    """Remove the files of exports whose week is over: of how many."""
    async with acquire(pool) as connection:
        found = await connection.fetch("select tenant_id, id::text from find_expired_exports($1)", limit)
    for tenant_id, export_id in found:
        async with in_tenant(pool, tenant_id) as connection:
            person_id = await connection.fetchval(EXPIRE, tenant_id, export_id)
            if person_id is not None:
                await connection.execute(DROP_PIECES, tenant_id, export_id)
                await note(connection, tenant_id, NOBODY, Act.EXPORT_REMOVED, person_id, details={"export": export_id})
    return len(found)


async def _pieces(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str, export_id: str, form: Form, volume: int
) -> AsyncIterator[bytes]:
    number = 0
    while True:
        async with in_tenant(pool, tenant_id) as connection:
            sealed = await connection.fetchval(READ_PIECE, tenant_id, export_id, int(form), volume, number)
        if sealed is None:
            return
        # Asked for again with each piece: somebody may be erased while they fetch.
        cipher = await keys.one(tenant_id, person_id)
        content = cipher.open_bytes(*piece_place(export_id, form, volume, number), sealed)
        if content is None:
            # The rest is nobody's any more.
            return
        yield zlib.decompress(content) if form is Form.JSON else content
        number += 1


def piece_place(export_id: str, form: Form, volume: int, number: int) -> tuple[str, str, str]:
    """Where a piece is sealed: table, column, row."""
    return EXPORT_PIECE.table, EXPORT_PIECE.column, f"{export_id}/{int(form)}/{volume}/{number}"

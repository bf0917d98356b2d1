"""Makes an export, a step at a time: each step's pieces and how far it has come are one commit.

A worker that is killed loses one step, and whoever goes on writes it once: a step is kept only if the export still
stands where the step began. What is in memory is one page of rows and one volume of the PDF, whatever there is to tell.
"""

import logging
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from core.audit.trail import NOBODY, Act, note
from core.database import Pool, acquire, in_tenant
from core.errors import NotFound, OutcomeUnknown, PersonErased, Unavailable
from core.keys.safe import Safe
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.people.opening import Tenant, read_tenant
from core.privacy.controller import read_controller
from core.privacy.exports import COLUMNS, KEPT, Export, piece_place
from core.privacy.gathering import (
    Key,
    Person,
    Row,
    read_accounts,
    read_entries,
    read_keys,
    read_page,
    read_refused,
    shown,
)
from core.privacy.paper import Paper, Sheet, write_paper
from core.privacy.states import Form
from core.privacy.tables import LEDGER

log = logging.getLogger(__name__)

FORMAT: Final = "payhub person export 1"
SCHEMA: Final = "/docs/person-export.schema.json"
# Longer than a step takes on a busy machine.
LEASE: Final = timedelta(seconds=120)
# Rows of one query, and of one step: a quarter of a megabyte of JSON, a few tens of milliseconds.
PAGE_LENGTH: Final = 1_000
STEP_LENGTH: Final = 2_000
# Entries of one volume of the PDF: a quarter of a gigabyte while it is set, in a process of its own.
VOLUME_LENGTH: Final = 10_000
# Rows of any other table that a PDF shows; the JSON has all.
SHEET_LENGTH: Final = 500
PIECE_SIZE: Final = 1024 * 1024
TRIES_MAX: Final = 5
RETRY: Final = timedelta(seconds=15)

ENTRIES: Final = "entries"
REFUSED: Final = "refused_payments"

CLAIM: Final = "select tenant_id, id::text from claim_export($1)"
READ: Final = f"select {COLUMNS}, place::text from privacy_exports where tenant_id = $1 and id = $2"  # noqa: S608
INSERT_PIECES: Final = """
insert into privacy_export_pieces (tenant_id, export_id, person_id, form, volume, number, content_sealed)
select $1, $2, $3, piece.form, piece.volume, piece.number, piece.content
  from unnest($4::smallint[], $5::int[], $6::int[], $7::bytea[]) as piece (form, volume, number, content)
"""
SAVE: Final = """
update privacy_exports
   set place = $4::jsonb, total = $5, done = $6, json_size = $7, volumes = $8, tries = 0, free_at = clock_timestamp(),
       status = case when $9 then 2 else status end,
       finished_at = case when $9 then clock_timestamp() end,
       expires_at = case when $9 then clock_timestamp() + $10 end
 where tenant_id = $1 and id = $2 and status = 1 and place is not distinct from $3::jsonb
returning true
"""
GIVE_UP: Final = (
    "update privacy_exports set status = 4, place = null where tenant_id = $1 and id = $2 and status in (0, 1)"
)
DROP_PIECES: Final = "delete from privacy_export_pieces where tenant_id = $1 and export_id = $2"
PUT_OFF: Final = """
update privacy_exports
   set tries = tries + 1, free_at = clock_timestamp() + $3, status = case when tries + 1 >= $4 then 4 else status end
 where tenant_id = $1 and id = $2 and status = 1
"""


class Standing(msgspec.Struct):
    """How far an export has come. Kept in privacy_exports.place.

    `accounts`: each with the number of its last event at the beginning. `section`: which comes next; behind the last
    one the PDF is made. `account` and `after`: where the section, or the PDF, goes on. `has_rows`: it has some.
    """

    accounts: list[tuple[int, int]]
    section: int = 0
    account: int = 0
    after: list[str] | None = None
    has_rows: bool = False
    pieces: int = 0
    json_size: int = 0
    volume: int = 0
    done: int = 0

    @property
    def total(self) -> int:
        """Everything that there is to do: entries count twice, for the JSON and for the PDF."""
        return 2 * sum(number for _, number in self.accounts) + len(sections()) + 1


class Piece(NamedTuple):
    """A piece of a file, before it is sealed."""

    form: Form
    volume: int
    number: int
    content: bytes


class Case(NamedTuple):
    """An export in hand."""

    pool: Pool
    keys: Safe
    tenant: Tenant
    export: Export
    person: Person
    table_keys: dict[str, Key]


def sections() -> list[str]:
    """What an export tells, in its order: a table each, and two that are more than a table."""
    names = [table.name for table in shown()]
    at = names.index("accounts") + 1
    return [*names[:at], ENTRIES, REFUSED, *names[at:]]


async def make_some(pool: Pool, keys: Safe) -> int:
    """Take the next step of the export that has waited longest; how many there were.

    Any number of workers may call it at once. Raises Unavailable, OutcomeUnknown.
    """
    async with acquire(pool) as connection:
        claimed = await connection.fetchrow(CLAIM, LEASE)
    if claimed is None:
        return 0
    tenant_id, export_id = claimed
    try:
        await _step(pool, keys, tenant_id, export_id)
    except (PersonErased, NotFound):
        await _give_up(pool, tenant_id, export_id)
    except (Unavailable, OutcomeUnknown):
        raise
    except Exception as error:
        log.warning("export_failed", extra={"export": export_id, "error": type(error).__name__})
        async with in_tenant(pool, tenant_id) as connection:
            await connection.execute(PUT_OFF, tenant_id, export_id, RETRY, TRIES_MAX)
    return 1


async def _step(pool: Pool, keys: Safe, tenant_id: int, export_id: str) -> None:
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, export_id)
    assert row is not None, "it was claimed"
    export, before = Export(*tuple(row)[:-1]), row["place"]
    tenant = await read_tenant(pool, tenant_id)
    if before is None:
        accounts = await read_accounts(pool, tenant_id, export.person_id)
        standing = Standing(list(accounts.items()))
    else:
        standing = msgspec.json.decode(before, type=Standing)
    person = Person(tenant_id, export.person_id, tuple(account for account, _ in standing.accounts))
    case = Case(pool, keys, tenant, export, person, await read_keys(pool))
    if standing.section < len(sections()):
        pieces, is_finished = [await _write_json(case, standing, is_first=before is None)], False
    else:
        pieces, is_finished = await _write_volume(case, standing)
    await _save(case, before, standing, pieces, is_finished=is_finished)


async def _save(
    case: Case, before: str | None, standing: Standing, pieces: Sequence[Piece], *, is_finished: bool
) -> None:
    export, tenant_id = case.export, case.tenant.id
    cipher = await case.keys.one(tenant_id, export.person_id, create=True)
    sealed = [
        cipher.seal(*piece_place(export.id, piece.form, piece.volume, piece.number), piece.content) for piece in pieces
    ]
    place = msgspec.json.encode(standing).decode()
    async with in_tenant(case.pool, tenant_id) as connection:
        is_ours = await connection.fetchval(
            SAVE,
            tenant_id,
            export.id,
            before,
            None if is_finished else place,
            standing.total,
            standing.done,
            standing.json_size,
            standing.volume,
            is_finished,
            KEPT,
        )
        if not is_ours:
            # Somebody else has taken this step meanwhile, or it was stopped.
            return
        columns = [int(piece.form) for piece in pieces], [piece.volume for piece in pieces]
        await connection.execute(
            INSERT_PIECES,
            tenant_id,
            export.id,
            export.person_id,
            *columns,
            [piece.number for piece in pieces],
            sealed,
        )
        if is_finished:
            details = {"export": export.id, "bytes": standing.json_size, "volumes": standing.volume}
            await note(connection, tenant_id, NOBODY, Act.EXPORT_MADE, export.person_id, details=details)
            facts = Facts(at=datetime.now(UTC), subject=export.id, ends_at=datetime.now(UTC) + KEPT)
            kind = NoticeKind.EXPORT_READY
            await leave(connection, tenant_id, kind, export.person_id, facts, notice_id=export.id)


async def _give_up(pool: Pool, tenant_id: int, export_id: str) -> None:
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(GIVE_UP, tenant_id, export_id)
        await connection.execute(DROP_PIECES, tenant_id, export_id)


async def _write_json(case: Case, standing: Standing, *, is_first: bool) -> Piece:
    """The next piece of the JSON: pages of sections, until they are worth a piece."""
    names = sections()
    text = [_encode(await _head(case))[:-1], b',"data":{'] if is_first else []
    rows = 0
    while rows < STEP_LENGTH and standing.section < len(names):
        if standing.after is None and standing.account == 0 and not standing.has_rows:
            text.append(_encode(names[standing.section]) + b":[")
        page, is_last = await _next_page(case, standing, names[standing.section])
        for row in page:
            text.append((b"," if standing.has_rows else b"") + _encode(row))
            standing.has_rows = True
        rows += len(page)
        if names[standing.section] == ENTRIES:
            standing.done += len(page)
        if is_last:
            standing.section += 1
            standing.done += 1
            standing.account, standing.after, standing.has_rows = 0, None, False
            text.append(b"]" if standing.section == len(names) else b"],")
    if standing.section == len(names):
        text.append(b"}}")
    content = b"".join(text)
    standing.json_size += len(content)
    standing.pieces += 1
    # Each piece by itself, so that a step can be taken again.
    return Piece(Form.JSON, 0, standing.pieces - 1, zlib.compress(content, 6))


async def _next_page(case: Case, standing: Standing, name: str) -> tuple[list[Row], bool]:
    """The section's next rows, and whether they are its last. Moves the standing on."""
    if name == ENTRIES:
        rows = await _next_entries(case, standing)
        return rows, standing.account >= len(standing.accounts)
    if name == REFUSED:
        page = await read_refused(case.pool, case.keys, case.person, case.export.asked_at, standing.after, PAGE_LENGTH)
    else:
        page = await read_page(
            case.pool, case.keys, case.person, LEDGER[name], case.table_keys[name], standing.after, PAGE_LENGTH
        )
    standing.after = page.after
    return page.rows, page.after is None


async def _next_entries(case: Case, standing: Standing) -> list[Row]:
    """A page of the entries of the account that is next; of accounts without any, none."""
    while standing.account < len(standing.accounts):
        account, upto = standing.accounts[standing.account]
        after = int(standing.after[0]) if standing.after else 0
        if after < upto:
            rows = await read_entries(case.pool, case.keys, case.person, account, after, upto, PAGE_LENGTH)
            standing.after = [str(after + len(rows))]
            assert rows, "an account's numbers have no gap"
            if after + len(rows) >= upto:
                standing.account, standing.after = standing.account + 1, None
            return rows
        standing.account, standing.after = standing.account + 1, None
    return []


async def _head(case: Case) -> dict[str, Any]:
    """What stands before the data: of whom, of when, why it is held and for how long (art. 19, II)."""
    controller, _ = await read_controller(case.pool, case.tenant.id)
    language = case.export.language
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "language": language,
        "tenant": {"slug": case.tenant.slug, "name": case.tenant.name, "currency": case.tenant.currency},
        "controller": {name: value for name, value in controller._asdict().items() if value is not None},
        "person": case.export.person_id,
        "as_of": case.export.asked_at.astimezone(UTC).isoformat(),
        "sections": [explain(name, language) for name in sections()],
    }


def explain(name: str, language: str) -> dict[str, Any]:
    """Why the rows of a section are held, by which right, for how long, and who gets to see them."""
    table = LEDGER["payments" if name in (ENTRIES, REFUSED) else name]
    titles = {ENTRIES: ("Lançamentos", "Entries"), REFUSED: ("Pagamentos recusados", "Refused payments")}
    pt, en = titles.get(name, table.title)
    return {
        "section": name,
        "title": pt if language == "pt" else en,
        "purpose": table.purpose.value,
        "basis": {"code": table.basis.code, "article": table.basis.article, "law": table.basis.law},
        "retention": getattr(table.keeping.words, language),
        "recipients": [getattr(one, language) for one in table.recipients],
    }


async def _write_volume(case: Case, standing: Standing) -> tuple[list[Piece], bool]:
    """The next volume of the PDF, in pieces, and whether it is the last."""
    entries: list[Row] = []
    while len(entries) < VOLUME_LENGTH and standing.account < len(standing.accounts):
        page = await _next_entries(case, standing)
        entries += page
    standing.done += len(entries)
    is_last = standing.account >= len(standing.accounts)
    sheets = [sheet async for sheet in _sheets(case)] if standing.volume == 0 else []
    controller, _ = await read_controller(case.pool, case.tenant.id)
    count = volumes_of(standing.accounts)
    paper = Paper(case.tenant, controller, case.export, standing.volume, count, sheets, entries)
    pdf = await write_paper(paper)
    pieces = [
        Piece(Form.PDF, standing.volume, at, pdf[start : start + PIECE_SIZE])
        for at, start in enumerate(range(0, len(pdf), PIECE_SIZE))
    ]
    standing.volume += 1
    if is_last:
        standing.done += 1
    return pieces, is_last


def volumes_of(accounts: Sequence[tuple[int, int]]) -> int:
    """How many volumes the PDF will have."""
    volumes, filled = 1, 0
    for _, upto in accounts:
        left = upto
        while left > 0:
            if filled >= VOLUME_LENGTH:
                volumes, filled = volumes + 1, 0
            taken = min(left, PAGE_LENGTH)
            left, filled = left - taken, filled + taken
    return volumes


async def _sheets(case: Case) -> AsyncIterator[Sheet]:
    """The first volume's tables, each as long as somebody reads on paper."""
    for name in sections():
        if name == ENTRIES:
            continue
        if name == REFUSED:
            page = await read_refused(case.pool, case.keys, case.person, case.export.asked_at, None, SHEET_LENGTH)
        else:
            table, key = LEDGER[name], case.table_keys[name]
            page = await read_page(case.pool, case.keys, case.person, table, key, None, SHEET_LENGTH)
        yield Sheet(name, explain(name, case.export.language), page.rows, has_more=page.after is not None)


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value)

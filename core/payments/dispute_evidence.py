"""What the sides of a dispute bring forward: a text, or a small file. It is kept as it came, for good.

Read by the two sides and by operators alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal
from core.keys.cipher import OVERHEAD_BYTES
from core.keys.places import PIECE_CONTENT, PIECE_NAME, PIECE_TEXT
from core.keys.safe import Safe
from core.payments.dispute_case import Actor, Case, Side, locked_case
from core.payments.disputes import read_silent

# Enough for receipts, a chat and a photograph from each side; a case file, not a store of files.
PIECES_PER_SIDE_MAX = 10
# As base64 in a message this is 48 KiB: with the rest of the message below what a socket takes at once.
FILE_SIZE_MAX = 36 * 1024
# What a browser shows without a plug-in and a court can print; how such a file begins says whether it is one.
SIGNATURES = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "text/plain": b"",
}

COUNT_PIECES = """
select count(*) from dispute_evidence where tenant_id = $1 and dispute_id = $2 and side = $3
"""
INSERT_PIECE = """
insert into dispute_evidence (
    tenant_id, dispute_id, id, side, person_id, text_sealed, name_sealed, media_type, content_sealed, added_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
COLUMNS = f"""
id::text, side, text, name, media_type,
coalesce(length(content), length(content_sealed) - {OVERHEAD_BYTES}, 0), added_at,
person_id::text as whose, text_sealed, name_sealed
"""
LIST_PIECES = f"""
select {COLUMNS}
  from dispute_evidence
 where tenant_id = $1 and dispute_id = $2
 order by added_at, id
"""  # noqa: S608 - a constant
READ_PIECE = f"""
select content, content_sealed, {COLUMNS}
  from dispute_evidence
 where tenant_id = $1 and dispute_id = $2 and id = $3
"""  # noqa: S608 - a constant


class File(NamedTuple):
    """A file as it came."""

    name: str
    media_type: str
    content: bytes


class Piece(NamedTuple):
    """A piece of evidence. `size`: of its file, in bytes; 0: it is a text alone.

    Of whoever was erased, text and name are None.
    """

    id: str
    side: int
    text: str | None
    name: str | None
    media_type: str | None
    size: int
    added_at: datetime


async def add_evidence(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    actor: Actor,
    dispute_id: str,
    piece_id: str,
    text: str | None,
    file: File | None,
    at: datetime | None = None,
) -> Piece:
    """Add a piece to a dispute that is not decided. The same id again gives what is there.

    Raises NotFound, and Refusal: too many of this side, a file that is not what it says, another piece of that id.
    """
    if text is None and file is None:
        raise Refusal("invalid_field", "Give a text, a file, or both.", field="text")
    if file is not None:
        _check(file)
    async with locked_case(pool, keys, tenant_id, dispute_id, actor, at) as case:
        side = _side(actor, case)
        row = await case.connection.fetchrow(READ_PIECE, tenant_id, dispute_id, piece_id)
        if row is not None:
            known, content = await _opened_with_file(keys, tenant_id, dispute_id, row)
            given = (None, None, None) if file is None else tuple(file)
            found = known.text, known.name, known.media_type, content
            if row["whose"] != actor.person_id or found != (text, *given):
                raise Refusal("conflict", field="evidence")
            return known
        case.require(case.dispute.decided_at is None and case.dispute.closed_at is None)
        if await case.connection.fetchval(COUNT_PIECES, tenant_id, dispute_id, int(side)) >= PIECES_PER_SIDE_MAX:
            raise Refusal("too_much_evidence")
        name, media_type, content = (None, None, None) if file is None else file
        cipher = await keys.one(tenant_id, actor.person_id, create=True)
        await case.connection.execute(
            INSERT_PIECE,
            tenant_id,
            dispute_id,
            piece_id,
            int(side),
            actor.person_id,
            cipher.seal(*PIECE_TEXT.at(dispute_id, piece_id), text),
            cipher.seal(*PIECE_NAME.at(dispute_id, piece_id), name),
            media_type,
            cipher.seal(*PIECE_CONTENT.at(dispute_id, piece_id), content),
            case.now,
        )
        return Piece(piece_id, side, text, name, media_type, len(content or b""), case.now)


async def list_evidence(pool: Pool, keys: Safe, tenant_id: int, actor: Actor, dispute_id: str) -> list[Piece]:
    """All pieces, oldest first, without the files' content. Raises NotFound."""
    await read_silent(pool, tenant_id, actor, dispute_id)
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_PIECES, tenant_id, dispute_id)
    return await _opened(keys, tenant_id, dispute_id, rows)


async def read_evidence(
    pool: Pool, keys: Safe, tenant_id: int, actor: Actor, dispute_id: str, piece_id: str
) -> tuple[Piece, bytes | None]:
    """One piece with its file's content. Raises NotFound."""
    await read_silent(pool, tenant_id, actor, dispute_id)
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_PIECE, tenant_id, dispute_id, piece_id)
    if row is None:
        raise NotFound
    return await _opened_with_file(keys, tenant_id, dispute_id, row)


async def _opened_with_file(
    keys: Safe, tenant_id: int, dispute_id: str, row: asyncpg.Record
) -> tuple[Piece, bytes | None]:
    content, sealed, *_ = row
    (piece,) = await _opened(keys, tenant_id, dispute_id, [row], skip=2)
    if sealed is not None:
        cipher = await keys.one(tenant_id, row["whose"])
        content = cipher.open_bytes(*PIECE_CONTENT.at(dispute_id, piece.id), sealed)
    return piece, content


async def _opened(
    keys: Safe, tenant_id: int, dispute_id: str, rows: Sequence[asyncpg.Record], skip: int = 0
) -> list[Piece]:
    """Rows of COLUMNS, after `skip` others, as pieces. What nobody has sealed yet stands as it is."""
    ciphers = await keys.of(tenant_id, {row["whose"] for row in rows if any(row[-2:])})
    found = []
    for row in rows:
        piece = Piece(*row[skip:-3])
        cipher = ciphers.get(row["whose"])
        if cipher is not None:
            piece = piece._replace(
                text=piece.text or cipher.open(*PIECE_TEXT.at(dispute_id, piece.id), row["text_sealed"]),
                name=piece.name or cipher.open(*PIECE_NAME.at(dispute_id, piece.id), row["name_sealed"]),
            )
        found.append(piece)
    return found


def _side(actor: Actor, case: Case) -> Side:
    if case.dispute.payer in actor.accounts:
        return Side.PAYER
    return Side.PAYEE if case.dispute.payee in actor.accounts else Side.OPERATOR


def _check(file: File) -> None:
    """Raises Refusal unless the file is of an allowed kind and begins like one."""
    signature = SIGNATURES.get(file.media_type)
    if signature is None:
        raise Refusal("invalid_field", f"Files are {', '.join(SIGNATURES)}.", field="media_type")
    if not 0 < len(file.content) <= FILE_SIZE_MAX:
        raise Refusal("invalid_field", f"A file has 1 to {FILE_SIZE_MAX} bytes.", field="content")
    if not file.content.startswith(signature):
        raise Refusal("invalid_field", f"The content is not {file.media_type}.", field="content")
    if not signature:
        try:
            file.content.decode()
        except UnicodeDecodeError:
            raise Refusal("invalid_field", "A text is UTF-8.", field="content") from None

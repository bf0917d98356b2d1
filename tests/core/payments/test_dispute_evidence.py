"""Evidence: small, of known kinds, kept as it came, and read by those whom it concerns."""

import asyncio
import uuid
from typing import Any

import pytest

from core.database import Pool, acquire, in_tenant
from core.errors import NotFound, Refusal
from core.ledger.posting import post_payments
from core.payments.dispute_case import Actor, Side
from core.payments.dispute_evidence import (
    FILE_SIZE_MAX,
    PIECES_PER_SIDE_MAX,
    File,
    Piece,
    add_evidence,
    list_evidence,
    read_evidence,
)
from core.payments.dispute_profiles import Reason
from core.payments.disputes import Opening, open_dispute, withdraw_dispute
from tests.conftest import Books

OPERATOR = Actor(str(uuid.uuid4()), (), is_operator=True)
PNG = b"\x89PNG\r\n\x1a\n"


class Archive:
    """An open dispute and its sides."""

    def __init__(self, books: Books, dispute: str) -> None:
        self.pool, self.keys, self.tenant, self.dispute = books.pool, books.keys, books.tenant.id, dispute
        self.payer, self.payee, self.stranger = (
            Actor(books.people[at].person_id, (books.account(at),)) for at in range(3)
        )

    async def add(
        self, actor: Actor, text: str | None = None, file: File | None = None, id_: str | None = None
    ) -> Piece:
        return await add_evidence(
            self.pool, self.keys, self.tenant, actor, self.dispute, id_ or str(uuid.uuid4()), text, file
        )


@pytest.fixture
async def archive(books: Books) -> Archive:
    payment = books.payment(0, 1, 500)
    async with acquire(books.pool) as connection:
        await post_payments(connection, [payment])
    found = Archive(books, str(uuid.uuid4()))
    await open_dispute(
        books.pool, books.keys, books.tenant.id, found.payer, Opening(found.dispute, payment.id, Reason.FRAUD)
    )
    return found


async def test_both_sides_and_operators_read_what_each_brought_forward(archive: Archive) -> None:
    largest = File("photo.png", "image/png", PNG + b"\0" * (FILE_SIZE_MAX - len(PNG)))
    pieces = [
        await archive.add(archive.payer, "I never bought that"),
        await archive.add(archive.payee, None, largest),
        await archive.add(OPERATOR, "Asked the police", File("n.txt", "text/plain", "São Paulo".encode())),
    ]
    assert [piece.side for piece in pieces] == [Side.PAYER, Side.PAYEE, Side.OPERATOR]
    for reader in (archive.payer, archive.payee, OPERATOR):
        assert await list_evidence(archive.pool, archive.keys, archive.tenant, reader, archive.dispute) == pieces
        for piece, content in zip(pieces, (None, largest.content, "São Paulo".encode()), strict=True):
            found = await read_evidence(archive.pool, archive.keys, archive.tenant, reader, archive.dispute, piece.id)
            assert found == (piece, content)


async def test_nobody_else_reads_or_adds_anything(archive: Archive, other_tenant: Any) -> None:
    piece = await archive.add(archive.payer, "Mine")
    for tenant, actor in ((archive.tenant, archive.stranger), (other_tenant.id, OPERATOR)):
        with pytest.raises(NotFound):
            await list_evidence(archive.pool, archive.keys, tenant, actor, archive.dispute)
        with pytest.raises(NotFound):
            await read_evidence(archive.pool, archive.keys, tenant, actor, archive.dispute, piece.id)
        with pytest.raises(NotFound):
            await add_evidence(archive.pool, archive.keys, tenant, actor, archive.dispute, str(uuid.uuid4()), "x", None)
    with pytest.raises(NotFound):
        await read_evidence(
            archive.pool, archive.keys, archive.tenant, archive.payer, archive.dispute, str(uuid.uuid4())
        )


@pytest.mark.parametrize(
    ("file", "field"),
    [
        (File("a.svg", "image/svg+xml", b"<svg/>"), "media_type"),
        (File("a.png", "image/png", b"<script>"), "content"),
        (File("a.jpg", "image/jpeg", PNG), "content"),
        (File("a.pdf", "application/pdf", b"MZ"), "content"),
        (File("a.txt", "text/plain", b"\xff\xfe"), "content"),
        (File("a.png", "image/png", PNG + b"\0" * (FILE_SIZE_MAX - len(PNG) + 1)), "content"),
        (File("a.txt", "text/plain", b""), "content"),
        (None, "text"),
    ],
)
async def test_a_file_is_small_and_what_it_says_it_is(archive: Archive, file: File | None, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        await archive.add(archive.payer, None, file)
    assert (refused.value.code, refused.value.field) == ("invalid_field", field)


async def test_the_same_piece_again_is_the_same_piece_and_another_is_refused(archive: Archive) -> None:
    id_, file = str(uuid.uuid4()), File("a.png", "image/png", PNG)
    first = await archive.add(archive.payer, "Look", file, id_)
    assert await archive.add(archive.payer, "Look", file, id_) == first
    for actor, text, other in (
        (archive.payer, "Look again", file),
        (archive.payer, "Look", file._replace(content=PNG + b"1")),
        (archive.payer, "Look", None),
        (archive.payee, "Look", file),
    ):
        with pytest.raises(Refusal) as refused:
            await archive.add(actor, text, other, id_)
        assert refused.value.code == "conflict"


async def test_each_side_brings_forward_so_many_pieces_however_fast_it_is(archive: Archive) -> None:
    added = await asyncio.gather(
        *(archive.add(archive.payer, f"Piece {at}") for at in range(PIECES_PER_SIDE_MAX + 5)), return_exceptions=True
    )
    assert len([one for one in added if isinstance(one, Piece)]) == PIECES_PER_SIDE_MAX
    assert {one.code for one in added if isinstance(one, Refusal)} == {"too_much_evidence"}
    # The other side has as many of its own.
    assert (await archive.add(archive.payee, "Not so")).side == Side.PAYEE


async def test_nothing_is_added_to_a_closed_dispute_and_nothing_taken_from_any(archive: Archive, pool: Pool) -> None:
    piece = await archive.add(archive.payer, "Look")
    await withdraw_dispute(archive.pool, archive.keys, archive.tenant, archive.payer, archive.dispute)
    with pytest.raises(Refusal) as refused:
        await archive.add(archive.payer, "And this")
    assert refused.value.code == "dispute_moved_on"
    for statement in ("delete from dispute_evidence", "update dispute_evidence set text = 'no'"):
        with pytest.raises(Exception, match="permission denied"):
            async with in_tenant(pool, archive.tenant) as connection:
                await connection.execute(statement)
    assert [one.id for one in await list_evidence(pool, archive.keys, archive.tenant, OPERATOR, archive.dispute)] == [
        piece.id
    ]

"""Of old heads those stay that somebody outside may have; nobody takes any away but the one function."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from core.database import Pool, acquire, in_tenant, transaction
from core.ledger.posting import post_payments
from core.proof import anchors
from core.proof.anchors import STRIDE, Anchored, find_unanchored, note_anchors, thin_heads
from core.proof.checking import check_log, has_grown
from core.proof.cosignatures import Cosignature
from core.proof.export import export_log
from core.proof.heads import Head
from core.proof.notary import Signer
from core.proof.proving import prove_growth, read_head
from core.proof.sealing import seal_log
from tests.conftest import PAST_TRIGGERS, Books
from tests.core.proof.rewriting import rewrite

HOUR = timedelta(hours=1)
HEADS = "select tenant_id, size, root, sealed_at, kid, signature from log_heads order by size"


async def seal(books: Books, signer: Signer, count: int) -> None:
    """So many heads."""
    for _ in range(count):
        async with acquire(books.pool) as connection:
            await post_payments(connection, [books.payment(0, 1, 1)])
        await seal_log(books.pool, books.tenant.id, signer, time.time, timedelta(0))


async def heads_of(books: Books) -> list[Head]:
    async with in_tenant(books.pool, books.tenant.id) as connection:
        return [Head(*row) for row in await connection.fetch(HEADS)]


async def sealed_at(books: Books, admin: Pool, signer: Signer, moments: Sequence[datetime]) -> None:
    """As many heads as these, signed at these moments."""
    await seal(books, signer, len(moments) - len(await heads_of(books)))
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        for head, moment in zip(await heads_of(books), moments, strict=True):
            await connection.execute(
                "update payhub.log_heads set sealed_at = $3 where tenant_id = $1 and size = $2",
                books.tenant.id,
                head.size,
                moment,
            )
    await rewrite(admin, books.tenant.id, signer, "select 1")


async def test_after_an_hour_what_places_were_given_stays_and_nothing_that_they_were_given_goes(
    books: Books, admin: Pool, signer: Signer
) -> None:
    start = datetime.fromtimestamp(time.time() // 30 * 30, UTC) - timedelta(hours=3)
    seconds = [1, 2, 29, 30, 31, 59, 61, 62, 200, 215, 240, 3_000]
    moments = [start + timedelta(seconds=second) for second in seconds]
    now = datetime.now(UTC)
    moments += [now - HOUR - timedelta(seconds=100), now - timedelta(minutes=50), now - timedelta(seconds=5), now]
    await sealed_at(books, admin, signer, moments)
    before = await heads_of(books)
    given = set()
    until = start
    while until <= now:
        waiting = await find_unanchored(books.pool, "nowhere", 100_000, until)
        given |= {one.head.size for one in waiting if one.head.tenant_id == books.tenant.id}
        until += STRIDE
    # In small steps, as when there is much to do.
    while await thin_heads(books.pool, 3):
        pass
    after = await heads_of(books)
    kept = [seconds[at] for at, head in enumerate(before[: len(seconds)]) if head in after]
    assert kept == [30, 59, 62, 200, 240, 3_000]
    assert after[-4:] == before[-4:]
    assert given <= {head.size for head in after}
    assert await thin_heads(books.pool, 100_000) == 0
    check_log(
        [line async for line in export_log(books.pool, books.tenant.id, books.tenant.slug, signer.keys)],
        signer.public_keys(),
    )


async def test_what_a_witness_cosigned_stays(books: Books, admin: Pool, signer: Signer) -> None:
    start = datetime.fromtimestamp(time.time() // 30 * 30, UTC) - timedelta(hours=2)
    await sealed_at(books, admin, signer, [start + timedelta(seconds=second) for second in (1, 2, 3, 4)])
    heads = await heads_of(books)
    await note_anchors(books.pool, "witness:w", [Anchored(heads[1], Cosignature("00" * 8, 1, bytes(64)))])
    await thin_heads(books.pool, 100_000)
    assert await heads_of(books) == [heads[1], heads[3]]


async def test_a_head_that_is_gone_here_can_still_be_proved(books: Books, admin: Pool, signer: Signer) -> None:
    start = datetime.fromtimestamp(time.time() // 30 * 30, UTC) - timedelta(hours=2)
    await sealed_at(books, admin, signer, [start + timedelta(seconds=second) for second in (1, 2, 3, 4)])
    mine = (await heads_of(books))[1]
    await thin_heads(books.pool, 100_000)
    grown = await prove_growth(books.pool, books.tenant.id, mine.size)
    assert grown.old is None
    assert has_grown(mine, grown.head, grown.proof, signer.public_keys())
    await seal(books, signer, 2)
    grown = await prove_growth(books.pool, books.tenant.id, mine.size)
    assert has_grown(mine, grown.head, grown.proof, signer.public_keys())
    assert grown.head == await read_head(books.pool, books.tenant.id)


@pytest.mark.parametrize(
    "statement",
    ["delete from log_heads", "update log_heads set size = size", "truncate log_heads", "delete from cosignatures"],
)
async def test_nobody_else_takes_a_head_away(
    books: Books, signer: Signer, pool: Pool, admin: Pool, statement: str
) -> None:
    await seal(books, signer, 1)
    for database in (pool, admin):
        async with acquire(database) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    # Neither the owner of the table, nor of the other functions, nor the serving role as the thinner.
    for role in ("payhub_owner", "payhub_ledger"):
        async with acquire(admin) as connection:
            await connection.execute(f"set role {role}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
            await connection.execute("reset role")
    async with acquire(pool) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("set role payhub_thinner")


async def test_the_thinner_may_do_nothing_else(admin: Pool) -> None:
    granted = await admin.fetch(
        "select table_name::text, privilege_type::text from information_schema.role_table_grants"
        " where grantee = 'payhub_thinner' order by 1, 2"
    )
    assert [tuple(row) for row in granted] == [
        ("cosignatures", "SELECT"),
        ("log_heads", "DELETE"),
        ("log_heads", "SELECT"),
        ("tenants", "SELECT"),
        ("thinned_logs", "INSERT"),
        ("thinned_logs", "SELECT"),
        ("thinned_logs", "UPDATE"),
    ]
    owned = await admin.fetch("select proname from pg_proc where proowner = 'payhub_thinner'::regrole")
    assert [row[0] for row in owned] == ["thin_heads"]
    login, members = await admin.fetchrow(
        "select rolcanlogin, (select count(*) from pg_auth_members where roleid = r.oid and member::regrole::text like 'payhub%')"
        " from pg_roles r where rolname = 'payhub_thinner'"
    )  # type: ignore[misc]
    assert (login, members) == (False, 0)


def test_the_stride_is_the_one_that_the_function_has() -> None:
    assert timedelta(seconds=30) == anchors.STRIDE

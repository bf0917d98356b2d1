"""What lines of a bulk say is sealed, and comes back line by line, in the report and with the payments."""

import asyncio
import uuid
from pathlib import Path

import pytest

from core.audit.trail import NOBODY
from core.bulk.bulks import begin_file, cancel_bulk, close_file
from core.bulk.lines import read_line
from core.bulk.posting import Ahead, post_some
from core.bulk.receiving import receive_lines
from core.bulk.report import read_results
from core.bulk.sealing import seal_lines
from core.database import Pool, in_tenant
from core.errors import SealBroken
from core.keys.erasing import erase
from core.keys.rotating import rotate_persons
from core.keys.sealing import count_plain, has_plain
from core.ledger.reading import read_entries_before
from core.nouns import BALANCE_MAX
from core.people.opening import Tenant
from tests.conftest import Database
from tests.core.bulk.conftest import Desk
from tests.core.bulk.files import Row
from tests.core.keys.canary import dump, found_in, fresh_canary


async def said(desk: Desk, bulk: object) -> list[tuple[str | None, str | None]]:
    results = await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 100_000)  # type: ignore[arg-type]
    return [(one.description, one.reference) for one in results]


async def post_all(desk: Desk) -> None:
    ahead = Ahead(desk.books.keys)
    while await post_some(desk.pool, desk.books.keys, 700, ahead):
        pass
    ahead.forget()


async def test_no_word_of_a_file_is_in_the_tables_and_every_one_comes_back(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    words = [fresh_canary() for _ in range(2_500)]
    rows = [Row(desk.books.account(1), 1, word, f"r-{word}"[:35]) for word in words]
    bulk = await desk.send(await desk.create(), rows)
    assert (bulk.lines, bulk.good) == (2_500, 2_500)
    assert await said(desk, bulk) == [(row.description, row.reference) for row in rows]
    page = await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 990, 20)
    assert [one.description for one in page] == words[990:1010]
    content = await asyncio.to_thread(dump, database.admin_url, tmp_path / "dump.sql")
    assert found_in(content, words[:3] + words[-3:]) == set()


async def test_payments_say_what_their_lines_say(desk: Desk) -> None:
    await desk.books.fund(10_000)
    rows = [Row(desk.books.account(1), 1, f"line {at}" if at % 3 else "", f"r{at}") for at in range(1, 1_501)]
    bulk = await desk.approved(rows)
    await post_all(desk)
    assert (await desk.read(bulk)).posted == 1_500
    found = []
    before = BALANCE_MAX
    while page := await read_entries_before(
        desk.pool, desk.tenant_id, desk.books.account(1), before, 200, desk.books.keys
    ):
        found += [entry.description for entry in page if entry.counterparty == desk.payer]
        before = page[-1].number
    assert list(reversed(found)) == [row.description or None for row in rows]


async def test_references_that_repeat_are_found_however_far_apart_and_in_this_bulk_alone(desk: Desk) -> None:
    rows = desk.rows(2_200)
    rows[2_100] = rows[2_100]._replace(reference=rows[3].reference)
    bulk = await desk.send(await desk.create(), rows)
    assert bulk.good == 2_199
    wrong = await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 10, only_wrong=True)
    assert [(one.number, one.code, one.reference) for one in wrong] == [(2_101, "duplicate_reference", "r4")]
    again = await desk.send(await desk.create(is_again=True), desk.rows(10))
    assert again.good == 10
    async with in_tenant(desk.pool, desk.tenant_id) as connection:
        alike = await connection.fetchval(
            "select count(*) from bulk_lines as one join bulk_lines as other using (reference_hash)"
            " where one.bulk_id = $1 and other.bulk_id = $2",
            bulk.id,
            again.id,
        )
    assert alike == 0, "nobody can tell from the hashes that two files have the same references"


async def test_lines_that_say_nothing_seal_nothing(desk: Desk) -> None:
    bulk = await desk.send(await desk.create(), [Row(desk.books.account(1), 1, "", "") for _ in range(5)])
    async with in_tenant(desk.pool, desk.tenant_id) as connection:
        assert await connection.fetchval("select count(*) from bulk_words where bulk_id = $1", bulk.id) == 0
    assert await said(desk, bulk) == [(None, None)] * 5


async def test_a_file_begun_again_says_what_it_says_now(desk: Desk) -> None:
    bulk = await desk.create()
    first = await desk.send(bulk, desk.rows(3))
    assert len(await said(desk, first)) == 3
    other = await desk.create()
    attempt = await begin_file(desk.pool, desk.tenant_id, other.id)
    assert attempt == 1
    sent = await desk.send(other, [row._replace(description=f"new {row.description}") for row in desk.rows(2)])
    assert await said(desk, sent) == [("new line 1", "r1"), ("new line 2", "r2")]
    await cancel_bulk(desk.pool, desk.tenant_id, sent.id)
    async with in_tenant(desk.pool, desk.tenant_id) as connection:
        assert await connection.fetchval("select count(*) from bulk_words where bulk_id = $1", sent.id) == 0


async def test_a_stream_in_small_messages_is_read_like_a_file(desk: Desk) -> None:
    bulk = await desk.create()
    rows = desk.rows(95)
    keys, tenant_id = desk.books.keys, desk.tenant_id
    for at in range(0, 95, 10):
        lines = [
            read_line(None, str(row.payee), str(row.amount), row.description, row.reference)
            for row in rows[at : at + 10]
        ]
        await receive_lines(desk.pool, keys, tenant_id, await desk.read(bulk), at + 1, lines, f"{at}".encode())
    done = await close_file(desk.pool, tenant_id, bulk.id, (await desk.read(bulk)).attempt)
    assert await said(desk, done) == [(row.description, row.reference) for row in rows]


async def test_of_an_erased_owner_nothing_is_said_and_everything_is_posted(desk: Desk) -> None:
    await desk.books.fund(1_000)
    bulk = await desk.approved(desk.rows(10))
    await erase(desk.pool, desk.books.keys, desk.tenant_id, desk.maker, NOBODY)
    assert await said(desk, bulk) == [(None, None)] * 10
    await post_all(desk)
    assert (await desk.read(bulk)).posted == 10


async def test_words_are_sealed_anew_with_everything_else_of_a_person(desk: Desk, admin: Pool) -> None:
    bulk = await desk.send(await desk.create(), desk.rows(1_200))
    before = await said(desk, bulk)
    assert await rotate_persons(desk.books.keys, admin, desk.tenant_id, [desk.maker], settle_s=0) >= 3
    assert (await desk.books.keys.one(desk.tenant_id, desk.maker)).version == 2
    assert await said(desk, bulk) == before


async def make_plain(admin: Pool, desk: Desk, bulk_id: str, through: int) -> None:
    """As the version before would have kept the first lines."""
    async with in_tenant(admin, desk.tenant_id) as connection:
        await connection.execute("delete from bulk_words where bulk_id = $1 and first <= $2", bulk_id, through)
        await connection.execute(
            "update bulk_lines set description = 'line ' || number, reference = 'r' || number, reference_hash = null"
            " where bulk_id = $1 and number <= $2",
            bulk_id,
            through,
        )


async def test_lines_of_before_are_read_posted_and_sealed(desk: Desk, admin: Pool, tenant: Tenant) -> None:
    await desk.books.fund(10_000)
    # The first two thousand by the version before, the rest by this one.
    bulk = await desk.approved(desk.rows(2_600))
    await make_plain(admin, desk, bulk.id, 2_000)
    expected = [(row.description, row.reference) for row in desk.rows(2_600)]
    assert await said(desk, bulk) == expected
    assert await count_plain(admin, tenant.id) == 4_000
    assert await has_plain(admin, tenant.id, desk.maker)
    assert not await has_plain(admin, tenant.id, desk.approver)
    posting = asyncio.create_task(post_all(desk))
    reached: list[int] = []
    assert await seal_lines(admin, desk.books.keys, tenant.id, reached.append) == 4_000
    await posting
    assert reached == [2_000, 4_000]
    assert await count_plain(admin, tenant.id) == 0
    assert await said(desk, bulk) == expected
    assert (await desk.read(bulk)).posted == 2_600
    entries = await read_entries_before(desk.pool, tenant.id, desk.books.account(1), BALANCE_MAX, 200, desk.books.keys)
    paid = [row.description for row in desk.rows(2_600) if row.payee == desk.books.account(1)]
    assert [entry.description for entry in reversed(entries)] == paid[-200:]


async def test_a_bulk_that_is_being_received_is_left_to_its_sender(desk: Desk, admin: Pool, tenant: Tenant) -> None:
    sent = await desk.send(await desk.create(), desk.rows(5))
    await make_plain(admin, desk, sent.id, 5)
    await admin.execute("update bulks set status = 0 where id = $1", uuid.UUID(sent.id))
    assert await seal_lines(admin, desk.books.keys, tenant.id) == 0
    await admin.execute("update bulks set status = 1 where id = $1", uuid.UUID(sent.id))
    assert await seal_lines(admin, desk.books.keys, tenant.id) == 10


async def test_a_chunk_that_was_moved_to_another_bulk_or_place_does_not_open(desk: Desk, admin: Pool) -> None:
    bulks = [await desk.send(await desk.create(is_again=True), desk.rows(1_500)) for _ in range(2)]
    await admin.execute("delete from bulk_words where bulk_id = $1", uuid.UUID(bulks[0].id))
    await admin.execute(
        "insert into bulk_words select tenant_id, $1, first, length, person_id, sealed from bulk_words where bulk_id = $2",
        uuid.UUID(bulks[0].id),
        uuid.UUID(bulks[1].id),
    )
    with pytest.raises(SealBroken):
        await said(desk, bulks[0])

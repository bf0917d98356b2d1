"""Approved bulks become payments: each good line once, in whatever order workers come, race and die."""

import asyncio
import time
import uuid
from datetime import timedelta

import asyncpg
import pytest

from core.bulk.bulks import Bulk, BulkStatus, approve_bulk, cancel_bulk, read_progress
from core.bulk.posting import Ahead, payment_id, post_some
from core.bulk.report import read_results
from core.database import Connection, Pool, in_tenant
from core.errors import Refusal
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.notices.kinds import NoticeKind
from core.notices.outbox import note_unheard
from core.nouns import Payment, PaymentStatus, Posting
from core.people.opening import Tenant
from core.proof.notary import Signer
from core.proof.records import read_batch_leaves
from core.proof.tree import root_of
from tests.conftest import Books, seal_all, texts_of
from tests.core.bulk.conftest import Desk
from tests.core.bulk.files import Row
from tests.core.notices.reaching import give_phone, told


async def post_all(desk: Desk, chunk_length: int = 100) -> None:
    pool, keys = desk.pool, desk.books.keys
    ahead = Ahead(keys)
    while await post_some(pool, keys, chunk_length, ahead):
        pass
    ahead.forget()


async def statuses(desk: Desk, bulk: Bulk) -> list[str]:
    return [one.status for one in await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 100_000)]


async def count_payments(desk: Desk) -> int:
    """Those that the maker asked for: funding was asked for by each person, too, hence the payer."""
    async with in_tenant(desk.pool, desk.tenant_id) as connection:
        count: int = await connection.fetchval("select count(*) from payments where payer = $1", desk.payer)
    return count


async def test_each_good_line_is_posted_once_with_its_text_and_its_askers_name(desk: Desk) -> None:
    rows = desk.rows(250, 2)
    rows[7] = Row(7, 2)
    bulk = await desk.approved(rows)
    assert await post_some(desk.pool, desk.books.keys, 100) == 100
    moving = await desk.read(bulk)
    assert (moving.status, moving.through, moving.posted, moving.refused) == (BulkStatus.POSTING, 101, 100, 0)
    await post_all(desk)
    done = await desk.read(bulk)
    assert (done.status, done.through, done.posted, done.posted_amount, done.refused) == (5, 250, 249, 498, 0)
    assert done.finished_at is not None
    assert await desk.balances() == [1_000 - 498, 1_000 + 2 * 84, 1_000 + 2 * 82, 1_000 + 2 * 83]
    results = await read_results(desk.pool, desk.books.keys, desk.tenant_id, done, 0, 1_000)
    assert [one.status for one in results] == ["posted"] * 7 + ["bad"] + ["posted"] * 242
    async with in_tenant(desk.pool, desk.tenant_id) as connection:
        rows_ = await connection.fetch(
            "select id::text, asked_by::text from payments where payer = $1 order by payer_version", desk.payer
        )
    posted = [one for one in results if one.status == "posted"]
    assert [tuple(row) for row in rows_] == [(one.payment, desk.maker) for one in posted]
    texts = await texts_of(desk.pool, desk.tenant_id, [row["id"] for row in rows_])
    assert texts == [one.description for one in posted]


async def test_in_independent_mode_what_is_refused_stays_refused_and_the_rest_is_posted(desk: Desk) -> None:
    rows = desk.rows(10, 200)
    bulk = await desk.approved(rows)
    await post_all(desk, 3)
    done = await desk.read(bulk)
    assert (done.status, done.posted, done.refused, done.posted_amount) == (BulkStatus.FINISHED, 5, 5, 1_000)
    assert await statuses(desk, done) == ["posted"] * 5 + ["insufficient_funds"] * 5
    wrong = await read_results(desk.pool, desk.books.keys, desk.tenant_id, done, 0, 100, only_wrong=True)
    assert [one.number for one in wrong] == [6, 7, 8, 9, 10]
    await desk.books.fund(5_000)
    await post_all(desk)
    assert await statuses(desk, done) == ["posted"] * 5 + ["insufficient_funds"] * 5
    # Whoever made it hears how it ended, once.
    ((kind, facts),) = await told(desk.pool, desk.tenant_id, desk.books.people[0].person_id)
    assert (kind, facts.subject, facts.lines, facts.refused) == (NoticeKind.BULK_FINISHED, bulk.id, 10, 5)
    assert facts.amount == 1_000


@pytest.mark.parametrize("at", [0, 250, 499], ids=["first", "middle", "last"])
async def test_one_line_of_500_that_is_refused_leaves_an_atomic_bulk_with_nothing_and_others_with_499(
    desk: Desk, open_books: object, at: int
) -> None:
    await desk.books.fund(10_000)
    before = await desk.balances()
    rows = desk.rows(500)
    rows[at] = rows[at]._replace(amount=10**12)
    atomic = await desk.approved(rows, is_atomic=True)
    await post_all(desk)
    failed = await desk.read(atomic)
    assert (failed.status, failed.posted, failed.posted_amount) == (BulkStatus.FAILED, 0, 0)
    assert (failed.failed_line, failed.failed_code) == (at + 1, "insufficient_funds")
    assert await desk.balances() == before
    assert await count_payments(desk) == 0
    assert set(await statuses(desk, failed)) == {"not_posted"}

    independent = await desk.approved(rows)
    await post_all(desk)
    done = await desk.read(independent)
    assert (done.status, done.posted, done.refused) == (BulkStatus.FINISHED, 499, 1)
    assert (await desk.balances())[0] == before[0] - 499


async def test_an_atomic_bulk_is_seen_to_move_and_posted_as_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = await desk.approved(desk.rows(900), is_atomic=True)
    seen: list[tuple[int, int, int]] = []

    async def watching(connection: Connection, batch: list[Payment], keys: Safe) -> list[Posting]:
        answer = await post_payments(connection, batch, keys)
        (progress,) = await read_progress(desk.pool, [(desk.tenant_id, bulk.id)])
        seen.append((progress.status, progress.through, progress.posted))
        assert await desk.balances() == [1_000] * 4
        return answer

    monkeypatch.setattr("core.bulk.posting.post_payments", watching)
    await post_all(desk, 300)
    assert seen == [(3, 0, 0), (3, 300, 0), (3, 600, 0)]
    done = await desk.read(bulk)
    assert (done.status, done.through, done.posted, done.posted_amount) == (BulkStatus.FINISHED, 900, 900, 900)
    assert await desk.balances() == [100, 1_300, 1_300, 1_300]


async def test_many_workers_post_many_bulks_and_each_line_once(desk: Desk) -> None:
    await desk.books.fund(10_000)
    bulks = [await desk.approved(desk.rows(150 + at), is_atomic=at % 2 == 0, is_again=True) for at in range(6)]
    before = await desk.balances()

    async def work() -> None:
        idle, ahead = 0, Ahead(desk.books.keys)
        while idle < 3:
            idle = 0 if await post_some(desk.pool, desk.books.keys, 40, ahead) else idle + 1
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(3)))
    await post_all(desk)
    done = [await desk.read(bulk) for bulk in bulks]
    assert {one.status for one in done} == {BulkStatus.FINISHED}
    assert [one.posted for one in done] == [150, 151, 152, 153, 154, 155]
    assert (await desk.balances())[0] == before[0] - sum(range(150, 156))
    assert await count_payments(desk) == sum(range(150, 156))


async def test_bulks_take_turns(desk: Desk) -> None:
    bulks = [await desk.approved(desk.rows(30), is_again=True) for _ in range(2)]
    for _ in range(4):
        await post_some(desk.pool, desk.books.keys, 10)
    assert [(await desk.read(bulk)).posted for bulk in bulks] == [20, 20]
    await post_all(desk)


async def test_an_atomic_bulk_and_payments_the_other_way_do_not_stop_each_other(desk: Desk, pool: Pool) -> None:
    bulk = await desk.approved(desk.rows(600), is_atomic=True)

    async def pay(at: int) -> int:
        async with pool.acquire() as connection:
            (answer,) = await post_payments(connection, [desk.books.payment(1 + at % 3, 0, 1)])
        return answer.status

    worker = asyncio.create_task(post_all(desk, 50))
    paid = [await asyncio.gather(*(pay(at) for at in range(4))) for _ in range(20)]
    await worker
    assert {status for each in paid for status in each} == {PaymentStatus.POSTED}
    assert (await desk.read(bulk)).status == BulkStatus.FINISHED
    assert sum(await desk.balances()) == 4_000


async def test_whoever_cancels_comes_before_the_first_chunk_or_too_late(desk: Desk) -> None:
    late, early = [await desk.approved(desk.rows(30), is_again=True) for _ in range(2)]
    await post_some(desk.pool, desk.books.keys, 10)
    with pytest.raises(Refusal) as refused:
        await cancel_bulk(desk.pool, desk.tenant_id, late.id)
    assert refused.value.code == "bulk_wrong_status"
    assert (await cancel_bulk(desk.pool, desk.tenant_id, early.id)).status == BulkStatus.CANCELLED
    await post_all(desk)
    assert [(await desk.read(bulk)).posted for bulk in (late, early)] == [30, 0]


async def test_cancelling_and_posting_at_once_is_one_or_the_other(desk: Desk) -> None:
    await desk.books.fund(10_000)
    for at in range(10):
        bulk = await desk.approved(desk.rows(20), is_atomic=at % 2 == 0, is_again=True)
        before = (await desk.balances())[0]
        await asyncio.gather(post_all(desk), cancel_bulk(desk.pool, desk.tenant_id, bulk.id), return_exceptions=True)
        await post_all(desk)
        done = await desk.read(bulk)
        assert (done.status, done.posted) in {(BulkStatus.FINISHED, 20), (BulkStatus.CANCELLED, 0)}
        assert before - (await desk.balances())[0] == done.posted


async def test_a_bulk_that_is_not_approved_is_not_posted(desk: Desk) -> None:
    bulk = await desk.send(await desk.create(), desk.rows(3))
    assert await post_some(desk.pool, desk.books.keys) == 0
    assert await desk.balances() == [1_000] * 4
    await approve_bulk(desk.pool, desk.tenant_id, bulk.id, desk.approver)
    await post_all(desk)
    assert (await desk.read(bulk)).posted == 3


async def test_a_line_is_never_posted_twice_even_if_the_bulk_forgot(desk: Desk, admin: Pool) -> None:
    bulk = await desk.approved(desk.rows(50))
    await post_all(desk)
    await admin.execute(
        "update payhub.bulks set status = 3, through = 0, posted = 0, posted_amount = 0 where id = $1", bulk.id
    )
    await post_all(desk)
    assert (await desk.read(bulk)).posted == 50
    assert await desk.balances() == [950, 1_017, 1_017, 1_016]


async def test_an_error_that_no_server_is_at_fault_for_fails_the_bulk_and_holds_up_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick, well = [await desk.approved(desk.rows(5), is_again=True) for _ in range(2)]

    async def failing(connection: Connection, batch: list[Payment], keys: Safe) -> list[Posting]:
        monkeypatch.undo()
        await connection.execute("select 1 / 0")
        raise AssertionError

    monkeypatch.setattr("core.bulk.posting.post_payments", failing)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await post_some(desk.pool, desk.books.keys)
    await post_all(desk)
    failed, done = await desk.read(sick), await desk.read(well)
    assert (failed.status, failed.failed_line, failed.failed_code, failed.posted) == (6, None, "internal", 0)
    assert (done.status, done.posted) == (BulkStatus.FINISHED, 5)


async def test_another_tenants_bulk_moves_nothing_here(desk: Desk, other_tenant: Tenant, open_books: object) -> None:
    others: Books = await open_books(other_tenant, people=4, funds=500)  # type: ignore[operator]
    mine, theirs = await desk.approved(desk.rows(9)), Desk(others, desk.pool)
    their = await theirs.approved(theirs.rows(6))
    await post_all(desk, 2)
    assert ((await desk.read(mine)).posted, (await theirs.read(their)).posted) == (9, 6)
    assert ((await desk.balances())[0], (await theirs.balances())[0]) == (991, 494)


async def test_thousands_of_payments_of_one_batch_become_notices_each_found_by_its_key(
    desk: Desk, signer: Signer
) -> None:
    await desk.books.fund(6_000)
    await seal_all(desk.pool, signer)
    while (await note_unheard(desk.pool, timedelta(0), 1_000)).batches:
        pass
    for at in range(len(desk.books.people)):
        await give_phone(desk.books, at)
    await desk.approved(desk.rows(6_000))
    await post_all(desk, 2_000)
    await seal_all(desk.pool, signer)
    began = time.perf_counter()
    noted = await note_unheard(desk.pool, timedelta(0), 1_000)
    assert noted.notices == 12_000  # both sides
    # A tenth of a second; reading the payees' payments once more for each of them takes a minute.
    assert time.perf_counter() - began < 3


def test_payment_ids_are_uuids_of_their_own_and_neighbours() -> None:
    seeds = [str(uuid.uuid4()) for _ in range(3)]
    ids = [payment_id(seed, number) for seed in seeds for number in (1, 2, 1_000_000)]
    assert len({*ids}) == 9
    assert {uuid.UUID(one).version for one in ids} == {8}
    assert {uuid.UUID(one).variant for one in ids} == {uuid.RFC_4122}
    assert payment_id(seeds[0], 255)[-8:] == "000000ff"


@pytest.mark.parametrize("is_atomic", [False, True])
async def test_the_log_is_told_a_bulks_roots_in_the_commit_of_its_money(
    desk: Desk, admin: Pool, signer: Signer, is_atomic: bool
) -> None:
    await desk.books.fund(1_000)
    await seal_all(desk.pool, signer)
    await desk.approved(desk.rows(30), is_atomic=is_atomic)
    await post_all(desk, 7)
    told = await admin.fetch(
        "select root, payment_ids::text[] from payhub.batches_unlogged join payhub.outbox using (tenant_id, batch)"
        " where tenant_id = $1",
        desk.books.tenant.id,
    )
    assert len(told) == 5
    async with in_tenant(desk.pool, desk.books.tenant.id) as connection:
        for root, ids in told:
            assert root_of(await read_batch_leaves(connection, desk.books.tenant.id, ids)) == root

"""The life of a bulk until it is approved: who may, when, and what a file has to be."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.bulk.bulks import (
    OPEN_BULKS_MAX,
    Bulk,
    BulkStatus,
    Order,
    approve_bulk,
    begin_file,
    cancel_bulk,
    close_file,
    create_bulk,
    list_bulks,
    read_bulk,
)
from core.bulk.cnab240 import Cnab240Parser
from core.bulk.csv import CsvParser
from core.bulk.lines import ATOMIC_LINES_MAX, LINES_MAX, Line
from core.bulk.pain001 import Pain001Parser
from core.bulk.receiving import receive_file, receive_lines
from core.bulk.report import neutralised, read_results, write_csv
from core.database import Pool
from core.errors import Conflict, NotFound, Refusal
from core.people.opening import Tenant
from tests.core.bulk.conftest import Desk
from tests.core.bulk.files import Row, cnab240_of, csv_of, pain001_of

BAD = {"malformed_line": b"7,5,x", "not_a_number": b"7,1e3,,", "account_not_found": b"7,5,,"}


async def code_of(refused: object) -> str:
    with pytest.raises(Refusal) as caught:
        await refused  # type: ignore[misc]
    return caught.value.code


async def test_a_checked_file_says_how_many_lines_it_has_and_what_they_sum_up_to(desk: Desk) -> None:
    bulk = await desk.send(await desk.create(lines=2_500, amount=7_500), desk.rows(2_500, 3), piece=700)
    assert (bulk.status, bulk.lines, bulk.good, bulk.amount, bulk.good_amount) == (1, 2_500, 2_500, 7_500, 7_500)
    results = await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 3_000)
    assert [(one.number, one.payee, one.reference) for one in results] == [
        (at + 1, row.payee, row.reference) for at, row in enumerate(desk.rows(2_500))
    ]
    assert {(one.payer, one.status, one.payment) for one in results} == {(desk.payer, "waiting", None)}


@pytest.mark.parametrize("where", [0, 2, 4], ids=["first", "middle", "last"])
@pytest.mark.parametrize("code", BAD)
async def test_every_bad_line_is_reported_and_an_atomic_bulk_is_not_approved(desk: Desk, where: int, code: str) -> None:
    head, *lines = csv_of(desk.rows(4)).splitlines()
    lines.insert(where, BAD[code])
    file = b"\n".join([head, *lines])
    atomic = await desk.send(await desk.create(is_atomic=True), file)
    assert (atomic.lines, atomic.good) == (5, 4)
    wrong = await read_results(desk.pool, desk.books.keys, desk.tenant_id, atomic, 0, 10, only_wrong=True)
    assert [(one.number, one.status, one.code) for one in wrong] == [(where + 1, "bad", code)]
    assert await code_of(approve_bulk(desk.pool, desk.tenant_id, atomic.id, desk.approver)) == "bulk_has_bad_lines"

    independent = await desk.send(await desk.create(is_again=True), file)
    assert (await approve_bulk(desk.pool, desk.tenant_id, independent.id, desk.approver)).status == BulkStatus.APPROVED


async def test_of_equal_references_the_first_is_good(desk: Desk) -> None:
    rows = desk.rows(5)
    rows[1] = rows[1]._replace(reference="r5")
    rows += [Row(desk.books.account(1), 1)] * 2  # without a reference nothing says that they are the same
    bulk = await desk.send(await desk.create(), rows)
    wrong = await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 10, only_wrong=True)
    assert [(one.number, one.code, one.field) for one in wrong] == [(5, "duplicate_reference", "reference")]
    assert (bulk.lines, bulk.good, bulk.amount, bulk.good_amount) == (7, 6, 7, 6)


async def test_the_payer_is_not_paid_and_foreign_accounts_do_not_exist(
    desk: Desk, other_tenant: Tenant, open_books: object
) -> None:
    others = await open_books(other_tenant, people=1)  # type: ignore[operator]
    rows = [Row(desk.payer, 1), Row(others.account(0), 1), Row(desk.books.account(1), 1)]
    bulk = await desk.send(await desk.create(), rows)
    wrong = await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 10, only_wrong=True)
    assert [(one.number, one.code, one.field) for one in wrong] == [
        (1, "accounts_must_differ", "payee"),
        (2, "account_not_found", "payee"),
    ]


async def test_all_three_formats_become_the_same_lines(desk: Desk) -> None:
    rows = desk.rows(50)

    async def lines(bulk: Bulk) -> list[tuple[object, ...]]:
        return [tuple(one) for one in await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 100)]

    csv = await lines(await desk.send(await desk.create(), rows))
    pain = await desk.send(await desk.create(), pain001_of(desk.payer, [rows[:20], rows[20:]]), Pain001Parser)
    cnab = await desk.send(await desk.create(), cnab240_of(desk.payer, rows), Cnab240Parser)
    assert csv == await lines(pain) == await lines(cnab)
    assert len(csv) == 50


@pytest.mark.parametrize("wrong", [{"lines": 3}, {"amount": 5}, {"lines": 4, "amount": 3}])
async def test_a_file_that_is_not_what_was_declared_is_refused_and_may_be_sent_again(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    bulk = await desk.create(**wrong)
    assert await code_of(desk.send(bulk, desk.rows(4))) == "totals_mismatch"
    assert (await desk.read(bulk)).status == BulkStatus.RECEIVING
    right = await desk.create(lines=4, amount=4)
    assert (await desk.send(right, desk.rows(4))).status == BulkStatus.CHECKED


async def test_a_file_that_breaks_off_is_sent_again_from_its_beginning(desk: Desk) -> None:
    bulk = await desk.create()

    async def breaking() -> AsyncIterator[bytes]:
        yield csv_of(desk.rows(3_000))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await receive_file(desk.pool, desk.books.keys, desk.tenant_id, bulk, CsvParser, desk.ground, breaking())
    broken = await desk.read(bulk)
    assert broken.lines > 0
    # Nobody makes a whole of it by saying that it is one, nor by going on from there.
    assert await code_of(close_file(desk.pool, desk.tenant_id, bulk.id, broken.attempt)) == "bulk_wrong_status"
    line = Line(None, desk.books.account(1), 1, None, None)
    late = receive_lines(desk.pool, desk.books.keys, desk.tenant_id, broken, broken.lines + 1, [line], b"x")
    assert await code_of(late) == "lines_out_of_order"
    again = await desk.send(bulk, desk.rows(10))
    assert (again.lines, again.good, again.amount) == (10, 10, 10)
    assert len(await read_results(desk.pool, desk.books.keys, desk.tenant_id, again, 0, 5_000)) == 10


async def test_of_two_who_send_one_bulk_at_once_the_later_one_goes_on(desk: Desk) -> None:
    bulk = await desk.create()
    outcomes = await asyncio.gather(
        *(desk.send(bulk, desk.rows(4_000), piece=20_000) for _ in range(4)), return_exceptions=True
    )
    good = [one for one in outcomes if isinstance(one, Bulk)]
    assert len(good) == 1, outcomes
    assert {one.code for one in outcomes if isinstance(one, Refusal)} <= {"bulk_begun_again", "bulk_wrong_status"}
    assert (good[0].lines, good[0].amount) == (4_000, 4_000)
    assert len(await read_results(desk.pool, desk.books.keys, desk.tenant_id, good[0], 0, 5_000)) == 4_000


async def test_a_streams_messages_are_taken_once_and_in_order(desk: Desk) -> None:
    bulk = await desk.create()
    lines = [Line(None, row.payee, 1, None, row.reference) for row in desk.rows(10)]  # type: ignore[arg-type]

    async def take(first: int, count: int) -> int:
        part = lines[first - 1 : first - 1 + count]
        return await receive_lines(
            desk.pool, desk.books.keys, desk.tenant_id, await desk.read(bulk), first, part, repr(part).encode()
        )

    assert await take(1, 3) == 3
    assert await take(1, 3) == 3
    assert await code_of(take(7, 3)) == "lines_out_of_order"
    assert await code_of(take(3, 3)) == "lines_out_of_order"
    assert await take(4, 3) == 6
    # One message from two connections at once.
    both = await asyncio.gather(take(7, 3), take(7, 3), return_exceptions=True)
    assert 9 in both
    assert await take(7, 3) == 9
    closed = await close_file(desk.pool, desk.tenant_id, bulk.id, (await desk.read(bulk)).attempt)
    assert (closed.lines, closed.good, closed.status) == (9, 9, BulkStatus.CHECKED)
    assert await code_of(take(10, 1)) == "bulk_begun_again"


async def test_the_same_file_within_a_day_is_taken_once_unless_it_is_meant(desk: Desk, admin: Pool) -> None:
    first = await desk.send(await desk.create(), desk.rows(3))
    # By somebody else who may use the account, too, and as CRLF it is another file.
    assert await code_of(desk.send(await desk.create(maker=desk.approver), desk.rows(3))) == "duplicate_file"
    assert (await desk.send(await desk.create(), csv_of(desk.rows(3), "\r\n"))).status == BulkStatus.CHECKED
    assert (await desk.send(await desk.create(is_again=True), desk.rows(3))).status == BulkStatus.CHECKED
    await admin.execute(
        "update payhub.bulks set checked_at = now() - interval '25 hours' where tenant_id = $1", desk.tenant_id
    )
    later = await desk.send(await desk.create(), desk.rows(3))
    assert later.status == BulkStatus.CHECKED
    # One that was given up counts no more.
    await cancel_bulk(desk.pool, desk.tenant_id, later.id)
    assert (await desk.send(await desk.create(), desk.rows(3))).status == BulkStatus.CHECKED
    assert first.digest == later.digest


async def test_of_two_who_send_the_same_file_at_once_one_is_told(desk: Desk) -> None:
    bulks = [await desk.create(), await desk.create(maker=desk.approver)]
    outcomes = await asyncio.gather(*(desk.send(one, desk.rows(500)) for one in bulks), return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["Bulk", "Refusal"]


async def test_a_bulk_is_made_once_and_its_id_is_its_makers(desk: Desk) -> None:
    order = Order(str(uuid.uuid4()), desk.payer, False, lines=3)
    made = await asyncio.gather(*(create_bulk(desk.pool, desk.tenant_id, order, desk.maker) for _ in range(5)))
    assert len(set(made)) == 1
    for other in (
        order._replace(is_atomic=True),
        order._replace(lines=4),
        order._replace(account=desk.books.account(2)),
    ):
        with pytest.raises(Conflict):
            await create_bulk(desk.pool, desk.tenant_id, other, desk.maker)
    with pytest.raises(Conflict):
        await create_bulk(desk.pool, desk.tenant_id, order, desk.approver)
    with pytest.raises(NotFound):
        await create_bulk(desk.pool, desk.tenant_id, order._replace(id=str(uuid.uuid4()), account=1234), desk.maker)


async def test_whoever_made_a_bulk_does_not_approve_it(desk: Desk) -> None:
    bulk = await desk.create()
    assert await code_of(approve_bulk(desk.pool, desk.tenant_id, bulk.id, desk.approver)) == "bulk_wrong_status"
    await desk.send(bulk, desk.rows(3))
    assert await code_of(approve_bulk(desk.pool, desk.tenant_id, bulk.id, desk.maker)) == "maker_cannot_approve"
    assert (await desk.read(bulk)).status == BulkStatus.CHECKED
    approved = await asyncio.gather(
        *(approve_bulk(desk.pool, desk.tenant_id, bulk.id, desk.approver) for _ in range(5))
    )
    assert {(one.status, one.approver) for one in approved} == {(BulkStatus.APPROVED, desk.approver)}
    third = desk.books.people[2].person_id
    assert await code_of(approve_bulk(desk.pool, desk.tenant_id, bulk.id, third)) == "bulk_wrong_status"
    # What was checked and approved stays as it is.
    assert await code_of(begin_file(desk.pool, desk.tenant_id, bulk.id)) == "bulk_wrong_status"


async def test_a_bulk_without_a_good_line_is_not_approved(desk: Desk) -> None:
    bulk = await desk.send(await desk.create(), b"payee,amount\n7,1\n")
    assert await code_of(approve_bulk(desk.pool, desk.tenant_id, bulk.id, desk.approver)) == "bulk_is_empty"
    assert await code_of(desk.send(await desk.create(), b"payee,amount\n")) == "bulk_is_empty"


async def test_a_bulk_is_cancelled_once_and_not_approved_then(desk: Desk) -> None:
    bulk = await desk.send(await desk.create(), desk.rows(3))
    cancelled = await cancel_bulk(desk.pool, desk.tenant_id, bulk.id)
    assert cancelled == await cancel_bulk(desk.pool, desk.tenant_id, bulk.id)
    assert cancelled.status == BulkStatus.CANCELLED
    assert await code_of(approve_bulk(desk.pool, desk.tenant_id, bulk.id, desk.approver)) == "bulk_wrong_status"
    with pytest.raises(NotFound):
        await cancel_bulk(desk.pool, desk.tenant_id, str(uuid.uuid4()))


async def test_lines_that_nobody_approved_go_with_their_bulk(desk: Desk) -> None:
    unread, approved = await desk.send(await desk.create(), desk.rows(3)), await desk.approved(desk.rows(4))
    kept = []
    for bulk in (unread, approved):
        await cancel_bulk(desk.pool, desk.tenant_id, bulk.id)
        kept.append(len(await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 10)))
    assert kept == [0, 4]


async def test_an_account_has_so_many_bulks_open_and_no_more(desk: Desk) -> None:
    orders = [Order(str(uuid.uuid4()), desk.payer, False) for _ in range(OPEN_BULKS_MAX + 5)]
    made = await asyncio.gather(
        *(create_bulk(desk.pool, desk.tenant_id, order, desk.maker) for order in orders), return_exceptions=True
    )
    bulks = [one for one in made if isinstance(one, Bulk)]
    refused = [one.code for one in made if isinstance(one, Refusal)]
    assert (len(bulks), refused) == (OPEN_BULKS_MAX, ["too_many_bulks"] * 5)
    # The same again is no new one; a refused one has left nothing; another account has its own.
    again = next(order for order in orders if order.id == bulks[0].id)
    assert (await create_bulk(desk.pool, desk.tenant_id, again, desk.maker)).id == bulks[0].id
    assert len(await list_bulks(desk.pool, desk.tenant_id, desk.payer, None, None, 100)) == OPEN_BULKS_MAX
    other = Order(str(uuid.uuid4()), desk.books.account(1), False)
    await create_bulk(desk.pool, desk.tenant_id, other, desk.approver)
    await cancel_bulk(desk.pool, desk.tenant_id, bulks[0].id)
    await desk.create()
    assert await code_of(desk.create()) == "too_many_bulks"


async def test_another_tenants_bulk_is_none(desk: Desk, other_tenant: Tenant) -> None:
    bulk = await desk.send(await desk.create(), desk.rows(3))
    assert await read_bulk(desk.pool, other_tenant.id, bulk.id) is None
    assert await list_bulks(desk.pool, other_tenant.id, None, None, None, 10) == []
    for doing in (
        approve_bulk(desk.pool, other_tenant.id, bulk.id, desk.approver),
        cancel_bulk(desk.pool, other_tenant.id, bulk.id),
    ):
        with pytest.raises(NotFound):
            await doing
    assert await code_of(begin_file(desk.pool, other_tenant.id, bulk.id)) == "bulk_wrong_status"
    assert await read_results(desk.pool, desk.books.keys, other_tenant.id, bulk, 0, 10) == []
    assert (await desk.read(bulk)).status == BulkStatus.CHECKED


async def test_bulks_are_listed_newest_first_in_pages(desk: Desk) -> None:
    made = [await desk.create() for _ in range(5)]
    ids = [one.id for one in reversed(made)]
    first = await list_bulks(desk.pool, desk.tenant_id, desk.payer, None, None, 3)
    rest = await list_bulks(desk.pool, desk.tenant_id, desk.payer, BulkStatus.RECEIVING, first[-1].id, 3)
    assert [one.id for one in (*first, *rest)] == ids
    assert await list_bulks(desk.pool, desk.tenant_id, desk.books.account(1), None, None, 3) == []
    # Somebody else's bulk is no place to begin a page at: it would tell that there is one, and how old it is.
    assert await list_bulks(desk.pool, desk.tenant_id, desk.books.account(1), None, first[-1].id, 3) == []
    theirs = Order(str(uuid.uuid4()), desk.books.account(1), False)
    await create_bulk(desk.pool, desk.tenant_id, theirs, desk.maker)
    assert await list_bulks(desk.pool, desk.tenant_id, desk.payer, None, theirs.id, 3) == []
    assert await list_bulks(desk.pool, desk.tenant_id, None, BulkStatus.CHECKED, None, 3) == []


async def test_there_is_an_end_to_lines_and_to_sums(desk: Desk) -> None:
    line = Line(None, desk.books.account(1), 10**13, None, None)
    atomic, independent = await desk.create(is_atomic=True), await desk.create()
    for bulk, most in ((atomic, ATOMIC_LINES_MAX), (independent, LINES_MAX)):
        there = bulk._replace(lines=most, digest=b"x")
        late = receive_lines(desk.pool, desk.books.keys, desk.tenant_id, there, most + 1, [line], b"")
        assert await code_of(late) == "too_many_lines"
    rich = [Row(desk.books.account(1), 10**13)] * 900
    assert (await desk.send(independent, rich)).amount == 900 * 10**13
    assert await code_of(desk.send(await desk.create(), [*rich, rich[0]])) == "sum_out_of_range"


async def test_the_report_holds_no_formula(desk: Desk) -> None:
    starts = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\uff1d1", "'=1", "plain", 'a "quoted", one']
    rows = "".join(
        f'{desk.books.account(1)},1,"{text.replace(chr(34), 2 * chr(34))}",{"=r" if at else ""}{at or ""}\n'
        for at, text in enumerate(starts)
    )
    bulk = await desk.send(await desk.create(), f"payee,amount,description,reference\n{rows}7,1,,\n".encode())
    written = b"".join([piece async for piece in write_csv(desk.pool, desk.books.keys, desk.tenant_id, bulk)]).decode()
    lines = written.split("\r\n")
    assert lines[0] == "number,payer,payee,amount,description,reference,payment,status,code,field"
    assert len(lines) == 11
    assert lines[1].endswith(",1,'=cmd|' /C calc'!A0,,,waiting,,")
    assert lines[4].endswith(",1,'@SUM(A1),'=r3,,waiting,,")
    assert lines[8].endswith(""","a ""quoted"", one",'=r7,,waiting,,""")
    assert lines[9].endswith(",7,1,,,,bad,account_not_found,payee")
    assert [neutralised(text) for text in starts] == [*(f"'{one}" for one in starts[:5]), *starts[5:]]
    results = await read_results(desk.pool, desk.books.keys, desk.tenant_id, bulk, 0, 10)
    assert [one.description for one in results[:8]] == starts

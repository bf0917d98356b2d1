"""What has cost other ledgers money: holds, refunds, chargebacks, groups and fees, told as facts and raced."""

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from core.database import Pool, acquire
from core.ledger.batcher import Batcher
from core.ledger.expiring import expire_holds
from core.ledger.posting import post_payments
from core.ledger.reading import find_expired_holds, read_account, read_entries_after, read_payments
from core.ledger.rehearsing import rehearse
from core.ledger.terms import Terms, put_under_terms, set_terms
from core.nouns import GROUP_SIZE_MAX, Kind, Payment, PaymentStatus, Posting, SystemAccount
from tests.conftest import PAST_TRIGGERS, Books, answers, prove, the_keys

POSTED = PaymentStatus.POSTED


async def post(books: Books, *payments: Payment) -> list[Posting]:
    async with acquire(books.pool) as connection:
        return answers(await post_payments(connection, payments, the_keys()))


async def status(books: Books, payment: Payment) -> int:
    return (await post(books, payment))[0].status


def step(of: Payment, kind: Kind, amount: int = 0, **more: Any) -> Payment:
    parties: dict[str, Any] = {"payer": of.payee, "payee": of.payer} if kind in {Kind.REFUND, Kind.REVERSE} else {}
    return of._replace(id=str(uuid.uuid4()), kind=kind, subject=of.id, amount=amount, **parties)._replace(**more)


async def hold(books: Books, amount: int, **more: Any) -> Payment:
    payment = books.payment(0, 1, amount)._replace(kind=Kind.AUTHORIZE, **more)
    assert await status(books, payment) == POSTED
    return payment


async def balance(books: Books, at: int) -> tuple[int, int]:
    account = await read_account(books.pool, books.tenant.id, books.account(at))
    assert account is not None
    return account.balance, account.held


async def test_holds_count_against_what_is_available_and_a_refused_one_is_dead(books: Books) -> None:
    holds = [books.payment(0, 1, 200)._replace(kind=Kind.AUTHORIZE) for _ in range(6)]
    assert [await status(books, one) for one in holds] == [POSTED] * 5 + [PaymentStatus.INSUFFICIENT_FUNDS]
    assert await balance(books, 0) == (1_000, 1_000)
    assert await status(books, books.payment(0, 1, 1)) == PaymentStatus.INSUFFICIENT_FUNDS
    assert await status(books, step(holds[-1], Kind.CAPTURE, 1)) == PaymentStatus.SUBJECT_NOT_FOUND
    await books.fund(10_000)
    # Money has come; what was refused stays refused.
    assert await status(books, holds[-1]) == PaymentStatus.INSUFFICIENT_FUNDS
    assert await status(books, step(holds[-1], Kind.CAPTURE, 200)) == PaymentStatus.SUBJECT_NOT_FOUND


async def test_of_many_captures_at_once_no_more_is_taken_than_was_held(books: Books) -> None:
    held = await hold(books, 100)
    answers = await asyncio.gather(*(status(books, step(held, Kind.CAPTURE, 30)) for _ in range(40)))
    assert sorted(answers) == [POSTED] * 3 + [PaymentStatus.CAPTURE_EXCEEDS_HOLD] * 37
    assert await balance(books, 0) == (910, 10)


async def test_the_same_capture_asked_for_twice_is_one_capture(books: Books) -> None:
    held = await hold(books, 100)
    capture = step(held, Kind.CAPTURE, 60)
    first, again = [(await post(books, capture))[0] for _ in range(2)]
    assert first == again
    assert await balance(books, 1) == (1_060, 0)
    assert await status(books, capture._replace(amount=61)) == PaymentStatus.EXISTS_WITH_DIFFERENT_AMOUNT


async def test_a_tip_may_exceed_the_hold_by_what_the_merchant_set(books: Books) -> None:
    await set_terms(books.pool, books.tenant.id, Terms(1, "Restaurant", tip_percent_max=20))
    await put_under_terms(books.pool, books.tenant.id, books.account(1), 1)
    held = await hold(books, 100)
    assert await status(books, step(held, Kind.CAPTURE, 121)) == PaymentStatus.CAPTURE_EXCEEDS_HOLD
    assert await status(books, step(held, Kind.CAPTURE, 120)) == POSTED
    assert await balance(books, 0) == (880, 0)
    # The terms of the moment of the authorization hold; a tip is still paid out of what is there.
    other = await hold(books, 880)
    assert await status(books, step(other, Kind.CAPTURE, 881)) == PaymentStatus.INSUFFICIENT_FUNDS


async def test_when_a_capture_meets_its_expiry_exactly_one_wins(books: Books) -> None:
    wins = {"capture": 0, "expiry": 0}
    for _ in range(25):
        held = await hold(books, 10, lasts_s=0)
        live = await hold(books, 10)
        expiry, capture = step(held, Kind.EXPIRE), step(held, Kind.CAPTURE, 10)
        expired, captured = await asyncio.gather(status(books, expiry), status(books, capture))
        assert expired == POSTED
        assert captured in {PaymentStatus.HOLD_EXPIRED, PaymentStatus.HOLD_CLOSED}
        wins["expiry"] += 1
        assert await status(books, step(live, Kind.EXPIRE)) == PaymentStatus.HOLD_NOT_EXPIRED
        assert await status(books, step(live, Kind.CAPTURE, 10)) == POSTED
        wins["capture"] += 1
    assert await balance(books, 0) == (1_000 - 250, 0)


async def test_a_worker_lets_go_of_what_has_expired_once_however_many_workers_there_are(books: Books) -> None:
    held = [await hold(books, 10, lasts_s=0) for _ in range(20)]
    assert {one.id for one in held} <= {found[1] for found in await find_expired_holds(books.pool, 10_000)}
    await asyncio.gather(*(expire_holds(books.pool, 256) for _ in range(4)))
    assert await balance(books, 0) == (1_000, 0)
    entries = await read_entries_after(books.pool, books.tenant.id, books.account(0), 0, 1_000, the_keys())
    assert [entry.kind for entry in entries].count(Kind.EXPIRE) == 20


async def test_a_repeated_refund_moves_nothing_and_gives_the_first_answer(books: Books) -> None:
    paid = books.payment(0, 1, 100)
    await post(books, paid)
    refund = step(paid, Kind.REFUND, 40)
    answers = [(await post(books, refund))[0] for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert await balance(books, 0) == (940, 0)


async def test_a_thousand_refunds_at_once_give_back_what_was_paid_and_not_a_cent_more(books: Books) -> None:
    paid = books.payment(0, 1, 300)
    await post(books, paid)
    refunds = [step(paid, Kind.REFUND, 1) for _ in range(1_000)]
    batches = [refunds[at : at + 40] for at in range(0, 1_000, 40)]
    answers = await asyncio.gather(*(post(books, *batch) for batch in batches))
    statuses = [posting.status for batch in answers for posting in batch]
    assert statuses.count(POSTED) == 300
    assert statuses.count(PaymentStatus.REFUND_EXCEEDS_CAPTURED) == 700
    assert (await balance(books, 0), await balance(books, 1)) == ((1_000, 0), (1_000, 0))


async def test_a_refund_returns_the_fee_in_proportion_and_to_the_last_cent(books: Books) -> None:
    await set_terms(books.pool, books.tenant.id, Terms(1, "Shop", fee_ppm=15_000, fee_fixed=1, returns_fee=True))
    await put_under_terms(books.pool, books.tenant.id, books.account(1), 1)
    paid = books.payment(0, 1, 500)
    (posting,) = await post(books, paid)
    assert posting.fee == 9  # 1.5 % of 500 is 7.5, rounded half up, and 1
    back = [(await post(books, step(paid, Kind.REFUND, amount)))[0].fee for amount in (100, 150, 250)]
    assert (back, sum(back)) == ([-1, -3, -5], -9)
    assert await balance(books, 1) == (1_000, 0)


async def test_a_split_payment_is_undone_as_a_whole_or_not_at_all(books: Books) -> None:
    await set_terms(books.pool, books.tenant.id, Terms(1, "Market", fee_fixed=10))
    await put_under_terms(books.pool, books.tenant.id, books.account(1), 1)
    paid = books.payment(0, 1, 500)._replace(shares=((books.account(2), 200), (books.account(3), 90)))
    (posting,) = await post(books, paid)
    assert (posting.fee, posting.shared) == (10, 290)
    assert [await balance(books, at) for at in range(4)] == [(500, 0), (1_200, 0), (1_200, 0), (1_090, 0)]
    undo = step(paid, Kind.REVERSE, shares=paid.shares)
    assert await status(books, books.payment(3, 2, 1_050)) == POSTED
    assert await status(books, undo) == PaymentStatus.SHARES_NOT_PAYABLE
    assert await status(books, books.payment(2, 3, 1_050)) == POSTED
    again = undo._replace(id=str(uuid.uuid4()))
    assert await status(books, again._replace(id=str(uuid.uuid4()), shares=())) == PaymentStatus.SHARES_NOT_PAYABLE
    assert await status(books, again) == POSTED
    assert [await balance(books, at) for at in range(4)] == [(1_000, 0)] * 4
    assert await status(books, step(paid, Kind.REFUND, 1)) == PaymentStatus.REFUND_EXCEEDS_CAPTURED


async def test_a_group_with_one_bad_payment_moves_nothing_and_without_a_group_the_others_go(books: Books) -> None:
    bad = books.payment(0, 1, 5_000)
    good = [books.payment(0, 1, 1) for _ in range(99)]
    together = [one._replace(group=1) for one in [*good[:50], bad, *good[50:]]]
    statuses = [posting.status for posting in await post(books, *together)]
    assert statuses.count(PaymentStatus.LINKED_REFUSED) == 99
    assert statuses[50] == PaymentStatus.INSUFFICIENT_FUNDS
    assert await balance(books, 0) == (1_000, 0)
    # Those ids are dead; each alone, under new ones, goes.
    assert await status(books, good[0]) == PaymentStatus.LINKED_REFUSED
    alone = [one._replace(id=str(uuid.uuid4())) for one in [*good[:50], bad, *good[50:]]]
    assert [posting.status for posting in await post(books, *alone)].count(POSTED) == 99


async def test_groups_through_the_batcher_stay_whole_beside_others(books: Books) -> None:
    async def post_batch(batch: Any) -> list[Posting]:
        return await post(books, *batch)

    batcher = Batcher(post_batch)
    groups = [[books.payment(0, 1, 3) for _ in range(10)] for _ in range(40)]
    singles = [books.payment(2, 3, 1) for _ in range(300)]
    answers = await asyncio.gather(
        *(batcher.post_linked(group) for group in groups), *(batcher.post(one) for one in singles)
    )
    whole = [{posting.status for posting in answer} for answer in answers if isinstance(answer, list)]
    # 33 groups of 30 fit into 1,000; of the others, the one that was refused says why.
    assert whole.count({POSTED}) == 33
    assert all(len(one) == 1 or PaymentStatus.INSUFFICIENT_FUNDS in one for one in whole)
    assert await balance(books, 0) == (10, 0)
    with pytest.raises(ValueError, match="At most"):
        await batcher.post_linked([books.payment(0, 1, 1) for _ in range(GROUP_SIZE_MAX + 1)])
    await batcher.close()


async def test_a_dry_run_tells_exactly_what_would_be_written_and_writes_nothing(books: Books, admin: Pool) -> None:
    await set_terms(books.pool, books.tenant.id, Terms(1, "Shop", fee_ppm=20_000))
    await put_under_terms(books.pool, books.tenant.id, books.account(1), 1)
    batch = [
        books.payment(0, 1, 100)._replace(shares=((books.account(2), 7),), metadata='{"a": "b"}'),
        books.payment(0, 1, 200)._replace(kind=Kind.AUTHORIZE),
        books.payment(0, 1, 5_000),
    ]
    count = "select count(*) from payments where tenant_id = $1"
    before = await admin.fetchval(count, books.tenant.id)
    postings, entries = await rehearse(books.pool, batch, the_keys())
    assert [posting.status for posting in postings] == [POSTED, POSTED, PaymentStatus.INSUFFICIENT_FUNDS]
    assert await admin.fetchval(count, books.tenant.id) == before
    assert await balance(books, 0) == (1_000, 0)
    real = await post(books, *batch)
    assert [one._replace(judged_at_us=0) for one in real] == [one._replace(judged_at_us=0) for one in answers(postings)]
    for account in (*(books.account(at) for at in range(3)), int(SystemAccount.FEES)):
        written = await read_entries_after(books.pool, books.tenant.id, account, 0, 100, the_keys())
        tried = [entry for entry in entries if entry.account == account]
        assert [one._replace(judged_at_us=0) for one in written[-len(tried) :]] == [
            one._replace(judged_at_us=0) for one in tried
        ]


@pytest.mark.parametrize(
    "break_it",
    [
        "update payments set payer_balance = null where id = $1",
        "update payments set amount = -amount where id = $1",
        "update payments set payee = payer where id = $1",
        "update payments set fee = 5 where id = $1",
        "update standings set captured = captured + 1 where payment_id = $1",
        "update standings set refunded = captured + 1 where payment_id = $1",
        "update standings set held = -1 where payment_id = $1",
        "update standings set fee_returned = fee + 1 where payment_id = $1",
        "insert into shares values ((select tenant_id from payments where id = $1), $1, 5, 0, 1, 0)",
        "update accounts set held = -1 where (tenant_id, id) = (select tenant_id, payer from payments where id = $1)",
    ],
)
async def test_what_double_entry_forbids_is_refused_by_the_database_itself(
    books: Books, admin: Pool, break_it: str
) -> None:
    held = await hold(books, 100)
    await post(books, step(held, Kind.CAPTURE, 100))

    async def break_past_triggers() -> None:
        async with acquire(admin) as connection, connection.transaction():
            await connection.execute(PAST_TRIGGERS)
            await connection.execute(break_it, held.id)

    with pytest.raises(asyncpg.CheckViolationError):
        await break_past_triggers()


async def test_a_payment_row_is_what_its_steps_add_up_to(books: Books, admin: Pool) -> None:
    held = await hold(books, 300)
    for kind, amount in ((Kind.CAPTURE, 120), (Kind.REFUND, 20), (Kind.CAPTURE, 80), (Kind.VOID, 0)):
        assert await status(books, step(held, kind, amount)) == POSTED
    life = (await read_payments(books.pool, books.tenant.id, [held.id]))[held.id]
    assert (life.held, life.captured, life.refunded) == (0, 200, 20)
    await prove(admin, books.tenant.id)

"""post_payments against a real PostgreSQL: what a payment does, and what it never does."""

import asyncio
import uuid
from collections.abc import Sequence

import asyncpg
import pytest

from core.database import Pool
from core.ledger.posting import post_payments
from core.ledger.reading import read_account, read_entries_after, read_entries_before, settle_payments
from core.nouns import AMOUNT_MAX, AccountStatus, Payment, PaymentStatus, Posting
from core.people.opening import Tenant, set_floor
from tests.conftest import Books, answers, the_keys

S = PaymentStatus


async def post(pool: Pool, *batch: Payment) -> list[Posting]:
    async with pool.acquire() as connection:
        return answers(await post_payments(connection, batch, the_keys()))


async def statuses(pool: Pool, *batch: Payment) -> list[PaymentStatus]:
    return [PaymentStatus(posting.status) for posting in await post(pool, *batch)]


async def balances(books: Books) -> list[int]:
    found = [await read_account(books.pool, books.tenant.id, person.account_id) for person in books.people]
    return [account.balance for account in found if account is not None]


async def test_a_payment_moves_money_and_numbers_both_events(books: Books, pool: Pool) -> None:
    payment = books.payment(0, 1, 300, description="rent")

    (posting,) = await post(pool, payment)

    assert posting[:5] == (S.POSTED, 700, 2, 1_300, 2)
    assert await balances(books) == [700, 1_300, 1_000, 1_000]
    (entry,) = await read_entries_after(pool, books.tenant.id, books.account(1), 1, 10, the_keys())
    assert entry[:6] == (books.account(1), 2, payment.id, 300, books.account(0), 1_300)
    assert entry.description == "rent"


async def test_a_payment_may_spend_what_an_earlier_one_in_the_batch_brought(books: Books, pool: Pool) -> None:
    assert await statuses(pool, books.payment(0, 1, 1_000), books.payment(1, 2, 2_000)) == [S.POSTED, S.POSTED]
    assert await balances(books) == [0, 0, 3_000, 1_000]


async def test_a_refusal_in_a_batch_costs_the_others_nothing(books: Books, pool: Pool) -> None:
    batch = [books.payment(0, 1, 600), books.payment(0, 1, 600), books.payment(0, 2, 400)]

    assert await statuses(pool, *batch) == [S.POSTED, S.INSUFFICIENT_FUNDS, S.POSTED]
    assert await balances(books) == [0, 1_600, 1_400, 1_000]


async def test_the_first_status_that_applies_is_the_answer(books: Books, pool: Pool, admin: Pool) -> None:
    nobody = 999_999_999_999
    blocked, closed = books.account(2), books.account(3)
    for account, status in ((blocked, AccountStatus.BLOCKED), (closed, AccountStatus.CLOSED)):
        await admin.execute(
            "update accounts set status = $3 where tenant_id = $1 and id = $2", books.tenant.id, account, int(status)
        )
    normal = books.payment(0, 1, 1)
    table = [
        (normal._replace(amount=0, payer=nobody, payee=nobody), S.AMOUNT_OUT_OF_RANGE),
        (normal._replace(amount=-5), S.AMOUNT_OUT_OF_RANGE),
        (normal._replace(amount=AMOUNT_MAX + 1), S.AMOUNT_OUT_OF_RANGE),
        (normal._replace(payer=nobody, payee=nobody), S.ACCOUNTS_MUST_DIFFER),
        (normal._replace(payee=normal.payer), S.ACCOUNTS_MUST_DIFFER),
        (normal._replace(payer=nobody, payee=blocked), S.PAYER_NOT_FOUND),
        (normal._replace(payer=blocked, payee=nobody), S.PAYEE_NOT_FOUND),
        (normal._replace(payer=blocked, payee=closed), S.PAYER_NOT_OPEN),
        (normal._replace(payee=closed, amount=AMOUNT_MAX), S.PAYEE_NOT_OPEN),
        (normal._replace(amount=1_001), S.INSUFFICIENT_FUNDS),
        (normal, S.POSTED),
    ]
    # One that may only be paid.
    receiving = books.account(1)
    await admin.execute(
        "update accounts set status = $3 where tenant_id = $1 and id = $2",
        books.tenant.id,
        receiving,
        int(AccountStatus.RECEIVING),
    )
    table.insert(0, (normal._replace(payer=receiving, payee=normal.payer), S.PAYER_NOT_OPEN))
    batch = [payment._replace(id=str(uuid.uuid4())) for payment, _ in table]

    assert await statuses(pool, *batch) == [status for _, status in table]


async def test_a_balance_never_passes_what_clients_can_count_exactly(books: Books, pool: Pool, admin: Pool) -> None:
    await admin.execute(
        "update accounts set balance = 9007199254740991 where tenant_id = $1 and id = $2",
        books.tenant.id,
        books.account(1),
    )

    assert await statuses(pool, books.payment(0, 1, 1)) == [S.BALANCE_OUT_OF_RANGE]


async def test_a_floor_changed_live_holds_from_the_next_payment_on(books: Books, pool: Pool) -> None:
    assert await statuses(pool, books.payment(0, 1, 1_500)) == [S.INSUFFICIENT_FUNDS]
    await set_floor(pool, books.tenant.id, books.account(0), -500)
    assert await statuses(pool, books.payment(0, 1, 1_501), books.payment(0, 1, 1_500)) == [
        S.INSUFFICIENT_FUNDS,
        S.POSTED,
    ]
    await set_floor(pool, books.tenant.id, books.account(0), 0)
    assert await statuses(pool, books.payment(0, 1, 1)) == [S.INSUFFICIENT_FUNDS]


async def test_the_same_id_again_gives_the_first_answer_and_moves_nothing(books: Books, pool: Pool) -> None:
    payment = books.payment(0, 1, 100)
    first = await post(pool, payment)
    await post(pool, books.payment(1, 2, 50))

    assert await post(pool, payment) == first
    assert await post(pool, payment, payment) == first * 2
    assert await balances(books) == [900, 1_050, 1_050, 1_000]


async def test_an_id_twice_in_one_batch_is_posted_once(books: Books, pool: Pool) -> None:
    payment = books.payment(0, 1, 100)

    first, again, other = await post(pool, payment, payment, payment._replace(amount=101))

    assert first == again
    assert (first.status, other.status) == (S.POSTED, S.EXISTS_WITH_DIFFERENT_AMOUNT)
    assert await balances(books) == [900, 1_100, 1_000, 1_000]


@pytest.mark.parametrize("in_one_batch", [True, False])
async def test_the_same_id_with_another_body_names_the_field(books: Books, pool: Pool, in_one_batch: bool) -> None:
    payment = books.payment(0, 1, 100, description="tea")
    others: Sequence[tuple[Payment, PaymentStatus]] = [
        (payment._replace(payer=books.account(2), amount=1), S.EXISTS_WITH_DIFFERENT_PAYER),
        (payment._replace(payee=books.account(2), amount=1), S.EXISTS_WITH_DIFFERENT_PAYEE),
        (payment._replace(amount=1, description=None), S.EXISTS_WITH_DIFFERENT_AMOUNT),
        (payment._replace(description=None), S.EXISTS_WITH_DIFFERENT_DESCRIPTION),
        (payment._replace(description="coffee"), S.EXISTS_WITH_DIFFERENT_DESCRIPTION),
    ]
    if in_one_batch:
        answers = (await statuses(pool, payment, *(other for other, _ in others)))[1:]
    else:
        await post(pool, payment)
        answers = [(await statuses(pool, other))[0] for other, _ in others]

    assert answers == [status for _, status in others]
    assert await balances(books) == [900, 1_100, 1_000, 1_000]


async def test_a_refused_id_stays_refused_even_after_topping_up(books: Books, pool: Pool) -> None:
    payment = books.payment(0, 1, 5_000)
    first = await post(pool, payment)
    await books.fund(10_000)

    assert await post(pool, payment) == first
    assert first[0].status == S.INSUFFICIENT_FUNDS


async def test_the_same_id_in_another_tenant_is_another_payment(
    books: Books, pool: Pool, other_tenant: Tenant, open_books: object
) -> None:
    others = await open_books(other_tenant, people=2, funds=1_000)  # type: ignore[operator]
    payment = books.payment(0, 1, 100)

    assert await statuses(pool, payment, others.payment(0, 1, 100, id=payment.id)) == [S.POSTED, S.POSTED]


async def test_another_tenants_account_is_one_that_does_not_exist(
    books: Books, pool: Pool, other_tenant: Tenant, open_books: object
) -> None:
    others = await open_books(other_tenant, people=1, funds=1_000)  # type: ignore[operator]
    normal = books.payment(0, 1, 1)
    foreign = others.account(0)

    assert await statuses(
        pool,
        normal._replace(payer=foreign),
        normal._replace(id=str(uuid.uuid4()), payee=foreign),
    ) == [S.PAYER_NOT_FOUND, S.PAYEE_NOT_FOUND]
    assert await balances(others) == [1_000]


async def test_a_hundred_copies_at_once_have_one_effect_and_equal_answers(books: Books, pool: Pool) -> None:
    payment = books.payment(0, 1, 100)

    answers = await asyncio.gather(*(post(pool, payment) for _ in range(100)))

    assert len({answer[0] for answer in answers}) == 1
    assert await balances(books) == [900, 1_100, 1_000, 1_000]


async def test_a_race_for_the_last_money_is_won_exactly_as_often_as_it_lasts(books: Books, pool: Pool) -> None:
    answers = await asyncio.gather(*(statuses(pool, books.payment(0, 1 + at % 3, 10)) for at in range(150)))

    assert sorted(status for (status,) in answers) == [S.POSTED] * 100 + [S.INSUFFICIENT_FUNDS] * 50
    assert sum(await balances(books)) == 4_000
    assert (await balances(books))[0] == 0


async def test_opposite_batches_do_not_wait_for_each_other_for_ever(books: Books, pool: Pool) -> None:
    there = [[books.payment(0, 3, 1), books.payment(1, 2, 1)] for _ in range(30)]
    back = [[books.payment(2, 1, 1), books.payment(3, 0, 1)] for _ in range(30)]

    answers = await asyncio.gather(*(statuses(pool, *batch) for batch in (*there, *back)))

    assert {status for answer in answers for status in answer} == {S.POSTED}
    assert await balances(books) == [1_000] * 4


async def test_history_is_read_backwards_page_by_page(books: Books, pool: Pool) -> None:
    await post(pool, *(books.payment(0, 1, amount) for amount in range(1, 8)))

    first = await read_entries_before(pool, books.tenant.id, books.account(0), 2**53, 5, the_keys())
    second = await read_entries_before(pool, books.tenant.id, books.account(0), first[-1].number, 5, the_keys())

    assert [entry.number for entry in (*first, *second)] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [entry.amount for entry in first] == [-7, -6, -5, -4, -3]
    assert second[-1].amount == 1_000


async def test_a_payment_in_doubt_is_settled_as_posted_refused_or_fenced(books: Books, pool: Pool) -> None:
    posted, refused, never_sent = books.payment(0, 1, 100), books.payment(0, 1, 5_000), books.payment(0, 1, 7)
    await post(pool, posted, refused)

    settled = await settle_payments(
        pool, books.tenant.id, posted.asked_by, [never_sent.id, posted.id, refused.id, posted.id]
    )

    assert [found.status for found in settled] == [S.FENCED, S.POSTED, S.INSUFFICIENT_FUNDS]
    assert settled[1].payer_balance == 900
    assert await statuses(pool, never_sent) == [S.FENCED]
    assert await balances(books) == [900, 1_100, 1_000, 1_000]


async def test_somebody_elses_payment_reads_like_a_fenced_one_and_stays_as_it_was(books: Books, pool: Pool) -> None:
    payment = books.payment(0, 1, 100)
    first = await post(pool, payment)

    (seen,) = await settle_payments(pool, books.tenant.id, books.people[3].person_id, [payment.id])

    assert (seen.status, seen.payer, seen.amount, seen.payer_balance) == (S.FENCED, None, None, None)
    assert await post(pool, payment) == first


async def test_somebody_who_sees_all_is_told_of_everybodys_payment(books: Books, pool: Pool) -> None:
    payment = books.payment(0, 1, 100)
    await post(pool, payment)

    (seen,) = await settle_payments(pool, books.tenant.id, books.people[3].person_id, [payment.id], sees_all=True)

    assert (seen.status, seen.payer, seen.amount) == (S.POSTED, payment.payer, 100)


async def test_a_batch_and_a_settlement_of_the_same_new_ids_never_deadlock(books: Books, pool: Pool) -> None:
    for _ in range(15):
        batch = [books.payment(at % 2, 2 + at % 2, 1) for at in range(20)]
        ids = [payment.id for payment in batch]

        async def try_post(batch: list[Payment] = batch) -> list[PaymentStatus]:
            while True:
                try:
                    return await statuses(pool, *batch)
                except asyncpg.UniqueViolationError:
                    continue

        posted, settled = await asyncio.gather(
            try_post(), settle_payments(pool, books.tenant.id, batch[0].asked_by, ids, sees_all=True)
        )
        assert [found.status for found in settled] == posted


async def test_posting_and_fencing_at_once_agree(books: Books, pool: Pool) -> None:
    for _ in range(40):
        payment = books.payment(0, 1, 1)

        async def try_post(payment: Payment = payment) -> int:
            while True:
                try:
                    return (await statuses(pool, payment))[0]
                except asyncpg.UniqueViolationError:
                    # What the batcher does: the fence won, ask again.
                    continue

        status, (settled,) = await asyncio.gather(
            try_post(), settle_payments(pool, books.tenant.id, payment.asked_by, [payment.id])
        )
        assert status == settled.status
        assert status in {S.POSTED, S.FENCED}


async def test_what_the_books_refuse_even_when_python_is_bypassed(books: Books, admin: Pool) -> None:
    insert = (
        "insert into payments (tenant_id, id, status, payer, payee, amount, payer_version, payee_version,"
        " payer_balance, payee_balance, judged_at, asked_by) values ($1, gen_random_uuid(), $2, $3, $4, $5, $6, $7, 0, 0, now(), $8)"
    )
    person = books.people[0].person_id
    a, b = books.account(0), books.account(1)
    for row in (
        (0, a, b, -1, 90, 91),  # a negative leg
        (0, a, b, 0, 90, 91),  # nothing moved
        (0, a, a, 5, 90, 91),  # to itself
        (0, a, None, 5, 90, 91),  # one leg
        (0, a, b, 5, None, 91),  # one side without its event
        (0, a, b, 5, 90, 1),  # an event number used before
    ):
        with pytest.raises((asyncpg.CheckViolationError, asyncpg.UniqueViolationError)):
            await admin.execute(insert, books.tenant.id, *row, person)

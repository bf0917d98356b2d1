"""The batcher: who travels with whom, who waits, and who is refused. Its post is a real function that the test holds open."""

import asyncio
import uuid
from collections.abc import Sequence

import asyncpg
import pytest

from core.database import Pool
from core.errors import KeysUnavailable, OutcomeUnknown, Overloaded, Unavailable
from core.ledger import batcher as room
from core.ledger.batcher import BATCH_SIZE_MAX, COMPANY_MIN, FLIGHTS_MAX, TENANT_QUEUE_LENGTH_MAX, Batcher, Outcome
from core.ledger.posting import Posters
from core.ledger.reading import read_account
from core.nouns import Payment, PaymentStatus, Posting
from tests.conftest import Books, Database

POSTED = Posting(PaymentStatus.POSTED, 0, 1, 0, 1, 0)


def payment(tenant: int = 1) -> Payment:
    return Payment(tenant, str(uuid.uuid4()), 1, 2, 1, str(uuid.uuid4()))


class Gate:
    """Lets batches depart and holds them until told to commit or to fail."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Payment]] = []
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, batch: Sequence[Payment]) -> list[Posting]:
        self.batches.append(batch)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return [POSTED] * len(batch)


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def fill_flights(batcher: Batcher) -> None:
    """Put as many batches into the air as there may be."""
    for _ in range(FLIGHTS_MAX):
        for _ in range(COMPANY_MIN):
            batcher.submit(payment(), lambda *_: None)
        await turn()
    assert batcher.in_flight == FLIGHTS_MAX


async def test_a_lone_payment_leaves_on_the_next_turn_of_the_loop() -> None:
    gate = Gate()
    batcher = Batcher(gate)

    batcher.submit(payment(), lambda *_: None)
    await turn()

    assert [len(batch) for batch in gate.batches] == [1]
    gate.open.set()
    await batcher.close()


async def test_payments_of_one_turn_share_a_batch_and_later_ones_gather_while_it_flies() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    waiting = []
    for count in (3, 5, 7, 11):
        waiting += [asyncio.ensure_future(batcher.post(payment())) for _ in range(count)]
        await turn()

    assert [len(batch) for batch in gate.batches] == [3, 5]
    assert (batcher.in_flight, batcher.waiting) == (FLIGHTS_MAX, 18)
    gate.open.set()
    assert await asyncio.gather(*waiting) == [POSTED] * 26
    assert [len(batch) for batch in gate.batches] == [3, 5, 18]


async def test_a_second_batch_waits_until_it_is_worth_a_commit() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    batcher.submit(payment(), lambda *_: None)
    await turn()
    for _ in range(COMPANY_MIN - 1):
        batcher.submit(payment(), lambda *_: None)
    await turn()
    assert batcher.in_flight == 1

    batcher.submit(payment(), lambda *_: None)
    await turn()
    assert batcher.in_flight == 2
    gate.open.set()
    await batcher.close()


async def test_tenants_take_turns_so_a_loud_one_waits_behind_itself() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    await fill_flights(batcher)
    for _ in range(10 * BATCH_SIZE_MAX):
        batcher.submit(payment(tenant=1), lambda *_: None)
    quiet = payment(tenant=2)
    batcher.submit(quiet, lambda *_: None)

    gate.open.set()
    await turn()

    assert any(quiet in batch for batch in gate.batches[FLIGHTS_MAX : FLIGHTS_MAX + 2])
    assert max(len(batch) for batch in gate.batches) == BATCH_SIZE_MAX
    await batcher.close()


async def test_a_full_queue_refuses_one_tenant_with_a_hint_and_still_takes_another() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    await fill_flights(batcher)
    for _ in range(TENANT_QUEUE_LENGTH_MAX):
        batcher.submit(payment(tenant=1), lambda *_: None)

    with pytest.raises(Overloaded) as refused:
        batcher.submit(payment(tenant=1), lambda *_: None)
    batcher.submit(payment(tenant=2), lambda *_: None)

    assert refused.value.retry_after_ms > 0
    gate.open.set()
    await batcher.close()


async def test_a_full_hub_refuses_a_new_tenant_and_goes_on_as_if_it_had_never_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "QUEUE_LENGTH_MAX", 6)
    gate = Gate()
    batcher = Batcher(gate)
    waiting = [asyncio.ensure_future(batcher.post(payment(tenant=1))) for _ in range(3)]
    await turn()
    waiting += [asyncio.ensure_future(batcher.post(payment(tenant=1 + at % 2))) for at in range(3)]
    await asyncio.sleep(0)
    while batcher.waiting < room.QUEUE_LENGTH_MAX:
        waiting.append(asyncio.ensure_future(batcher.post(payment(tenant=2))))
        await asyncio.sleep(0)
        if batcher.in_flight == FLIGHTS_MAX and batcher.waiting >= 3:
            monkeypatch.setattr(room, "QUEUE_LENGTH_MAX", batcher.waiting)
    with pytest.raises(Overloaded):
        batcher.submit(payment(tenant=3), lambda *_: None)

    gate.open.set()
    assert await asyncio.gather(*waiting) == [POSTED] * len(waiting)
    monkeypatch.undo()
    assert await batcher.post(payment(tenant=3)) == POSTED
    await batcher.close()
    assert 0 not in [len(batch) for batch in gate.batches]


async def test_a_server_at_fault_is_asked_once_and_nothing_was_done() -> None:
    gate = Gate()
    gate.error = asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction")
    gate.open.set()
    batcher = Batcher(gate)

    outcomes = await asyncio.gather(*(batcher.post(payment()) for _ in range(5)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 5
    assert [len(batch) for batch in gate.batches] == [5]


async def test_closing_answers_everything_that_was_taken_and_takes_no_more() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    waiting = [asyncio.ensure_future(batcher.post(payment())) for _ in range(600)]
    await turn()
    closing = asyncio.ensure_future(batcher.close())
    await turn()
    with pytest.raises(Unavailable):
        batcher.submit(payment(), lambda *_: None)

    gate.open.set()
    await closing

    assert all(future.done() for future in waiting)


async def test_a_lost_connection_makes_the_outcome_unknown_for_the_whole_batch() -> None:
    gate = Gate()
    gate.error = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    gate.open.set()
    batcher = Batcher(gate)

    outcomes = await asyncio.gather(*(batcher.post(payment()) for _ in range(4)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 4
    assert len(gate.batches) == 1


async def test_an_unreachable_server_is_said_to_have_done_nothing() -> None:
    gate = Gate()
    gate.error = Unavailable()
    gate.open.set()

    with pytest.raises(Unavailable):
        await Batcher(gate).post(payment())


async def test_a_batch_that_cannot_be_judged_is_tried_one_by_one() -> None:
    bad = payment()
    tried: list[int] = []

    async def post(batch: Sequence[Payment]) -> list[Posting]:
        tried.append(len(batch))
        if bad in batch:
            raise asyncpg.NumericValueOutOfRangeError("bigint out of range")
        return [POSTED] * len(batch)

    batcher = Batcher(post)
    outcomes = await asyncio.gather(
        *(batcher.post(each) for each in (payment(), bad, payment())), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [Posting, Unavailable, Posting]
    assert tried[0] == 3


async def test_a_broken_callback_costs_nobody_else_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    gate.open.set()
    batcher = Batcher(gate)
    heard: list[Outcome] = []

    def broken(_: Payment, __: Outcome) -> None:
        raise RuntimeError("client code")

    batcher.submit(payment(), broken)
    batcher.submit(payment(), lambda _, outcome: heard.append(outcome))
    await batcher.close()

    assert heard == [POSTED]
    assert "answer_failed" in caplog.text


async def test_two_batchers_and_a_hundred_copies_have_one_effect(books: Books, pool: Pool, database: Database) -> None:
    posters = [Posters(database.app_url, FLIGHTS_MAX) for _ in range(2)]
    one, two = Batcher(posters[0]), Batcher(posters[1])
    copy = books.payment(0, 1, 100)

    answers = await asyncio.gather(*(batcher.post(copy) for _ in range(50) for batcher in (one, two)))

    assert len({answer._replace(batch=None) for answer in answers}) == 1
    account = await read_account(pool, books.tenant.id, books.account(0))
    assert account is not None
    assert account.balance == 900
    for post in posters:
        post.close()


async def test_copies_with_accounts_that_do_not_exist_race_to_one_answer(books: Books, database: Database) -> None:
    """No account to lock: both find the id new, one insert loses, is tried again, and finds it known."""
    posters = [Posters(database.app_url, FLIGHTS_MAX) for _ in range(4)]
    batchers = [Batcher(post) for post in posters]
    for _ in range(20):
        copy = books.payment(0, 1, 100)._replace(payer=1_234_567, payee=7_654_321)
        answers = await asyncio.gather(*(batcher.post(copy) for batcher in batchers))
        assert {answer.status for answer in answers} == {PaymentStatus.PAYER_NOT_FOUND}
        assert len({answer._replace(batch=None) for answer in answers}) == 1
    for post in posters:
        post.close()


def test_every_limit_of_the_batcher_is_positive() -> None:
    assert min(room.BATCH_SIZE_MAX, room.FLIGHTS_MAX, room.QUEUE_LENGTH_MAX, room.TRIES_MAX, room.RETRY_AFTER_MS) > 0


async def test_words_that_cannot_be_sealed_hold_up_nobody_else() -> None:
    async def post(batch: Sequence[Payment]) -> list[Posting]:
        if any(each.description is not None for each in batch):
            raise KeysUnavailable
        return [POSTED] * len(batch)

    batcher = Batcher(post)
    quiet, wordy = payment(), payment()._replace(description="é")
    outcomes = await asyncio.gather(
        *(batcher.post(each) for each in (quiet, wordy, payment(), wordy)),
        batcher.post_linked([payment(), wordy]),
        batcher.post_linked([payment(), payment()]),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [
        Posting,
        KeysUnavailable,
        Posting,
        KeysUnavailable,
        KeysUnavailable,
        list,
    ]
    await batcher.close()

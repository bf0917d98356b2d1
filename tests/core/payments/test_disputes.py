"""Disputes: who may do what and until when, and what it does to the money, to the second and to the cent."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.database import Pool, acquire
from core.errors import NotFound, Refusal
from core.ledger.posting import post_payments
from core.ledger.reading import read_account, read_payments
from core.notices.kinds import NoticeKind
from core.nouns import Kind, Payment, PaymentStatus
from core.payments.dispute_case import Actor, Dispute, DisputeStatus, Done, tend_dispute
from core.payments.dispute_profiles import CARD, DAY_S, MED, Lapse, Reason
from core.payments.disputes import (
    Opening,
    answer_dispute,
    claim_dispute,
    decide_dispute,
    find_due_disputes,
    list_disputes,
    list_profiles,
    open_dispute,
    read_dispute,
    set_profile,
    withdraw_dispute,
)
from tests.conftest import Books, prove
from tests.core.notices.reaching import told

SECOND = timedelta(seconds=1)
OPERATOR = Actor(str(uuid.uuid4()), (), is_operator=True)


class Court:
    """A payment of 500 from the first person to the second, and both at court."""

    def __init__(self, books: Books, payment: str, paid_at: datetime) -> None:
        self.books = books
        self.payment = payment
        self.paid_at = paid_at
        self.payer = Actor(books.people[0].person_id, (books.account(0),))
        self.payee = Actor(books.people[1].person_id, (books.account(1),))

    @property
    def tenant(self) -> int:
        return self.books.tenant.id

    async def open(self, at: datetime | None = None, **more: Any) -> Dispute:
        asked: dict[str, Any] = {"id": str(uuid.uuid4()), "payment": self.payment, "reason": Reason.FRAUD} | more
        done = await open_dispute(self.books.pool, self.books.keys, self.tenant, self.payer, Opening(**asked), at)
        return done.dispute

    async def state(self, at: int) -> tuple[int, int]:
        account = await read_account(self.books.pool, self.tenant, self.books.account(at))
        assert account is not None
        return account.balance, account.held

    async def post(self, payment: Payment) -> int:
        async with acquire(self.books.pool) as connection:
            return (await post_payments(connection, [payment]))[0].status

    def refund(self, amount: int) -> Payment:
        back = self.books.payment(1, 0, amount)
        return back._replace(kind=Kind.REFUND, subject=self.payment)


@pytest.fixture
async def court(books: Books) -> Court:
    payment = books.payment(0, 1, 500)
    async with acquire(books.pool) as connection:
        (posting,) = await post_payments(connection, [payment])
    return Court(books, payment.id, datetime.fromtimestamp(posting.judged_at_us / 1_000_000, UTC))


async def test_the_merchants_money_is_reserved_and_goes_back_when_the_payer_is_right(court: Court) -> None:
    dispute = await court.open()
    assert (dispute.status, dispute.held) == (DisputeStatus.OPEN, 500)
    assert await court.state(1) == (1_500, 500)
    # The merchant hears until when to answer, and the payer, who did it, nothing.
    assert court.payee.person_id is not None
    ((kind, facts),) = await told(court.books.pool, court.tenant, court.payee.person_id)
    assert (kind, facts.amount, facts.subject) == (NoticeKind.DISPUTE_OPENED, 500, dispute.id)
    assert facts.ends_at is not None
    assert await told(court.books.pool, court.tenant, court.books.people[0].person_id) == []
    decided = await decide_dispute(
        court.books.pool, court.books.keys, court.tenant, OPERATOR, dispute.id, 200, "In part"
    )
    assert (decided.dispute.status, decided.dispute.held) == (DisputeStatus.PARTLY_ACCEPTED, 200)
    claimed = await claim_dispute(court.books.pool, court.books.keys, court.tenant, court.payer, dispute.id)
    assert (claimed.dispute.charged_back, claimed.dispute.owed) == (200, 0)
    assert (await court.state(0), await court.state(1)) == ((700, 0), (1_300, 0))
    # A second time, nothing moves.
    again = await claim_dispute(court.books.pool, court.books.keys, court.tenant, court.payer, dispute.id)
    assert (again.dispute, again.batch) == (claimed.dispute, [])


async def test_a_merchant_who_is_right_gets_the_money_free_again(court: Court) -> None:
    dispute = await court.open()
    await answer_dispute(
        court.books.pool, court.books.keys, court.tenant, court.payee, dispute.id, 0, "It was delivered"
    )
    await decide_dispute(court.books.pool, court.books.keys, court.tenant, OPERATOR, dispute.id, 0, None)
    assert await court.state(1) == (1_500, 0)


async def test_accepting_all_needs_no_operator(court: Court) -> None:
    dispute = await court.open()
    done = await answer_dispute(court.books.pool, court.books.keys, court.tenant, court.payee, dispute.id, None, None)
    assert (done.dispute.status, done.dispute.awarded) == (DisputeStatus.ACCEPTED, 500)


async def test_refunds_and_chargebacks_never_exceed_what_was_paid(court: Court) -> None:
    assert await court.post(court.refund(200)) == PaymentStatus.POSTED
    dispute = await court.open()
    assert (dispute.amount, dispute.held) == (300, 300)
    # While it is disputed, the rest cannot be refunded, too.
    assert await court.post(court.refund(1)) == PaymentStatus.REFUND_EXCEEDS_CAPTURED
    await answer_dispute(court.books.pool, court.books.keys, court.tenant, court.payee, dispute.id, None, None)
    await claim_dispute(court.books.pool, court.books.keys, court.tenant, court.payer, dispute.id)
    assert await court.post(court.refund(1)) == PaymentStatus.REFUND_EXCEEDS_CAPTURED
    assert await court.state(0) == (1_000, 0)
    with pytest.raises(Refusal) as refused:
        await court.open()
    assert refused.value.code == "not_disputable"


async def test_an_emptied_account_is_never_taken_below_zero_and_pays_when_money_comes(court: Court) -> None:
    spent = court.books.payment(1, 2, 1_400)
    assert await court.post(spent) == PaymentStatus.POSTED
    dispute = await court.open()
    assert (dispute.held, await court.state(1)) == (100, (100, 100))
    await answer_dispute(court.books.pool, court.books.keys, court.tenant, court.payee, dispute.id, None, None)
    claimed = (await claim_dispute(court.books.pool, court.books.keys, court.tenant, court.payer, dispute.id)).dispute
    assert (claimed.charged_back, claimed.owed, claimed.closed_at) == (100, 400, None)
    assert await court.state(1) == (0, 0)
    for amount, owed in ((150, 250), (400, 0)):
        assert await court.post(court.books.payment(3, 1, amount)) == PaymentStatus.POSTED
        done = await tend_dispute(court.books.pool, court.tenant, dispute.id)
        assert done is not None
        assert done.dispute.owed == owed
    assert (await court.state(0), await court.state(1)) == ((1_000, 0), (150, 0))


CLOCKS = [
    # The moment counted from, how long, and the act that is in time at its end and late a second after.
    pytest.param(timedelta(seconds=MED.open_s), id="80 days to open"),
]


@pytest.mark.parametrize("clock", CLOCKS)
async def test_a_payment_can_be_disputed_until_the_very_end_of_its_clock(court: Court, clock: timedelta) -> None:
    with pytest.raises(Refusal) as late:
        await court.open(court.paid_at + clock + SECOND)
    assert late.value.code == "dispute_deadline_passed"
    assert (await court.open(court.paid_at + clock)).status == DisputeStatus.OPEN


@pytest.mark.parametrize(("late", "status"), [(0, "under_review"), (1, "dispute_deadline_passed")])
async def test_an_answer_is_in_time_until_the_end_of_the_seventh_day(court: Court, late: int, status: str) -> None:
    dispute = await court.open()
    assert dispute.answer_due_at == dispute.opened_at + timedelta(days=7)
    at = dispute.answer_due_at + late * SECOND
    try:
        done = await answer_dispute(
            court.books.pool, court.books.keys, court.tenant, court.payee, dispute.id, 0, None, at
        )
        became = DisputeStatus(done.dispute.status).name.lower()
    except Refusal as refused:
        became = refused.code
    assert became == status


async def test_what_nobody_decides_in_seven_days_is_overdue_and_never_dropped(court: Court) -> None:
    dispute = await court.open()
    end = dispute.decision_due_at
    assert end == dispute.opened_at + timedelta(days=7)
    assert await tend_dispute(court.books.pool, court.tenant, dispute.id, end) is None
    late = await tend_dispute(court.books.pool, court.tenant, dispute.id, end + SECOND)
    assert late is not None
    assert (late.dispute.status, late.dispute.is_overdue) == (DisputeStatus.UNDER_REVIEW, True)
    # A late decision is one, too.
    at = end + timedelta(days=30)
    done = await decide_dispute(court.books.pool, court.books.keys, court.tenant, OPERATOR, dispute.id, 500, None, at)
    assert (done.dispute.status, done.dispute.is_overdue) == (DisputeStatus.ACCEPTED, False)


async def test_what_was_awarded_is_claimed_within_72_hours_or_by_the_hub_and_returned_within_24(court: Court) -> None:
    dispute = await court.open()
    at = dispute.opened_at + timedelta(days=1)
    decided = (
        await decide_dispute(court.books.pool, court.books.keys, court.tenant, OPERATOR, dispute.id, 500, None, at)
    ).dispute
    assert decided.claim_due_at == at + timedelta(hours=72)
    assert await tend_dispute(court.books.pool, court.tenant, dispute.id, decided.claim_due_at) is None
    late = await tend_dispute(court.books.pool, court.tenant, dispute.id, decided.claim_due_at + SECOND)
    assert late is not None
    assert (late.dispute.charged_back, late.dispute.owed) == (500, 0)
    assert late.dispute.refund_due_at == decided.claim_due_at + SECOND + timedelta(hours=24)


async def test_the_card_profile_lets_silence_lose(court: Court) -> None:
    await set_profile(court.books.pool, court.tenant, CARD, is_default=True)
    dispute = await court.open(reason=Reason.NOT_AS_DESCRIBED)
    assert dispute.answer_due_at == dispute.opened_at + timedelta(seconds=30 * DAY_S)
    done = await tend_dispute(court.books.pool, court.tenant, dispute.id, dispute.answer_due_at + SECOND)
    assert done is not None
    assert (done.dispute.status, done.dispute.charged_back) == (DisputeStatus.ACCEPTED, 500)
    assert await court.state(0) == (1_000, 0)


async def test_a_reason_that_the_profile_does_not_cover_is_refused(court: Court) -> None:
    with pytest.raises(Refusal) as refused:
        await court.open(reason=Reason.NOT_AS_DESCRIBED)
    assert refused.value.code == "reason_not_covered"


async def test_nobody_but_the_payer_opens_and_nobody_judges_their_own_case(court: Court, books: Books) -> None:
    stranger = Actor(books.people[2].person_id, (books.account(2),))
    opening = Opening(str(uuid.uuid4()), court.payment, Reason.FRAUD)
    for actor in (stranger, court.payee):
        with pytest.raises(NotFound):
            await open_dispute(books.pool, books.keys, court.tenant, actor, opening)
    dispute = await court.open()
    with pytest.raises(NotFound):
        await read_dispute(books.pool, books.keys, court.tenant, stranger, dispute.id)
    with pytest.raises(NotFound):
        await answer_dispute(books.pool, books.keys, court.tenant, stranger, dispute.id, None, None)
    with pytest.raises(Refusal) as refused:
        await answer_dispute(books.pool, books.keys, court.tenant, court.payer, dispute.id, None, None)
    assert refused.value.code == "forbidden"
    own = Actor(str(uuid.uuid4()), (books.account(1),), is_operator=True)
    for judge in (court.payer, court.payee, own):
        with pytest.raises(Refusal):
            await decide_dispute(books.pool, books.keys, court.tenant, judge, dispute.id, 0, None)
    with pytest.raises(Refusal):
        await withdraw_dispute(books.pool, books.keys, court.tenant, court.payee, dispute.id)


async def test_another_tenants_dispute_is_not_there(court: Court, other_tenant: Any) -> None:
    dispute = await court.open()
    with pytest.raises(NotFound):
        await read_dispute(court.books.pool, court.books.keys, other_tenant.id, OPERATOR, dispute.id)
    with pytest.raises(NotFound):
        await decide_dispute(court.books.pool, court.books.keys, other_tenant.id, OPERATOR, dispute.id, 0, None)


async def test_of_many_who_open_or_decide_at_once_one_does(court: Court) -> None:
    opened = await asyncio.gather(*(court.open() for _ in range(20)), return_exceptions=True)
    won = [one for one in opened if isinstance(one, Dispute)]
    assert len(won) == 1
    assert {one.code for one in opened if isinstance(one, Refusal)} == {"already_disputed"}
    decided = await asyncio.gather(
        *(
            decide_dispute(court.books.pool, court.books.keys, court.tenant, OPERATOR, won[0].id, amount, None)
            for amount in range(100, 120)
        ),
        return_exceptions=True,
    )
    assert len([one for one in decided if isinstance(one, Done)]) == 1
    claimed = await asyncio.gather(
        *(claim_dispute(court.books.pool, court.books.keys, court.tenant, court.payer, won[0].id) for _ in range(20))
    )
    assert len([one for one in claimed if one.batch]) == 1
    assert (await court.state(0))[0] + (await court.state(1))[0] == 2_000


async def test_the_same_dispute_id_again_is_the_same_dispute(court: Court) -> None:
    dispute = await court.open()
    assert await court.open(id=dispute.id) == dispute
    changed: tuple[tuple[str, Any], ...] = (("reason", Reason.DUPLICATE), ("text", "other"), ("amount", 7))
    for field, value in changed:
        with pytest.raises(Refusal) as refused:
            await court.open(id=dispute.id, **{field: value})
        assert (refused.value.code, refused.value.field) == ("conflict", field)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_done_in_whatever_order_the_sums_hold(court: Court, admin: Pool, seed: int) -> None:
    dice = random.Random(seed)
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    dispute = await court.open(amount=dice.randint(1, 500))
    for _ in range(25):
        acts: list[Callable[[], Awaitable[object]]] = [
            lambda: answer_dispute(pool, keys, tenant, court.payee, dispute.id, dice.choice([None, 0, 5]), None),
            lambda: decide_dispute(pool, keys, tenant, OPERATOR, dispute.id, dice.randint(0, 500), None),
            lambda: claim_dispute(pool, keys, tenant, court.payer, dispute.id),
            lambda: withdraw_dispute(pool, keys, tenant, court.payer, dispute.id),
            lambda: tend_dispute(pool, tenant, dispute.id),
            lambda: court.post(court.refund(dice.randint(1, 200))),
            lambda: court.post(court.books.payment(1, 2, dice.randint(1, 900))),
            lambda: court.post(court.books.payment(2, 1, dice.randint(1, 300))),
            lambda: court.open(),
        ]
        with contextlib.suppress(Refusal):
            await dice.choice(acts)()
        found = await read_dispute(pool, keys, tenant, OPERATOR, dispute.id)
        life = (await read_payments(pool, tenant, [court.payment]))[court.payment]
        balance, held = await court.state(1)
        assert life.refunded + life.disputed <= life.captured
        assert held == life.disputed <= balance
        assert found.held <= life.disputed
    await prove(admin, tenant)


async def test_workers_find_what_is_due_and_nothing_else(court: Court) -> None:
    dispute = await court.open()
    key = (court.tenant, dispute.id)
    assert key not in await find_due_disputes(court.books.pool, 1_000, dispute.answer_due_at)
    late = dispute.answer_due_at + SECOND
    assert key in await find_due_disputes(court.books.pool, 1_000, late)
    await tend_dispute(court.books.pool, court.tenant, dispute.id, late)
    assert key not in await find_due_disputes(court.books.pool, 1_000, late)


async def spend(court: Court, amount: int) -> None:
    assert await court.post(court.books.payment(1, 2, amount)) == PaymentStatus.POSTED


async def test_what_is_owed_is_overdue_after_24_hours_and_given_up_after_90_days_and_still_shown(court: Court) -> None:
    await spend(court, 1_500)
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    dispute = await court.open()
    assert dispute.held == 0
    await answer_dispute(pool, keys, tenant, court.payee, dispute.id, None, None)
    claimed = (await claim_dispute(pool, keys, tenant, court.payer, dispute.id)).dispute
    assert claimed.claimed_at is not None
    assert claimed.refund_due_at == claimed.claimed_at + timedelta(hours=24)
    assert claimed.collect_until == court.paid_at + timedelta(days=90)
    assert await tend_dispute(pool, tenant, dispute.id, claimed.refund_due_at) is None
    late = await tend_dispute(pool, tenant, dispute.id, claimed.refund_due_at + SECOND)
    assert late is not None
    assert (late.dispute.is_overdue, late.dispute.owed) == (True, 500)
    # At the very end it is still collected; a second later it is not.
    assert await court.post(court.books.payment(3, 1, 100)) == PaymentStatus.POSTED
    last = await tend_dispute(pool, tenant, dispute.id, claimed.collect_until)
    assert last is not None
    assert (last.dispute.charged_back, last.dispute.owed) == (100, 400)
    over = await tend_dispute(pool, tenant, dispute.id, claimed.collect_until + SECOND)
    assert over is not None
    assert (over.dispute.closed_at, over.dispute.owed) == (claimed.collect_until + SECOND, 400)
    assert await court.post(court.books.payment(3, 1, 100)) == PaymentStatus.POSTED
    assert (tenant, dispute.id) not in await find_due_disputes(pool, 10_000, claimed.collect_until + timedelta(days=1))
    assert await court.state(1) == (100, 0)


@pytest.mark.parametrize(
    ("lapse", "status", "charged_back", "is_overdue"),
    [
        (Lapse.PAYER_WINS, DisputeStatus.ACCEPTED, 500, False),
        (Lapse.PAYEE_WINS, DisputeStatus.EXPIRED, 0, False),
        (Lapse.TO_OPERATORS, DisputeStatus.ACCEPTED, 0, True),
    ],
)
async def test_a_refund_that_nobody_claims_goes_where_the_profile_says(
    court: Court, lapse: Lapse, status: DisputeStatus, charged_back: int, is_overdue: bool
) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    await set_profile(pool, tenant, MED._replace(on_no_claim=lapse), is_default=True)
    dispute = await court.open()
    await answer_dispute(pool, keys, tenant, court.payee, dispute.id, None, None)
    claim_due_at = (await read_dispute(pool, keys, tenant, OPERATOR, dispute.id)).claim_due_at
    assert claim_due_at is not None
    done = await tend_dispute(pool, tenant, dispute.id, claim_due_at + SECOND)
    assert done is not None
    found = done.dispute
    assert (found.status, found.charged_back, found.is_overdue) == (status, charged_back, is_overdue)
    assert (await court.state(1))[1] == (500 if lapse == Lapse.TO_OPERATORS else 0)


async def test_silence_after_an_answer_leaves_it_standing_at_card_rules(court: Court) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    await set_profile(pool, tenant, CARD, is_default=True)
    dispute = await court.open()
    await answer_dispute(pool, keys, tenant, court.payee, dispute.id, 120, "That much")
    assert await tend_dispute(pool, tenant, dispute.id, dispute.decision_due_at) is None
    # A clock that has run out comes before an act that is late, whoever notices.
    with pytest.raises(Refusal) as refused:
        await decide_dispute(pool, keys, tenant, OPERATOR, dispute.id, 500, None, dispute.decision_due_at + SECOND)
    assert refused.value.code == "dispute_moved_on"
    found = await read_dispute(pool, keys, tenant, court.payer, dispute.id)
    assert (found.status, found.charged_back, found.closed_at) == (
        DisputeStatus.PARTLY_ACCEPTED,
        120,
        dispute.decision_due_at + SECOND,
    )
    assert (await court.state(0), await court.state(1)) == ((620, 0), (1_380, 0))


async def test_a_hold_grows_with_what_comes_in(court: Court) -> None:
    await spend(court, 1_450)
    dispute = await court.open()
    assert dispute.held == 50
    for amount, held in ((100, 150), (1_000, 500)):
        assert await court.post(court.books.payment(2, 1, amount)) == PaymentStatus.POSTED
        assert (court.tenant, dispute.id) in await find_due_disputes(court.books.pool, 10_000)
        done = await tend_dispute(court.books.pool, court.tenant, dispute.id)
        assert done is not None
        assert (done.dispute.held, (await court.state(1))[1]) == (held, held)
    assert (court.tenant, dispute.id) not in await find_due_disputes(court.books.pool, 10_000)


async def test_money_that_went_on_comes_back_hop_by_hop_and_nobody_falls_below_zero(court: Court) -> None:
    pool, keys, tenant, books = court.books.pool, court.books.keys, court.tenant, court.books
    hop = books.payment(1, 2, 1_500)
    assert await court.post(hop) == PaymentStatus.POSTED
    first = await court.open()
    second = (
        await open_dispute(pool, keys, tenant, OPERATOR, Opening(str(uuid.uuid4()), hop.id, Reason.FRAUD, None, 500))
    ).dispute
    assert (first.held, second.held) == (0, 500)
    for dispute in (first, second):
        await decide_dispute(pool, keys, tenant, OPERATOR, dispute.id, 500, None)
        await claim_dispute(pool, keys, tenant, OPERATOR, dispute.id)
    # What the second hop gave back to the first is taken on to the victim.
    done = await tend_dispute(pool, tenant, first.id)
    assert done is not None
    assert (done.dispute.charged_back, done.dispute.owed) == (500, 0)
    assert [await court.state(at) for at in range(3)] == [(1_000, 0), (0, 0), (2_000, 0)]


async def test_what_the_payee_refunds_itself_is_owed_no_more(court: Court) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    await spend(court, 1_500)
    dispute = await court.open()
    await answer_dispute(pool, keys, tenant, court.payee, dispute.id, None, None)
    await claim_dispute(pool, keys, tenant, court.payer, dispute.id)
    assert await court.post(court.books.payment(2, 1, 600)) == PaymentStatus.POSTED
    assert await court.post(court.refund(300)) == PaymentStatus.POSTED
    done = await tend_dispute(pool, tenant, dispute.id)
    assert done is not None
    assert (done.dispute.charged_back, done.dispute.owed) == (200, 0)
    assert done.dispute.closed_at is not None
    assert (await court.state(0), await court.state(1)) == ((1_000, 0), (100, 0))


@pytest.mark.parametrize("is_decided", [True, False])
async def test_refunds_that_race_with_collecting_never_give_more_back_than_was_paid(
    court: Court, is_decided: bool
) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    await spend(court, 1_450)
    dispute = await court.open()
    if is_decided:
        await answer_dispute(pool, keys, tenant, court.payee, dispute.id, None, None)
        await claim_dispute(pool, keys, tenant, court.payer, dispute.id)
    for _ in range(8):
        assert await court.post(court.books.payment(2, 1, 60)) == PaymentStatus.POSTED
        await asyncio.gather(
            *(court.post(court.refund(30)) for _ in range(3)),
            *(tend_dispute(pool, tenant, dispute.id) for _ in range(3)),
        )
    await tend_dispute(pool, tenant, dispute.id)
    found = await read_dispute(pool, keys, tenant, OPERATOR, dispute.id)
    life = (await read_payments(pool, tenant, [court.payment]))[court.payment]
    assert life.refunded + life.disputed <= 500
    assert life.disputed == found.held == (await court.state(1))[1]
    assert found.charged_back <= life.refunded
    assert await court.state(0) == (500 + life.refunded, 0)
    if is_decided:
        assert (life.refunded, found.owed, found.closed_at is not None) == (500, 0, True)


async def test_an_offer_is_the_least_that_is_awarded(court: Court) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    dispute = await court.open()
    await answer_dispute(pool, keys, tenant, court.payee, dispute.id, 200, None)
    for amount in (199, 501):
        with pytest.raises(Refusal) as refused:
            await decide_dispute(pool, keys, tenant, OPERATOR, dispute.id, amount, None)
        assert refused.value.code == "not_disputable"
    done = await decide_dispute(pool, keys, tenant, OPERATOR, dispute.id, 200, None)
    assert (done.dispute.status, done.dispute.held) == (DisputeStatus.PARTLY_ACCEPTED, 200)


async def test_clocks_workers_and_people_who_meet_do_it_once(court: Court) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    await set_profile(pool, tenant, CARD, is_default=True)
    dispute = await court.open()
    late = dispute.answer_due_at + SECOND
    await asyncio.gather(
        *(tend_dispute(pool, tenant, dispute.id, late) for _ in range(8)),
        *(answer_dispute(pool, keys, tenant, court.payee, dispute.id, 0, "Too late", late) for _ in range(4)),
        *(withdraw_dispute(pool, keys, tenant, court.payer, dispute.id, late) for _ in range(4)),
        return_exceptions=True,
    )
    found = await read_dispute(pool, keys, tenant, OPERATOR, dispute.id)
    assert (found.status, found.charged_back, found.answered_at) == (DisputeStatus.ACCEPTED, 500, None)
    assert (await court.state(0), await court.state(1)) == ((1_000, 0), (1_000, 0))


async def test_an_act_that_dies_before_its_commit_has_not_happened(court: Court, monkeypatch: Any) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    dispute = await court.open()
    await answer_dispute(pool, keys, tenant, court.payee, dispute.id, None, None)

    async def killed(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        # The chargeback is posted already when the row is to be written.
        patch.setattr("core.payments.dispute_case.Case.save", killed)
        with pytest.raises(asyncio.CancelledError):
            await claim_dispute(pool, keys, tenant, court.payer, dispute.id)
    assert (await court.state(0), await court.state(1)) == ((500, 0), (1_500, 500))
    await claim_dispute(pool, keys, tenant, court.payer, dispute.id)
    assert (await court.state(0), await court.state(1)) == ((1_000, 0), (1_000, 0))


async def test_only_payments_between_people_that_were_made_can_be_disputed(court: Court, books: Books) -> None:
    refused_payment, from_cash = books.payment(0, 1, 10_000), books.payment(-1, 0, 10)
    refund = court.refund(10)
    for payment in (refused_payment, from_cash, refund):
        await court.post(payment)
    for payment, error in ((from_cash, Refusal), (refused_payment, Refusal), (refund, NotFound)):
        with pytest.raises(error):
            await open_dispute(
                books.pool, books.keys, court.tenant, OPERATOR, Opening(str(uuid.uuid4()), payment.id, Reason.FRAUD)
            )


async def test_lists_show_each_their_own_newest_first_page_by_page(court: Court, books: Books) -> None:
    pool, keys, tenant = books.pool, books.keys, court.tenant
    opened = []
    for at in range(3):
        payment = books.payment(0, 1, 10 + at)
        assert await court.post(payment) == PaymentStatus.POSTED
        opened.append(await court.open(payment=payment.id))
    foreign = books.payment(2, 3, 10)
    assert await court.post(foreign) == PaymentStatus.POSTED
    others = Actor(books.people[2].person_id, (books.account(2),))
    theirs = (
        await open_dispute(pool, keys, tenant, others, Opening(str(uuid.uuid4()), foreign.id, Reason.FRAUD))
    ).dispute
    await withdraw_dispute(pool, keys, tenant, court.payer, opened[1].id)

    async def listed(actor: Actor, **more: Any) -> list[str]:
        return [one.id for one in await list_disputes(pool, keys, tenant, actor, **{"limit": 2} | more)]

    newest = [one.id for one in reversed(opened)]
    for side in (court.payer, court.payee):
        assert await listed(side) == newest[:2]
        assert await listed(side, before=newest[1]) == newest[2:]
        # Somebody else's dispute is no place to go on from, like one that is not there.
        assert await listed(side, before=theirs.id) == await listed(side, before=str(uuid.uuid4())) == []
    assert await listed(OPERATOR, limit=9) == [theirs.id, *newest]
    assert await listed(OPERATOR, status=DisputeStatus.WITHDRAWN) == [opened[1].id]
    assert await listed(OPERATOR, is_overdue=True) == []
    await tend_dispute(pool, tenant, opened[0].id, opened[0].decision_due_at + SECOND)
    assert await listed(OPERATOR, is_overdue=True) == [opened[0].id]


async def test_a_change_of_the_rules_does_not_change_what_is_under_way(court: Court, other_tenant: Any) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    dispute = await court.open()
    await set_profile(pool, tenant, MED._replace(claim_s=None, refund_s=60), is_default=False)
    done = await answer_dispute(pool, keys, tenant, court.payee, dispute.id, None, None)
    assert done.dispute.claim_due_at is not None
    assert [(one.name, one.refund_s, default) for one, default in await list_profiles(pool, tenant)] == [
        ("card", CARD.refund_s, False),
        ("med", 60, True),
    ]
    await set_profile(pool, tenant, CARD, is_default=True)
    assert [default for _, default in await list_profiles(pool, tenant)] == [True, False]
    assert [one for one, _ in await list_profiles(pool, other_tenant.id)] == [CARD, MED]
    with pytest.raises(Refusal) as refused:
        await court.open(payment=court.payment, profile="med")
    assert (refused.value.code, refused.value.field) == ("forbidden", "profile")


async def test_a_rehearsal_sees_the_clocks_that_have_run_out_and_leaves_them_to_others(court: Court) -> None:
    pool, keys, tenant = court.books.pool, court.books.keys, court.tenant
    dispute = await court.open()
    # Too late for the payee's word, by a clock that nobody has noticed yet.
    late = dispute.answer_due_at + SECOND
    with pytest.raises(Refusal) as refused:
        await answer_dispute(pool, keys, tenant, court.payee, dispute.id, 0, None, late, is_rehearsal=True)
    assert refused.value.code == "dispute_deadline_passed"
    tried = await decide_dispute(pool, keys, tenant, OPERATOR, dispute.id, 200, "In part", late, is_rehearsal=True)
    assert await read_dispute(pool, keys, tenant, court.payer, dispute.id) == dispute
    assert await court.state(1) == (1_500, 500)
    real = await decide_dispute(pool, keys, tenant, OPERATOR, dispute.id, 200, "In part", late)
    # But for what is sealed: no two sealings are alike.
    assert real.dispute._replace(sealed=tried.dispute.sealed) == tried.dispute
    assert [one._replace(id="") for one in real.batch] == [one._replace(id="") for one in tried.batch]

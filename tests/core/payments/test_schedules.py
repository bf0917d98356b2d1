"""Schedules in the database: paid once each time they are due, whoever races, fails or dies meanwhile."""

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

import asyncpg
import pytest

from core.database import Pool, in_tenant
from core.errors import CoreError, NotFound, Refusal
from core.ledger.posting import post_payments
from core.ledger.reading import read_account
from core.ledger.rules import Rule, put_under_limits, set_limits, set_rule
from core.notices.kinds import NoticeKind
from core.nouns import Action, Measure, PaymentStatus, SystemAccount
from core.payments.calendar import Closed, Place, Plan, is_business_day, occurrences
from core.payments.calendar import Rule as Days
from core.payments.schedules import (
    PUT_OFF,
    SCHEDULES_MAX,
    IfUnpaid,
    Order,
    Outcome,
    Schedule,
    ScheduleStatus,
    cancel_schedule,
    coming,
    create_schedule,
    list_schedules,
    pause_schedule,
    pay_due,
    read_outcomes,
    read_place,
    read_schedule,
    resume_schedule,
)
from core.people.opening import Tenant, create_tenant
from tests.conftest import Books, texts_of
from tests.core.notices.reaching import told

SIX = time(6)
TOMORROW = datetime.now(UTC).date() + timedelta(days=2)  # in every time zone
DAILY = Plan(Days.DAILY, TOMORROW, SIX)
ONCE = Plan(Days.ONCE, TOMORROW, SIX)
HALF_A_DAY_S = 43_200


def order(books: Books, plan: Plan = DAILY, amount: int = 100, payer: int = 0, payee: int = 1, **others: Any) -> Order:
    one = Order(
        str(uuid.uuid4()),
        books.account(payer),
        books.account(payee),
        amount,
        "Rent",
        plan,
        attempts_max=3,
        retry_after_s=HALF_A_DAY_S,
        if_unpaid=IfUnpaid.SKIP,
    )
    return one._replace(**others)


async def make(books: Books, one: Order) -> Schedule:
    return await create_schedule(books.pool, books.keys, books.tenant.id, books.people[0].person_id, one)


async def make_due(admin: Pool, *schedules: Schedule, since_s: int = 1) -> None:
    """As if the time had come. Days stay as they are."""
    done = await admin.execute(
        "update schedules set due_at = clock_timestamp() - make_interval(secs => $2)"
        " where id = any ($1::uuid[]) and status = 0",
        [one.order.id for one in schedules],
        since_s,
    )
    assert done == f"UPDATE {len(schedules)}"


async def look(books: Books, schedule: Schedule) -> Schedule:
    return await read_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)


async def outcomes(books: Books, schedule: Schedule) -> list[Outcome]:
    return await read_outcomes(books.pool, books.tenant.id, schedule.order.id, 100)


async def statuses(books: Books, schedule: Schedule) -> list[tuple[int, int]]:
    """(attempt, status) of every attempt, the latest first."""
    return [(one.attempt, one.status) for one in await outcomes(books, schedule)]


async def balance(books: Books, at: int) -> int:
    account = await read_account(books.pool, books.tenant.id, books.account(at))
    assert account is not None
    return account.balance


async def fund(books: Books, amount: int) -> None:
    """Give the first of them money."""
    async with books.pool.acquire() as connection:
        (posting,) = await post_payments(connection, [books.payment(-SystemAccount.CASH_IN, 0, amount)])
    assert posting.status == PaymentStatus.POSTED


def place_of(tenant: Tenant) -> Place:
    return Place(tenant.country, tenant.time_zone)


async def test_a_schedule_is_read_as_it_was_ordered(books: Books) -> None:
    one = order(books, Plan(Days.MONTHLY, date(2090, 1, 1), SIX, 31, Closed.AFTER, times=3))
    made = await make(books, one)
    assert (made.order, made.status, made.number, made.attempts) == (one, ScheduleStatus.ACTIVE, 1, 0)
    # Six in the morning in São Paulo.
    assert (made.day, made.due_at) == (date(2090, 1, 31), datetime(2090, 1, 31, 9, tzinfo=UTC))
    assert await look(books, made) == made
    place = await read_place(books.pool, books.tenant.id)
    assert place == place_of(books.tenant) == Place("BR", "America/Sao_Paulo")
    assert coming(made, place, 10) == list(occurrences(one.plan, place))
    assert await outcomes(books, made) == []


async def test_one_id_is_one_schedule_however_often_and_at_once_it_is_ordered(books: Books) -> None:
    one = order(books)
    made = await asyncio.gather(*(make(books, one) for _ in range(10)))
    assert set(made) == {made[0]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 101}, "amount"),
        ({"description": None}, "description"),
        ({"attempts_max": 4}, "attempts"),
        ({"retry_after_s": 60}, "retry_after_s"),
        ({"if_unpaid": IfUnpaid.PAUSE}, "if_unpaid"),
        ({"plan": DAILY._replace(at=time(7))}, "at"),
        ({"plan": DAILY._replace(times=9)}, "times"),
        ({"plan": DAILY._replace(rule=Days.WEEKLY)}, "rule"),
    ],
)
async def test_another_order_under_the_same_id_is_refused_by_its_field(
    books: Books, change: dict[str, Any], field: str
) -> None:
    one = order(books)
    await make(books, one)
    with pytest.raises(Refusal) as refused:
        await make(books, one._replace(**change))
    assert (refused.value.code, refused.value.field) == ("conflict", field)


async def test_somebody_elses_id_tells_nothing_of_their_order(books: Books) -> None:
    one = order(books)
    await make(books, one)
    with pytest.raises(Refusal) as refused:
        await make(books, one._replace(payer=books.account(2), amount=7))
    assert (refused.value.code, refused.value.field) == ("conflict", "schedule")


async def test_accounts_that_are_not_the_tenants_are_not_found(
    books: Books, other_tenant: Tenant, open_books: Callable[..., Any]
) -> None:
    foreign = (await open_books(other_tenant, people=1)).account(0)
    for account in (foreign, 987_654_321_000):
        for field, one in (
            ("payer", order(books)._replace(payer=account)),
            ("payee", order(books)._replace(payee=account)),
        ):
            with pytest.raises(Refusal) as refused:
                await make(books, one)
            assert (refused.value.code, refused.value.field) == ("not_found", field)


async def test_an_order_that_no_date_comes_of_is_refused_by_its_field(books: Books) -> None:
    today = datetime.now(UTC).date()
    for change, field in (
        ({"plan": Plan(Days.ONCE, today - timedelta(days=2), SIX)}, "first_on"),
        ({"plan": Plan(Days.WEEKLY, today - timedelta(days=70), SIX)}, "first_on"),
        ({"plan": Plan(Days.MONTHLY, TOMORROW, SIX, TOMORROW.day, until=TOMORROW - timedelta(days=1))}, "until"),
        ({"plan": Plan(Days.MONTHLY, TOMORROW, SIX)}, "day"),
        ({"payee": books.account(0)}, "payee"),
    ):
        with pytest.raises(Refusal) as refused:
            await make(books, order(books)._replace(**change))
        assert (refused.value.code, refused.value.field) == ("invalid_field", field)


async def test_what_is_due_is_paid_once_and_says_where_it_is_from(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books))
    await make_due(admin, schedule)
    assert await pay_due(books.pool, books.keys, 10) == (1, [])
    assert await pay_due(books.pool, books.keys, 10) == (0, [])
    assert (await balance(books, 0), await balance(books, 1)) == (900, 1_100)
    (one,) = await outcomes(books, schedule)
    assert (one.day, one.attempt, one.status) == (TOMORROW, 1, PaymentStatus.POSTED)
    async with in_tenant(books.pool, books.tenant.id) as connection:
        paid = await connection.fetchrow(
            "select metadata::text, asked_by::text from payments where id = $1", one.payment
        )
    assert paid is not None
    assert one.payment is not None
    assert await texts_of(books.pool, books.tenant.id, [one.payment]) == ["Rent"]
    assert json.loads(paid[0]) == {"schedule": schedule.order.id}
    assert paid[1] == books.people[0].person_id
    after = await look(books, schedule)
    following = next(islice(occurrences(DAILY, place_of(books.tenant)), 1, None))
    assert (after.status, after.number, after.day, after.due_at) == (ScheduleStatus.ACTIVE, *following)


async def test_nothing_is_paid_before_its_time(books: Books) -> None:
    schedule = await make(books, order(books))
    assert await pay_due(books.pool, books.keys, 10) == (0, [])
    assert await look(books, schedule) == schedule


async def test_the_last_date_completes_a_schedule(books: Books, admin: Pool) -> None:
    for plan in (ONCE, DAILY._replace(times=1), DAILY._replace(until=TOMORROW)):
        schedule = await make(books, order(books, plan))
        await make_due(admin, schedule)
        await pay_due(books.pool, books.keys, 10)
        after = await look(books, schedule)
        assert (after.status, after.due_at) == (ScheduleStatus.COMPLETED, None)
        assert coming(after, place_of(books.tenant), 5) == []
        for change in (pause_schedule, resume_schedule, cancel_schedule):
            with pytest.raises(Refusal) as refused:
                await change(books.pool, books.keys, books.tenant.id, schedule.order.id)
            assert refused.value.code == "schedule_over"
        # Its id stays used up, and the same order gets the same schedule.
        assert await make(books, schedule.order) == after


async def test_lacking_funds_are_waited_for_and_then_the_date_is_skipped(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books, amount=1_001))
    for attempt in (1, 2):
        await make_due(admin, schedule)
        await pay_due(books.pool, books.keys, 10)
        waiting = await look(books, schedule)
        assert (waiting.number, waiting.day, waiting.attempts) == (1, TOMORROW, attempt)
        assert waiting.due_at is not None
        late = waiting.due_at - datetime.now(UTC)
        assert timedelta(seconds=HALF_A_DAY_S - 10) < late <= timedelta(seconds=HALF_A_DAY_S)
        assert coming(waiting, place_of(books.tenant), 2)[0].due_at == waiting.due_at
    await make_due(admin, schedule)
    await pay_due(books.pool, books.keys, 10)
    after = await look(books, schedule)
    assert (after.status, after.number, after.attempts) == (ScheduleStatus.ACTIVE, 2, 0)
    short = PaymentStatus.INSUFFICIENT_FUNDS
    assert await statuses(books, schedule) == [(3, short), (2, short), (1, short)]
    # Told when it is given up, and not each time that it may still be paid.
    ((kind, facts),) = await told(books.pool, books.tenant.id, books.people[0].person_id)
    assert (kind, facts.code, facts.amount) == (NoticeKind.PAYMENT_REFUSED, "insufficient_funds", 1_001)
    assert len({one.payment for one in await outcomes(books, schedule)}) == 3
    assert await balance(books, 0) == 1_000


async def test_an_unpaid_date_pauses_if_it_is_to(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books, amount=1_001, attempts_max=1, if_unpaid=IfUnpaid.PAUSE))
    await make_due(admin, schedule)
    await pay_due(books.pool, books.keys, 10)
    after = await look(books, schedule)
    assert (after.status, after.number, after.due_at) == (ScheduleStatus.PAUSED, 2, None)
    assert (await resume_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)).number == 2


async def test_a_refusal_for_another_reason_is_not_attempted_again(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books))
    await admin.execute(
        "update accounts set status = 1 where tenant_id = $1 and id = $2", books.tenant.id, books.account(1)
    )
    await make_due(admin, schedule)
    await pay_due(books.pool, books.keys, 10)
    after = await look(books, schedule)
    assert (after.status, after.number) == (ScheduleStatus.ACTIVE, 2)
    assert await statuses(books, schedule) == [(1, PaymentStatus.PAYEE_NOT_OPEN)]


async def test_a_payment_that_a_rule_sets_aside_is_not_attempted_again(books: Books, admin: Pool) -> None:
    """Its money is reserved, and whether it moves is an operator's to say; one that a limit refuses is let go."""
    await set_limits(books.pool, books.tenant.id, 1, "People")
    await put_under_limits(books.pool, books.tenant.id, books.account(0), 1)
    for action, status in ((Action.REVIEW, PaymentStatus.IN_REVIEW), (Action.REFUSE, PaymentStatus.LIMIT_EXCEEDED)):
        await set_rule(books.pool, books.tenant.id, Rule(1, 1, "Large", Measure.PAYMENT, 99, action))
        schedule = await make(books, order(books))
        await make_due(admin, schedule)
        await pay_due(books.pool, books.keys, 10)
        after = await look(books, schedule)
        assert (after.status, after.number) == (ScheduleStatus.ACTIVE, 2)
        assert await statuses(books, schedule) == [(1, status)]
        assert await balance(books, 0) == 1_000


async def test_dates_that_no_worker_was_there_for_are_made_up_one_by_one(books: Books, admin: Pool) -> None:
    """A standing order is owed on each of its days; only who pauses lets days go."""
    schedule = await make(books, order(books))
    # As if it had been made four days ago, and all workers away since.
    await admin.execute(
        "update schedules set first_on = first_on - 5, on_day = on_day - 5, due_at = due_at - interval '5 days'"
        " where id = $1",
        schedule.order.id,
    )
    rounds = 0
    while (await pay_due(books.pool, books.keys, 10)).attempted:
        rounds += 1
    after = await look(books, schedule)
    assert after.due_at is not None
    assert after.due_at > datetime.now(UTC)
    assert rounds == after.number - 1 >= 3
    assert await balance(books, 0) == 1_000 - 100 * rounds
    assert len({one.day for one in await outcomes(books, schedule)}) == rounds


async def test_what_was_missed_while_paused_is_not_made_up_for(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books, DAILY._replace(times=30)))
    tenant_id, id_ = books.tenant.id, schedule.order.id
    paused = await pause_schedule(books.pool, books.keys, tenant_id, id_)
    assert (paused.status, paused.due_at) == (ScheduleStatus.PAUSED, None)
    assert await pause_schedule(books.pool, books.keys, tenant_id, id_) == paused
    await admin.execute("update schedules set first_on = first_on - 10, on_day = on_day - 10 where id = $1", id_)
    assert await pay_due(books.pool, books.keys, 10) == (0, [])
    resumed = await resume_schedule(books.pool, books.keys, tenant_id, id_)
    assert resumed.due_at is not None
    assert datetime.now(UTC) < resumed.due_at <= datetime.now(UTC) + timedelta(days=1)
    # The days that were let go count: the series ends when it would have.
    assert resumed.number == (resumed.day - resumed.order.plan.first_on).days + 1
    assert await resume_schedule(books.pool, books.keys, tenant_id, id_) == resumed
    assert await statuses(books, schedule) == []


async def test_a_pause_before_its_time_loses_nothing(books: Books) -> None:
    schedule = await make(books, order(books))
    await pause_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)
    assert await resume_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id) == schedule


async def test_resuming_when_nothing_is_to_come_completes(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books, ONCE))
    await pause_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)
    await admin.execute(
        "update schedules set first_on = first_on - 9, on_day = on_day - 9 where id = $1", schedule.order.id
    )
    resumed = await resume_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)
    assert (resumed.status, resumed.due_at) == (ScheduleStatus.COMPLETED, None)


async def test_a_pause_gives_up_the_attempts_that_were_left(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books, amount=1_001))
    await make_due(admin, schedule)
    await pay_due(books.pool, books.keys, 10)
    # The day was yesterday's; its second attempt would be due later today.
    await admin.execute(
        "update schedules set first_on = first_on - 3, on_day = on_day - 3 where id = $1", schedule.order.id
    )
    await pause_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)
    resumed = await resume_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)
    assert (resumed.attempts, resumed.status) == (0, ScheduleStatus.ACTIVE)
    assert resumed.number > 1


async def test_a_cancelled_schedule_is_never_paid_again(books: Books, admin: Pool) -> None:
    schedule = await make(books, order(books))
    await make_due(admin, schedule)
    cancelled = await cancel_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)
    assert await cancel_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id) == cancelled
    assert await pay_due(books.pool, books.keys, 10) == (0, [])
    assert await balance(books, 0) == 1_000
    with pytest.raises(Refusal):
        await resume_schedule(books.pool, books.keys, books.tenant.id, schedule.order.id)


async def test_other_tenants_schedules_are_not_there(books: Books, other_tenant: Tenant) -> None:
    schedule = await make(books, order(books))
    for tenant_id, id_ in ((other_tenant.id, schedule.order.id), (books.tenant.id, str(uuid.uuid4()))):
        for change in (read_schedule, pause_schedule, resume_schedule, cancel_schedule):
            with pytest.raises(NotFound):
                await change(books.pool, books.keys, tenant_id, id_)
        assert await read_outcomes(books.pool, tenant_id, id_, 10) == []
    assert await list_schedules(books.pool, books.keys, other_tenant.id, books.account(0), None, 10) == []
    assert await look(books, schedule) == schedule


async def test_one_id_in_two_tenants_is_two_schedules(
    books: Books, other_tenant: Tenant, open_books: Callable[..., Any], admin: Pool
) -> None:
    others = await open_books(other_tenant, people=2, funds=1_000)
    here, there = await make(books, order(books)), order(others)
    there = (await make(others, there._replace(id=here.order.id))).order
    await admin.execute("update schedules set due_at = clock_timestamp() where id = $1", here.order.id)
    assert await pay_due(books.pool, books.keys, 10) == (2, [])
    assert await balance(books, 1) == await balance(others, 1) == 1_100
    first, second = await outcomes(books, here), await read_outcomes(books.pool, other_tenant.id, there.id, 10)
    assert first[0].payment != second[0].payment


async def test_a_list_is_read_page_by_page_newest_first(books: Books) -> None:
    made = [await make(books, order(books)) for _ in range(5)]
    await make(books, order(books, payer=2))
    ids = [one.order.id for one in reversed(made)]
    found, after = [], None
    while page := await list_schedules(books.pool, books.keys, books.tenant.id, books.account(0), after, 2):
        found += [one.order.id for one in page]
        after = found[-1]
    assert found == ids
    assert await list_schedules(books.pool, books.keys, books.tenant.id, books.account(2), ids[0], 10) == []


async def test_as_many_go_on_for_one_payer_as_may_and_no_more(books: Books, admin: Pool) -> None:
    first = await make(books, order(books))
    await admin.execute(
        "insert into schedules select another.* from schedules as one cross join generate_series(1, $2) as n"
        " cross join lateral jsonb_populate_record(one, jsonb_build_object('id', gen_random_uuid(), 'number', n))"
        " as another where one.id = $1",
        first.order.id,
        SCHEDULES_MAX - 2,
    )
    await make(books, order(books))
    with pytest.raises(Refusal) as refused:
        await make(books, order(books))
    assert refused.value.code == "too_many_schedules"
    await make(books, order(books, payer=2))
    assert await make(books, first.order) == first  # known already
    await cancel_schedule(books.pool, books.keys, books.tenant.id, first.order.id)
    await make(books, order(books))


async def test_payday_pays_everybody_and_the_one_that_funds_were_lacking_for_later(
    admin: Pool, tenant: Tenant, open_books: Callable[..., Any]
) -> None:
    """300 employees on the fifth business day of the month, and money for 299 of them."""
    books: Books = await open_books(tenant, people=301)
    wage, employees = 2_000_00, range(1, 301)
    payday = Plan(Days.NTH_BUSINESS_DAY, date(2090, 3, 1), SIX, day=5)
    schedules = [await make(books, order(books, payday, wage, payee=at)) for at in employees]
    assert {(one.day, one.due_at) for one in schedules} == {
        (date(2090, 3, 7), datetime(2090, 3, 7, 9, tzinfo=UTC))  # the 1st is a Wednesday
    }
    assert is_business_day("BR", date(2090, 3, 7))
    await fund(books, 299 * wage)

    await make_due(admin, *schedules)
    done = [
        await pay_due(books.pool, books.keys, 256),
        await pay_due(books.pool, books.keys, 256),
        await pay_due(books.pool, books.keys, 256),
    ]
    assert [one.attempted for one in done] == [256, 44, 0]
    assert await balance(books, 0) == 0
    after = [await look(books, one) for one in schedules]
    (late,) = [one for one in after if one.attempts]
    assert (late.number, late.day, late.attempts) == (1, date(2090, 3, 7), 1)
    assert {(one.number, one.day) for one in after if one is not late} == {(2, date(2090, 4, 7))}

    await fund(books, wage)
    await make_due(admin, late)
    assert await pay_due(books.pool, books.keys, 256) == (1, [])
    assert [await balance(books, at) for at in employees] == [wage] * 300
    assert await statuses(books, late) == [(2, PaymentStatus.POSTED), (1, PaymentStatus.INSUFFICIENT_FUNDS)]
    assert (await look(books, late)).day == date(2090, 4, 7)


async def test_workers_at_once_pay_each_schedule_once(
    admin: Pool, tenant: Tenant, open_books: Callable[..., Any]
) -> None:
    books: Books = await open_books(tenant, people=8, funds=10_000)
    schedules = [await make(books, order(books, payer=at % 4, payee=4 + at % 4, amount=1 + at)) for at in range(120)]
    await make_due(admin, *schedules)

    async def work() -> int:
        paid = 0
        # A round that met another worker's locks may find nothing while there is still something.
        for _ in range(30):
            paid += (await pay_due(books.pool, books.keys, 7)).attempted
        return paid

    assert sum(await asyncio.gather(*(work() for _ in range(6)))) == 120
    for one in schedules:
        assert await statuses(books, one) == [(1, PaymentStatus.POSTED)]
    assert sum([await balance(books, at) for at in range(4)]) == 40_000 - sum(range(1, 121))


@pytest.mark.parametrize("change", [pause_schedule, cancel_schedule])
async def test_whoever_stops_a_schedule_while_it_is_paid_stops_what_follows(
    books: Books, admin: Pool, change: Callable[..., Any]
) -> None:
    schedules = [await make(books, order(books, amount=1)) for _ in range(40)]
    await make_due(admin, *schedules)

    async def work() -> None:
        for _ in range(10):
            await pay_due(books.pool, books.keys, 5)

    async def stop() -> None:
        for one in schedules:
            await change(books.pool, books.keys, books.tenant.id, one.order.id)

    await asyncio.gather(work(), work(), stop())
    paid = 0
    for one in schedules:
        after = await look(books, one)
        assert after.status in {ScheduleStatus.PAUSED, ScheduleStatus.CANCELLED}
        done = await statuses(books, one)
        assert done in ([], [(1, PaymentStatus.POSTED)])
        # What was paid had moved on before it was stopped, and what was not had not.
        assert after.number == 1 + len(done)
        paid += len(done)
    assert await pay_due(books.pool, books.keys, 100) == (0, [])
    assert await balance(books, 0) == 1_000 - paid


@pytest.mark.parametrize("death", ["cancelled", "connection lost"])
async def test_a_worker_that_dies_between_posting_and_commit_has_paid_nothing(
    books: Books, admin: Pool, death: str
) -> None:
    schedules = [await make(books, order(books)) for _ in range(3)]
    await make_due(admin, *schedules)
    async with admin.acquire() as blocker, blocker.transaction():
        # Outcomes are written after the payments and before the commit: the worker waits there.
        await blocker.execute("lock table schedule_outcomes in exclusive mode")
        worker = asyncio.create_task(pay_due(books.pool, books.keys, 10))
        pid = await _waiting_backend(admin)
        assert await balance(books, 0) == 1_000
        if death == "cancelled":
            worker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await worker
        else:
            await admin.execute("select pg_terminate_backend($1)", pid)
            with pytest.raises((CoreError, asyncpg.PostgresError)):
                await worker
    assert await balance(books, 0) == 1_000
    for one in schedules:
        assert (await look(books, one)).number == 1
        assert await statuses(books, one) == []
    # Another worker goes on, and pays each once.
    while not (await pay_due(books.pool, books.keys, 10)).attempted:
        await asyncio.sleep(0.05)
    assert await balance(books, 0) == 700
    for one in schedules:
        assert await statuses(books, one) == [(1, PaymentStatus.POSTED)]


async def _waiting_backend(admin: Pool) -> int:
    async with asyncio.timeout(5):
        while True:
            pid: int | None = await admin.fetchval(
                "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%advance_schedules(%'"
                " and pid <> pg_backend_pid()"
            )
            if pid is not None:
                return pid
            await asyncio.sleep(0.02)


async def test_one_that_cannot_be_attempted_is_put_off_and_holds_up_nobody(
    books: Books, admin: Pool, open_books: Callable[..., Any]
) -> None:
    lost = await create_tenant(admin, f"lost-{uuid.uuid4().hex[:12]}", "Lost", "BRL", "UTC")
    others: Books = await open_books(lost, people=2, funds=1_000)
    stuck = await make(others, order(others))
    schedules = [await make(books, order(books)) for _ in range(3)]
    await admin.execute("update tenants set time_zone = 'Nowhere/At_All' where id = $1", lost.id)
    await make_due(admin, stuck, since_s=60)
    await make_due(admin, *schedules)

    assert await pay_due(books.pool, books.keys, 10) == (4, [stuck.order.id])
    assert await balance(books, 0) == 700
    assert await balance(others, 0) == 1_000
    waiting = await look(others, stuck)
    assert waiting.due_at is not None
    assert (waiting.number, waiting.attempts) == (1, 0)
    assert PUT_OFF - timedelta(seconds=10) < waiting.due_at - datetime.now(UTC) <= PUT_OFF
    assert await pay_due(books.pool, books.keys, 10) == (0, [])

    await admin.execute("update tenants set time_zone = 'UTC' where id = $1", lost.id)
    await make_due(admin, stuck)
    assert await pay_due(books.pool, books.keys, 10) == (1, [])
    assert await statuses(others, stuck) == [(1, PaymentStatus.POSTED)]


async def test_the_payments_ids_cannot_be_told_beforehand(books: Books, admin: Pool) -> None:
    """Whoever knows a schedule's id could otherwise have its next payment's id fenced."""
    schedule = await make(books, order(books))
    await make_due(admin, schedule)
    await pay_due(books.pool, books.keys, 10)
    (one,) = await outcomes(books, schedule)
    assert one.payment != str(uuid.uuid5(uuid.UUID(schedule.order.id), f"{TOMORROW}/1"))
    seeds = await admin.fetch("select seed from schedules where tenant_id = $1", books.tenant.id)
    assert [str(uuid.uuid5(uuid.UUID(int=seed.int), f"{TOMORROW}/1")) for (seed,) in seeds] == [one.payment]


async def test_what_became_of_attempts_is_nobodys_to_write(books: Books) -> None:
    schedule = await make(books, order(books))
    for statement in (
        "insert into schedule_outcomes values ($1, $2, current_date, 1, gen_random_uuid(), 0, now())",
        "delete from schedules where tenant_id = $1 and id = $2",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with in_tenant(books.pool, books.tenant.id) as connection:
                await connection.execute(statement, books.tenant.id, schedule.order.id)

"""Limits and risk rules at their edges: to the cent, to the second, and for whoever tries to get around them."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.database import Pool, acquire
from core.errors import NotFound, Refusal
from core.ledger import rules
from core.ledger.oracle import OracleRule, _night
from core.ledger.posting import post_payments
from core.ledger.reading import read_account, read_payments
from core.ledger.rules import (
    EVERYBODY,
    Rule,
    list_payee,
    put_under_limits,
    read_listed_payees,
    set_limits,
    set_own_limit,
    set_rule,
)
from core.notices.kinds import NoticeKind
from core.nouns import Action, Kind, Measure, Payment, PaymentStatus, Posting
from core.people.opening import Tenant
from tests.conftest import Books
from tests.core.notices.reaching import told

POSTED, LIMIT = PaymentStatus.POSTED, PaymentStatus.LIMIT_EXCEEDED
ZONE = ZoneInfo("America/Sao_Paulo")
Pay = Callable[..., Awaitable[Posting]]


@pytest.fixture
async def limited(books: Books) -> Books:
    """The first person is under limits 1, which have no rule yet."""
    await set_limits(books.pool, books.tenant.id, 1, "People")
    await put_under_limits(books.pool, books.tenant.id, books.account(0), 1)
    return books


async def rule(books: Books, measure: Measure, most: int, action: Action = Action.REFUSE, **more: Any) -> None:
    number = more.pop("id", 1)
    await set_rule(books.pool, books.tenant.id, Rule(number, 1, measure.name, measure, most, action, **more))


async def post(books: Books, *payments: Payment) -> list[Posting]:
    async with acquire(books.pool) as connection:
        return await post_payments(connection, payments)


async def pay(books: Books, amount: int, payee: int = 1, **more: Any) -> Posting:
    return (await post(books, books.payment(0, payee, amount)._replace(**more)))[0]


async def test_a_payment_of_the_limit_passes_and_of_a_cent_more_does_not(limited: Books) -> None:
    await rule(limited, Measure.PAYMENT, 100)
    assert (await pay(limited, 100)).status == POSTED
    over = await pay(limited, 101)
    assert (over.status, over.rule, over.action) == (LIMIT, 1, Action.REFUSE)
    # Somebody who is under no limits is not asked.
    assert (await post(limited, limited.payment(2, 1, 101)))[0].status == POSTED


@pytest.mark.parametrize("measure", [Measure.DAY, Measure.MONTH])
async def test_many_small_payments_are_one_large_one(limited: Books, measure: Measure) -> None:
    await rule(limited, measure, 100)
    batch = [limited.payment(0, 1, 10) for _ in range(12)]
    statuses = [posting.status for posting in await post(limited, *batch)]
    assert statuses == [POSTED] * 10 + [LIMIT] * 2
    # What was refused used nothing up, and authorizations count like payments.
    assert (await pay(limited, 1, kind=Kind.AUTHORIZE)).status == LIMIT


async def test_sums_are_kept_exactly_whoever_races(limited: Books) -> None:
    await rule(limited, Measure.DAY, 50)
    answers = await asyncio.gather(*(pay(limited, 1) for _ in range(120)))
    assert [answer.status for answer in answers].count(POSTED) == 50


async def test_a_velocity_lets_so_many_through_and_then_one_by_one(limited: Books) -> None:
    await rule(limited, Measure.VELOCITY, 3, within_s=3)
    statuses = [(await pay(limited, 1)).status for _ in range(4)]
    assert statuses == [POSTED] * 3 + [LIMIT]
    await asyncio.sleep(1.05)
    assert [(await pay(limited, 1)).status for _ in range(2)] == [POSTED, LIMIT]


async def test_a_new_payee_is_new_for_a_while_and_an_allowed_one_is_not(limited: Books) -> None:
    await rule(limited, Measure.NEW_PAYEE, 10, within_s=1)
    assert (await pay(limited, 11)).status == LIMIT
    assert (await pay(limited, 10)).status == POSTED
    assert (await pay(limited, 11)).status == LIMIT
    await asyncio.sleep(1.05)
    assert (await pay(limited, 11)).status == POSTED
    # To be allowed waits a day: whoever stole the phone at night cannot allow himself.
    from_us = await list_payee(
        limited.pool, limited.tenant.id, limited.account(0), limited.account(2), 1, str(uuid.uuid4())
    )
    in_a_day = (datetime.now(UTC) + timedelta(days=1)).timestamp() * 1_000_000
    assert abs(from_us - in_a_day) < 60_000_000
    assert (await pay(limited, 11, payee=2)).status == LIMIT


async def test_a_new_device_pays_little_at_first(limited: Books) -> None:
    await rule(limited, Measure.NEW_DEVICE, 20, within_s=86_400)
    await rule(limited, Measure.NEW_DEVICE_DAY, 50, within_s=86_400, id=2)
    now = int(datetime.now(UTC).timestamp())
    assert (await pay(limited, 21, session_at=now)).rule == 1
    assert [(await pay(limited, 20, session_at=now)).status for _ in range(3)] == [POSTED, POSTED, LIMIT]
    assert (await pay(limited, 100, session_at=now - 86_401)).status == POSTED


async def test_a_denied_payee_is_not_paid_by_one_or_by_all(limited: Books) -> None:
    await rule(limited, Measure.PAYMENT, 10**9)
    tenant, who = limited.tenant.id, str(uuid.uuid4())
    await list_payee(limited.pool, tenant, limited.account(0), limited.account(1), 2, who)
    assert (await pay(limited, 1)).status == PaymentStatus.PAYEE_DENIED
    await list_payee(limited.pool, tenant, limited.account(0), limited.account(1), None, who)
    assert (await pay(limited, 1)).status == POSTED
    await list_payee(limited.pool, tenant, EVERYBODY, limited.account(1), 2, who)
    assert (await pay(limited, 1)).status == PaymentStatus.PAYEE_DENIED


async def test_an_owner_reads_whom_they_have_listed_and_nobody_elses(limited: Books) -> None:
    tenant, who, mine = limited.tenant.id, str(uuid.uuid4()), limited.account(0)
    await list_payee(limited.pool, tenant, mine, limited.account(1), 1, who)
    await list_payee(limited.pool, tenant, mine, limited.account(2), 2, who)
    await list_payee(limited.pool, tenant, limited.account(1), limited.account(2), 2, who)
    await list_payee(limited.pool, tenant, EVERYBODY, limited.account(2), 2, who)
    first, second = sorted((limited.account(1), limited.account(2)))
    page = await read_listed_payees(limited.pool, tenant, mine, 0, 1)
    assert [one.payee for one in page] == [first]
    rest = await read_listed_payees(limited.pool, tenant, mine, first, 10)
    assert [one.payee for one in rest] == [second]
    assert {one.payee: one.listing for one in page + rest} == {limited.account(1): 1, limited.account(2): 2}
    await list_payee(limited.pool, tenant, mine, limited.account(1), None, who)
    assert [one.payee for one in await read_listed_payees(limited.pool, tenant, mine, 0, 10)] == [limited.account(2)]


async def test_a_merchant_receives_no_more_than_its_caps(limited: Books) -> None:
    await put_under_limits(limited.pool, limited.tenant.id, limited.account(1), 1)
    await put_under_limits(limited.pool, limited.tenant.id, limited.account(0), None)
    await rule(limited, Measure.RECEIVED_PAYMENT, 60)
    await rule(limited, Measure.RECEIVED_DAY, 100, id=2)
    assert (await pay(limited, 61)).rule == 1
    assert [(await pay(limited, 50)).status for _ in range(3)] == [POSTED, POSTED, LIMIT]


@pytest.mark.parametrize(
    ("zone", "utc", "is_night"),
    [
        # 20:00 to 06:00 in São Paulo (UTC-3) and in Acre (UTC-5), to the second.
        ("America/Sao_Paulo", "22:59:59", False),
        ("America/Sao_Paulo", "23:00:00", True),
        ("America/Sao_Paulo", "08:59:59", True),
        ("America/Sao_Paulo", "09:00:00", False),
        ("America/Rio_Branco", "23:00:00", False),
        ("America/Rio_Branco", "00:59:59", False),
        ("America/Rio_Branco", "01:00:00", True),
        ("America/Rio_Branco", "10:59:59", True),
        ("America/Rio_Branco", "11:00:00", False),
    ],
)
def test_a_night_begins_and_ends_to_the_second_where_the_tenant_is(zone: str, utc: str, is_night: bool) -> None:
    at = datetime.combine(datetime(2026, 11, 24, tzinfo=UTC), time.fromisoformat(utc), UTC)
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert (_night(OracleRule(1, Measure.NIGHT, 0), local) is not None) == is_night


async def test_the_ledgers_night_begins_to_the_second_too(limited: Books) -> None:
    """The oracle and the ledger measure nights alike (test_lives.py); here the clock itself strikes."""
    await rule(limited, Measure.PAYMENT, 10**9, id=9)
    local = datetime.now(ZONE)
    if local.time() > time(23, 59, 50):
        await asyncio.sleep(12)
        local = datetime.now(ZONE)
    begins = (local + timedelta(seconds=2)).replace(microsecond=0, tzinfo=None)
    await rule(limited, Measure.NIGHT, 100, night_from=begins.time(), night_to=(begins + timedelta(hours=3)).time())
    before = await pay(limited, 101)
    assert datetime.fromtimestamp(before.judged_at_us / 1e6, ZONE).replace(tzinfo=None) < begins
    assert before.status == POSTED
    await asyncio.sleep((begins.replace(tzinfo=ZONE) - datetime.now(ZONE)).total_seconds() + 0.02)
    assert [(await pay(limited, amount)).status for amount in (60, 41, 40)] == [POSTED, LIMIT, POSTED]


async def test_lowering_is_at_once_and_raising_waits(limited: Books, admin: Pool) -> None:
    await rule(limited, Measure.DAY, 100, own_max=500, raise_wait_s=86_400)
    pool, tenant, account = limited.pool, limited.tenant.id, limited.account(0)
    who = limited.people[0].person_id
    assert await set_own_limit(pool, tenant, account, Measure.DAY, 50, who) == (50, None, None)
    assert (await pay(limited, 51)).status == LIMIT
    now, then, from_us = await set_own_limit(pool, tenant, account, Measure.DAY, 400, who)
    assert (now, then) == (50, 400)
    assert from_us is not None
    # Lowering is nobody's worry; of a raise its owner hears, and until when there is time to take it back.
    ((kind, facts),) = await told(pool, tenant, who)
    assert (kind, facts.amount, facts.code) == (NoticeKind.LIMIT_RAISED, 400, "day")
    assert facts.ends_at == datetime.fromtimestamp(from_us / 1e6, UTC)
    assert abs(from_us / 1e6 - (datetime.now(UTC) + timedelta(days=1)).timestamp()) < 60
    assert (await pay(limited, 51)).status == LIMIT

    async def age(by: timedelta) -> None:
        await admin.execute(
            "update own_limits set next_from = next_from - $3::interval where tenant_id = $1 and account_id = $2",
            tenant,
            account,
            by,
        )

    await age(timedelta(hours=23, minutes=59))
    assert (await pay(limited, 51)).status == LIMIT
    await age(timedelta(minutes=1, seconds=1))
    assert (await pay(limited, 400)).status == POSTED
    # Lowering takes back a raise that waits; nobody sets more than the rule allows.
    assert await set_own_limit(pool, tenant, account, Measure.DAY, 300, who) == (300, None, None)
    for measure, most in ((Measure.DAY, 501), (Measure.MONTH, 1)):
        with pytest.raises(Refusal) as refused:
            await set_own_limit(pool, tenant, account, measure, most, who)
        assert refused.value.code == "limit_not_yours"


async def test_a_rule_changed_live_holds_from_the_next_payment_on(limited: Books) -> None:
    await rule(limited, Measure.PAYMENT, 100)
    assert (await pay(limited, 100)).status == POSTED
    await rule(limited, Measure.PAYMENT, 10)
    assert (await pay(limited, 11)).status == LIMIT
    await rule(limited, Measure.PAYMENT, 10, is_on=False)
    assert (await pay(limited, 11)).status == POSTED
    found = await rules.read_changes(limited.pool, limited.tenant.id, 10**17, 10)
    assert [(one.what, one.key) for one in found[:3]] == [("rule", "1")] * 3
    assert '"max": 100' in (found[1].before or "")


async def test_what_is_set_aside_waits_for_an_operator(limited: Books) -> None:
    await rule(limited, Measure.PAYMENT, 100, Action.REVIEW)
    operator = str(uuid.uuid4())
    waiting = [limited.payment(0, 1, 200) for _ in range(3)]
    for payment in waiting:
        (posting,) = await post(limited, payment)
        assert (posting.status, posting.hold, posting.rule) == (PaymentStatus.IN_REVIEW, 200, 1)
    queue = await rules.read_reviews(limited.pool, limited.tenant.id, 10)
    assert [review.payment for review in queue] == [payment.id for payment in waiting]

    def step(of: Payment, kind: Kind) -> Payment:
        return of._replace(id=str(uuid.uuid4()), kind=kind, subject=of.id, amount=0, asked_by=operator)

    released, declined, both = waiting
    assert (await post(limited, step(released, Kind.RELEASE)))[0].status == POSTED
    assert (await post(limited, step(declined, Kind.DECLINE)))[0].status == POSTED
    raced = await asyncio.gather(
        *(post(limited, step(both, kind)) for kind in (Kind.RELEASE, Kind.DECLINE) for _ in range(10))
    )
    assert sorted(answer[0].status for answer in raced) == [POSTED] + [PaymentStatus.NOT_IN_REVIEW] * 19
    assert await rules.read_reviews(limited.pool, limited.tenant.id, 10) == []
    # Asked for again, it gives its first answer; the life says what became of it.
    assert (await post(limited, released))[0].status == PaymentStatus.IN_REVIEW
    assert (await read_payments(limited.pool, limited.tenant.id, [released.id]))[released.id].captured == 200
    account = await read_account(limited.pool, limited.tenant.id, limited.account(0))
    assert account is not None
    assert account.held == 0


async def test_an_alert_lets_the_payment_through_and_is_written_down(limited: Books) -> None:
    await rule(limited, Measure.PAYMENT, 100, Action.ALERT)
    payment = limited.payment(0, 1, 150)
    (posting,) = await post(limited, payment)
    assert (posting.status, posting.rule, posting.action) == (POSTED, 1, Action.ALERT)
    (decision,) = await rules.read_decisions(limited.pool, limited.tenant.id, 10**17, None, None, 10)
    assert (decision.payment, decision.rule, decision.measured, decision.max) == (payment.id, 1, 150, 100)


@pytest.mark.parametrize(
    "bad",
    [
        {"measure": Measure.VELOCITY, "most": 0, "within_s": 1},
        {"measure": Measure.VELOCITY, "most": 5},
        {"measure": Measure.PAYMENT, "most": 5, "within_s": 5},
        {"measure": Measure.NIGHT, "most": 5},
        {"measure": Measure.NIGHT, "most": 5, "night_from": time(8), "night_to": time(8)},
        {"measure": Measure.DAY, "most": -1},
        {"measure": Measure.RECEIVED_DAY, "most": 5, "own_max": 5},
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(limited: Books, bad: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        await rule(limited, **bad)
    assert refused.value.code == "rule_does_not_fit"


async def test_a_set_of_limits_has_at_most_fifty_rules_whoever_is_quickest(limited: Books) -> None:
    written = await asyncio.gather(
        *(
            set_rule(limited.pool, limited.tenant.id, Rule(number, 1, "More", Measure.DAY, number, Action.ALERT))
            for number in range(1, 61)
        ),
        return_exceptions=True,
    )
    refused = [one for one in written if one is not None]
    assert len(refused) == 10
    assert all(isinstance(one, Refusal) and "limits_have_at_most_fifty_rules" in str(one) for one in refused)
    # One that is there can still be changed.
    (known, *_) = await rules.read_rules(limited.pool, limited.tenant.id)
    await set_rule(limited.pool, limited.tenant.id, known._replace(is_on=False))


async def test_rules_and_lists_stay_within_their_tenant(limited: Books, other_tenant: Tenant) -> None:
    await rule(limited, Measure.PAYMENT, 1)
    who = str(uuid.uuid4())
    assert await rules.read_rules(limited.pool, other_tenant.id) == []
    with pytest.raises(NotFound):
        await set_rule(limited.pool, other_tenant.id, Rule(1, 1, "x", Measure.PAYMENT, 1, Action.REFUSE))
    with pytest.raises(NotFound):
        await put_under_limits(limited.pool, other_tenant.id, limited.account(0), None)
    with pytest.raises(NotFound):
        await list_payee(limited.pool, other_tenant.id, EVERYBODY, limited.account(1), 2, who)
    with pytest.raises(Refusal):
        await set_own_limit(limited.pool, other_tenant.id, limited.account(0), Measure.PAYMENT, 1, who)

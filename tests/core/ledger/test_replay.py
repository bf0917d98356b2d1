"""A replay comes to the same books, and names the first payment and the field where somebody changed them."""

import asyncio
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from core.database import Pool, acquire, transaction
from core.keys.safe import Safe
from core.ledger import replaying
from core.ledger.posting import post_payments
from core.ledger.replay import Divergence, Done, Replay
from core.ledger.replaying import count_done, replay_tenant
from core.ledger.terms import Terms, put_under_terms, set_terms
from core.nouns import Kind, Payment, SystemAccount
from tests.conftest import PAST_TRIGGERS, Books
from tests.core.ledger.test_lives import Ask, World, batches, patiently

# What the tables themselves would not take: their owner could.
PAST_CHECKS = """
do $$
declare
    v_check record;
begin
    for v_check in select conrelid::regclass as name, conname
                     from pg_constraint
                    where contype = 'c' and connamespace = 'payhub'::regnamespace
                      and conrelid::regclass::text ~ '(payments|shares|standings|accounts)$'
    loop
        execute format('alter table %s drop constraint %I', v_check.name, v_check.conname);
    end loop;
end
$$
"""


async def replayed(admin: Pool, tenant_id: int) -> int:
    async with acquire(admin) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        return await replay_tenant(connection, tenant_id)


async def found(admin: Pool, tenant_id: int, statement: str, *arguments: Any) -> Divergence:
    """What a replay says of books in which this was done; it is undone again."""
    async with acquire(admin) as connection, transaction(connection, is_rehearsal=True):
        await connection.execute(PAST_CHECKS)
        await connection.execute(PAST_TRIGGERS)
        await connection.execute(statement, *arguments)
        with pytest.raises(Divergence) as diverged:
            await replay_tenant(connection, tenant_id)
    return diverged.value


@patiently
@given(batches)
async def test_whole_lives_replay(admin: Pool, pool: Pool, keys: Safe, batches: list[list[Ask]]) -> None:
    """Every kind of step, fees, shares, reviews, groups, charges: the replay says nothing, and so does not cry wolf."""
    world = await World.open(admin, pool, keys)
    for asked in batches:
        assert await world.agree(pool, world.payments(asked))
    async with acquire(admin) as connection:
        count = await count_done(connection, world.tenant_id)
    assert await replayed(admin, world.tenant_id) == count > 5


async def a_life_of_each_kind(books: Books) -> dict[str, str]:
    """A payment of each kind, by its name; fees, shares, holds, a dispute, one undone."""
    await set_terms(books.pool, books.tenant.id, Terms(1, "Shop", fee_ppm=100_000, returns_fee=True))
    await put_under_terms(books.pool, books.tenant.id, books.account(1), 1)
    plain = books.payment(0, 2, 50)
    paid = books.payment(0, 1, 200)._replace(shares=((books.account(2), 30), (books.account(3), 10)))
    undone = books.payment(2, 1, 90)._replace(shares=((books.account(3), 7),))
    hold = books.payment(0, 1, 100)._replace(kind=Kind.AUTHORIZE)
    last = books.payment(3, 2, 5)

    def step(kind: Kind, subject: Payment, amount: int = 0, **more: Any) -> Payment:
        is_back = kind in (Kind.REFUND, Kind.DISPUTE, Kind.CHARGEBACK, Kind.ABSOLVE, Kind.REVERSE)
        payer, payee = (subject.payee, subject.payer) if is_back else (subject.payer, subject.payee)
        given_ = {"kind": kind, "subject": subject.id, **more}
        id_ = str(uuid.uuid4())
        return Payment(books.tenant.id, id_, payer, payee, amount, subject.asked_by)._replace(**given_)

    steps = {
        "plain": plain,
        "paid": paid,
        "undone": undone,
        "hold": hold,
        "capture": step(Kind.CAPTURE, hold, 60),
        "void": step(Kind.VOID, hold),
        "refund": step(Kind.REFUND, paid, 40),
        "dispute": step(Kind.DISPUTE, paid, 50),
        "chargeback": step(Kind.CHARGEBACK, paid, 20),
        "absolve": step(Kind.ABSOLVE, paid),
        "reverse": step(Kind.REVERSE, undone, shares=undone.shares),
        "last": last,
    }
    for payment in steps.values():
        async with acquire(books.pool) as connection:
            (answer,) = await post_payments(connection, [payment])
        assert answer.status == 0, (payment, answer)
    return {name: payment.id for name, payment in steps.items()}


def fields() -> Iterator[tuple[str, str, str]]:
    """Which payment, what is done to it, and the field that a replay names. What is on the right is in SQL."""
    for name in ("plain", "paid", "hold", "capture", "refund", "chargeback", "reverse", "last"):
        yield name, "payer_balance = payer_balance + 1", "payer_balance"
        yield name, "payee_balance = payee_balance - 1", "payee_balance"
    yield "plain", "amount = amount + 1", "payer_balance"
    yield "paid", "amount = amount - 1", "payer_balance"
    yield "hold", "amount = amount + 1", "hold"
    yield "capture", "amount = amount + 1", "hold"
    yield "void", "amount = amount + 1", "amount"
    yield "dispute", "amount = amount + 1", "hold"
    yield "absolve", "amount = amount - 1", "amount"
    yield "reverse", "amount = amount + 1", "amount"
    yield "refund", "amount = amount + 1", "payer_balance"
    yield "refund", "amount = amount + 10", "fee"
    yield "refund", "amount = 1000", "status"
    yield "chargeback", "amount = 1000", "status"
    yield "hold", "hold = hold + 1", "hold"
    yield "capture", "hold = hold - 1", "hold"
    yield "plain", "hold = 5, payer_held = 5", "hold"
    yield "hold", "payer_held = payer_held + 1", "payer_held"
    yield "void", "payer_held = payer_held + 1", "payer_held"
    yield "plain", "payer_held = 0", "payer_held"
    yield "paid", "fee = fee + 1", "payee_balance"
    yield "paid", "fee = 1000", "fee"
    yield "refund", "fee = fee - 1", "fee"
    yield "reverse", "fee = fee + 1", "fee"
    yield "hold", "fee = 1, fee_version = 99, fee_balance = 1", "fee"
    yield "paid", "fee_balance = fee_balance + 1", "fee_balance"
    yield "paid", "shared = shared + 1", "shared"
    yield "refund", "shared = 1", "shared"
    yield "plain", "payer = 999999999999", "entry 1 of account 999999999999"
    yield "plain", "kind = 1", "hold"
    yield "plain", "kind = 99", "kind"
    yield "capture", "kind = 5", "status"
    yield "refund", "kind = 7", "hold"
    yield "capture", "subject = null", "subject"
    yield "refund", "subject = id", "standings"
    yield "plain", "status = 1", "hold"
    yield "hold", "options = '{\"lasts_s\": 1}'", "standings.expires_at_us"


@pytest.mark.parametrize(("name", "change", "field"), list(fields()))
async def test_a_changed_payment_is_named_with_the_field(
    books: Books, admin: Pool, name: str, change: str, field: str
) -> None:
    ids = await a_life_of_each_kind(books)
    assert await replayed(admin, books.tenant.id) == 4 + len(ids)
    statement = f"update payhub.payments set {change} where id = $1"
    divergence = await found(admin, books.tenant.id, statement, ids[name])
    assert (divergence.payment, divergence.field.removesuffix("_us")) == (ids[name], field.removesuffix("_us"))
    assert str(divergence).startswith(f"payment {ids[name]}: ")


PLANTED = {
    "a payment gone": ("delete from payhub.payments where id = $1", "plain", r"entry \d+ of account \d+ is not there"),
    "the last payment gone": ("delete from payhub.payments where id = $1", "last", r"accounts\.version of \d+ is \d+"),
    "a fee's number used twice": (
        "update payhub.payments set fee_version = (select p.fee_version + 100 from payhub.payments p where p.id = $1)"
        " where id = $1",
        "paid",
        r"entry \d+ of account 3 is not there",
    ),
    "a number skipped": (
        "update payhub.payments set payer_version = payer_version + 1000 where id = $1",
        "last",
        r"entry \d+ of account \d+ is not there",
    ),
    "a share changed": (
        "update payhub.shares set amount = amount + 1 where payment_id = $1 and amount = 30",
        "paid",
        "shared is 40, and should be 41",
    ),
    "a share's balance changed": (
        "update payhub.shares set balance = balance + 1 where payment_id = $1 and amount = 30",
        "paid",
        r"share of \d+: its_balance is",
    ),
    "a share moved to somebody else": (
        "update payhub.shares set account_id = 5 where payment_id = $1 and amount = 10",
        "paid",
        "entry 1 of account 5 is not there|its_balance",
    ),
    "a share of nothing": (
        "insert into payhub.shares select tenant_id, gen_random_uuid(), account_id, amount, 900, balance"
        " from payhub.shares where payment_id = $1 and amount = 10",
        "paid",
        "share of account",
    ),
    "a balance changed": (
        "update payhub.accounts set balance = balance + 1 where id = (select payer from payhub.payments where id = $1)",
        "last",
        r"accounts\.balance of \d+ is .* Its last entry is of payment",
    ),
    "money held for nobody": (
        "update payhub.accounts set held = held + 1 where id = (select payer from payhub.payments where id = $1)",
        "last",
        r"accounts\.held of \d+ is 1, and should be 0",
    ),
    "a version changed": (
        "update payhub.accounts set version = version + 1 where id = (select payer from payhub.payments where id = $1)",
        "last",
        r"accounts\.version",
    ),
    "an account gone": (
        "delete from payhub.accounts where id = (select payer from payhub.payments where id = $1)",
        "last",
        "a row in accounts",
    ),
    "money out of nothing": (
        "insert into payhub.accounts (tenant_id, id, balance)"
        " select tenant_id, 777, 5 from payhub.payments where id = $1",
        "last",
        r"accounts\.balance of 777 is 5, and should be 0. It has no entry",
    ),
    "more captured than was": (
        "update payhub.standings set captured = captured + 1 where payment_id = $1",
        "hold",
        r"standings\.captured is 61, and should be 60|status is",
    ),
    "a refund forgotten": (
        "update payhub.standings set refunded = refunded - 1 where payment_id = $1",
        "paid",
        r"standings\.refunded|status is|fee is",
    ),
    "a life gone": ("delete from payhub.standings where payment_id = $1", "hold", "standings is none"),
    "a life of nothing": (
        "update payhub.standings set payment_id = gen_random_uuid() where payment_id = $1",
        "hold",
        "standings is none",
    ),
    "what was done is called refused": (
        "update payhub.payments set status = 44 where id = $1",
        "plain",
        "status is 44",
    ),
    "what was refused is called done": (
        "insert into payhub.payments (tenant_id, id, status, judged_at, asked_by)"
        " select tenant_id, gen_random_uuid(), 0, judged_at, asked_by from payhub.payments where id = $1",
        "plain",
        "status is 0",
    ),
}


@pytest.mark.parametrize("error", PLANTED)
async def test_a_planted_error_is_named(books: Books, admin: Pool, error: str) -> None:
    ids = await a_life_of_each_kind(books)
    statement, name, says = PLANTED[error]
    divergence = await found(admin, books.tenant.id, statement, ids[name])
    with pytest.raises(Divergence, match=says):
        raise divergence


async def test_a_charge_that_was_not_paid_so_often_is_named(books: Books, admin: Pool) -> None:
    charge = str(uuid.uuid4())
    await admin.execute(
        "insert into charges (tenant_id, id, payee, amount, is_reusable, asked_by) values ($1, $2, $3, null, true, $2)",
        books.tenant.id,
        charge,
        books.account(1),
    )
    async with acquire(books.pool) as connection:
        await post_payments(connection, [books.payment(0, 1, at)._replace(charge=charge) for at in (3, 4)])
    await replayed(admin, books.tenant.id)
    statement = "update payhub.charges set paid_amount = paid_amount + 1 where id = $1"
    divergence = await found(admin, books.tenant.id, statement, charge)
    assert str(divergence) == f"charge {charge}: paid_count, paid_amount is (2, 8), and should be (2, 7)."


async def test_batches_that_ran_at_once_replay_whatever_order_they_were_judged_in(books: Books, admin: Pool) -> None:
    """The fees account is locked last, so its numbers come in another order than the batches' moments."""
    await set_terms(books.pool, books.tenant.id, Terms(1, "Shop", fee_ppm=200_000))
    for at in range(4):
        await put_under_terms(books.pool, books.tenant.id, books.account(at), 1)

    async def pay(at: int) -> None:
        for _ in range(30):
            async with acquire(books.pool) as connection:
                await post_payments(connection, [books.payment(at, (at + 1) % 4, 5) for _ in range(3)])

    await asyncio.gather(*(pay(at) for at in range(4)))
    # The institution takes its fees out: entries of the same account that are no fees.
    async with acquire(books.pool) as connection:
        await post_payments(connection, [books.payment(-SystemAccount.FEES, -SystemAccount.CASH_OUT, 10)])
    assert await replayed(admin, books.tenant.id) == 4 + 4 * 30 * 3 + 1


async def test_a_clock_that_was_set_back_is_no_error(books: Books, admin: Pool) -> None:
    """An account's numbers say what came first."""
    async with acquire(books.pool) as connection:
        for _ in range(5):
            await post_payments(connection, [books.payment(0, 1, 1), books.payment(1, 2, 1)])
    async with acquire(admin) as connection, transaction(connection, is_rehearsal=True):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute(
            "update payhub.payments set judged_at = judged_at - interval '1 h'"
            " where tenant_id = $1 and payer_version >= 5",
            books.tenant.id,
        )
        assert await replay_tenant(connection, books.tenant.id) == 4 + 10


async def test_pages_and_progress_are_as_told(books: Books, admin: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "PAGE_LENGTH", 3)
    async with acquire(books.pool) as connection:
        await post_payments(connection, [books.payment(0, 1, 1) for _ in range(4)])
    told: list[int] = []
    async with acquire(admin) as connection, transaction(connection):
        await replay_tenant(connection, books.tenant.id, told.append)
    assert told == [3, 6, 8]


def done(number: int, payer: int = 1, payee: int = 2) -> Done:
    """The payments of one payer to one payee, one unit each."""
    return Done(
        id=str(uuid.UUID(int=number)),
        kind=Kind.PAY,
        status=0,
        payer=payer,
        payee=payee,
        amount=1,
        payer_version=number,
        payee_version=number,
        payer_balance=-number,
        payee_balance=number,
        judged_at_us=number,
        hold=0,
        payer_held=None,
        fee=0,
        fee_version=None,
        fee_balance=None,
        shared=0,
        shares=(),
        subject=None,
        is_final=False,
        available=None,
        lasts_s=None,
        root_kind=None,
        root_payer=None,
        root_payee=None,
        root_amount=None,
        life=None,
    )


def test_payments_may_be_told_in_any_order() -> None:
    numbers = list(range(1, 200))
    random.Random(2).shuffle(numbers)
    replay = Replay()
    for number in numbers:
        replay.tell(done(number))
    replay.end([(1, -199, 0, 199), (2, 199, 0, 199)])
    assert replay.count == 199


def test_what_waits_is_bounded_and_what_it_waits_for_is_named() -> None:
    replay = Replay(waiting_max=50)
    for number in (1, 2, *range(4, 54)):
        replay.tell(done(number))
    with pytest.raises(Divergence, match="entry 3 of account 1 is not there"):
        replay.tell(done(54))


def test_a_number_that_two_payments_have_is_named() -> None:
    replay = Replay()
    replay.tell(done(1))
    with pytest.raises(Divergence, match="It was used before"):
        replay.tell(done(1, payee=9)._replace(id=str(uuid.UUID(int=99))))
    replay = Replay()
    replay.tell(done(5))
    with pytest.raises(Divergence, match="should be its own"):
        replay.tell(done(5)._replace(id=str(uuid.UUID(int=99))))

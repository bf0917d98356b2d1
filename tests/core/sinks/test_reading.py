"""The log read as events: every entry of every account, in its account's order, from any place of it."""

import json
import uuid
from typing import Any

import pytest

from core.database import Pool, acquire, in_tenant, transaction
from core.ledger.posting import post_payments
from core.ledger.reading import read_entries_after
from core.ledger.rules import Rule, put_under_limits, set_limits, set_rule
from core.ledger.terms import Terms, put_under_terms, set_terms
from core.nouns import Action, Entry, Kind, Measure, Payment, SystemAccount
from core.proof.leaves import LeafKind
from core.proof.notary import Signer
from core.sinks.events import Place, Told, tell_entry, to_time, type_of
from core.sinks.reading import Log, LogBroken, read_page
from tests.conftest import PAST_TRIGGERS, Books, seal_all

NOTHING = "00000000-0000-4000-8000-000000000000"
SOURCE = "https://pay.example.com/tenants/t"


def everything(_: str) -> bool:
    return True


def place(entry: Entry, leaf: int) -> Place:
    return Place(SOURCE, "BRL", leaf, to_time(entry.judged_at_us))


def log_of(books: Books) -> Log:
    return Log(books.tenant.id, SOURCE, "BRL")


async def read_all(books: Books, number: int = 0, taken: int = 0, done_max: int = 3) -> list[Told]:
    found: list[Told] = []
    while True:
        page = await read_page(books.pool, log_of(books), number, taken, everything, done_max)
        found += page.events
        if page.is_last:
            return found
        number, taken = page.number, page.taken


async def live(books: Books) -> list[Payment]:
    """Payments with fees and shares, holds, refunds, reversals, reviews; some refused."""
    pool, tenant = books.pool, books.tenant
    await set_terms(pool, tenant.id, Terms(1, "Shop", fee_ppm=20_000, returns_fee=True))
    await put_under_terms(pool, tenant.id, books.account(1), 1)
    await set_limits(pool, tenant.id, 1, "Careful")
    await set_rule(pool, tenant.id, Rule(1, 1, "Look", Measure.PAYMENT, 200, Action.REVIEW))
    await put_under_limits(pool, tenant.id, books.account(3), 1)
    paid = books.payment(0, 1, 300, description="rent")._replace(
        shares=((books.account(3), 50), (books.account(2), 20)), metadata='{"word": "rent"}'
    )
    hold = books.payment(0, 1, 100)._replace(kind=Kind.AUTHORIZE)
    reviewed, declined = books.payment(3, 2, 250), books.payment(3, 2, 251)
    steps = [paid, hold, books.payment(0, 1, 10**6), reviewed, declined]

    def step(kind: Kind, about: Payment, amount: int = 0, **more: Any) -> Payment:
        ends = (about.payee, about.payer) if kind in {Kind.REFUND, Kind.REVERSE} else (about.payer, about.payee)
        return Payment(tenant.id, str(uuid.uuid4()), *ends, amount, about.asked_by, kind=kind, subject=about.id, **more)

    steps += [
        step(Kind.CAPTURE, hold, 40),
        step(Kind.VOID, hold),
        step(Kind.REFUND, hold, 10),
        step(Kind.REVERSE, paid, shares=paid.shares),
        step(Kind.RELEASE, reviewed),
        step(Kind.DECLINE, declined),
        books.payment(2, 0, 5),
    ]
    for at in range(0, len(steps), 2):
        async with acquire(pool) as connection:
            await post_payments(connection, steps[at : at + 2], books.keys)
    return steps


async def test_every_entry_of_every_account_is_told_once_and_in_its_accounts_order(
    books: Books, signer: Signer
) -> None:
    await live(books)
    await seal_all(books.pool, signer)
    told = [json.loads(one.body) for one in await read_all(books)]
    accounts = [one.account_id for one in books.people] + [SystemAccount.FEES, SystemAccount.CASH_IN]
    expected: dict[int, list[Entry]] = {}
    for account in accounts:
        expected[account] = await read_entries_after(books.pool, books.tenant.id, account, 0, 100)
    assert all(expected.values())
    assert len({entry.kind for entries in expected.values() for entry in entries}) == 8
    moved = [one for one in told if not one["type"].startswith("payhub.audit.")]
    assert {one["data"]["account"] for one in moved} == {*accounts}
    for account in accounts:
        of_account = [one for one in moved if one["data"]["account"] == account]
        # As the books say it, to the byte.
        assert of_account == [
            json.loads(tell_entry(place(entry, one["data"]["leaf"]), entry, type_of(entry))[1])
            for entry, one in zip(expected[account], of_account, strict=True)
        ]
    assert len({one["id"] for one in told}) == len(told)
    assert not any(b"rent" in one.body for one in await read_all(books))
    # The settings that were changed; whose they are by their ids alone.
    trail = [one for one in told if one["type"].startswith("payhub.audit.setting.")]
    assert len(trail) >= 5
    assert {*trail[0]["data"]} <= {"what", "leaf", "who", "about", "session"}


async def test_the_log_is_told_the_same_from_any_place(books: Books, signer: Signer) -> None:
    await live(books)
    await seal_all(books.pool, signer)
    whole = await read_all(books)
    assert await read_all(books, done_max=1_000) == whole
    for at, one in enumerate(whole):
        assert await read_all(books, one.number, one.taken, 1_000) == whole[at + 1 :]


async def test_what_is_not_wanted_is_passed(books: Books, signer: Signer) -> None:
    await live(books)
    await seal_all(books.pool, signer)
    page = await read_page(books.pool, log_of(books), 0, 0, "payhub.refund.sent".__eq__)
    assert [one.type for one in page.events] == ["payhub.refund.sent"]
    size = page.number
    none = await read_page(books.pool, log_of(books), 0, 0, "none".__eq__)
    assert (none.events, none.number, none.taken, none.is_last) == ([], size, 0, True)


async def test_a_log_that_points_at_nothing_is_not_told_past_it(books: Books, signer: Signer, admin: Pool) -> None:
    await live(books)
    await seal_all(books.pool, signer)
    whole = await read_all(books)
    for kind in LeafKind:
        await point_at_nothing(admin, books.tenant.id, kind)
        with pytest.raises(LogBroken):
            await read_all(books)
        await point_at_nothing(admin, books.tenant.id, kind, is_undone=True)
    assert await read_all(books) == whole


async def point_at_nothing(admin: Pool, tenant_id: int, kind: LeafKind, *, is_undone: bool = False) -> None:
    """The last leaf of a kind gets one id more, which there is not; or loses it again."""
    change = "array_remove" if is_undone else "array_append"
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        done = await connection.execute(
            f"update payhub.log_leaves set ids = {change}(ids, $3) where tenant_id = $1 and kind = $2 and number ="
            " (select max(number) from payhub.log_leaves where tenant_id = $1 and kind = $2)",
            tenant_id,
            kind,
            NOTHING,
        )
    assert done == "UPDATE 1"


async def test_another_tenants_log_is_not_read(books: Books, other_tenant: Any, signer: Signer) -> None:
    await seal_all(books.pool, signer)
    async with in_tenant(books.pool, other_tenant.id) as connection:
        rows = await connection.fetch(
            "select * from log_leaves where tenant_id = $1 union all select * from log_leaves", books.tenant.id
        )
    assert {row["tenant_id"] for row in rows} <= {other_tenant.id}
    assert (await read_page(books.pool, Log(other_tenant.id, SOURCE, "BRL"), 0, 0, everything)).events == []

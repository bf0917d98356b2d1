"""Charges in the database: made once, paid or cancelled and never both, listed, and within their tenant."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal
from core.ledger.posting import post_payments
from core.nouns import PaymentStatus, SystemAccount
from core.payments import brcode
from core.payments.charges import (
    Asked,
    Charge,
    PixSettings,
    Status,
    cancel_charge,
    charge_in,
    code_of,
    create_charge,
    list_charges,
    read_charge,
    read_pix_settings,
    set_pix_settings,
)
from core.people.opening import Tenant
from tests.conftest import Books


def asked(payee: int, amount: int | None = 100, *, is_reusable: bool = False, lasts_s: int | None = None) -> Asked:
    return Asked(str(uuid.uuid4()), payee, amount, "Tea", "17", is_reusable, lasts_s)


async def make(books: Books, one: Asked) -> Charge:
    return await create_charge(books.pool, books.keys, books.tenant.id, books.people[0].person_id, one)


async def pay(books: Books, charge: Charge, amount: int = 100, payer: int = 1) -> int:
    payment = books.payment(payer, 0, amount)._replace(charge=charge.id)
    async with books.pool.acquire() as connection:
        (posting,) = await post_payments(connection, [payment])
    return posting.status


async def age(admin: Pool, charge: Charge) -> None:
    """As if its time were over."""
    await admin.execute("update charges set expires_at = clock_timestamp() where id = $1", charge.id)


async def test_a_charge_is_read_as_it_was_asked_for(books: Books) -> None:
    one = asked(books.account(0), lasts_s=60)
    charge = await make(books, one)
    assert charge[:6] == one[:6]
    assert (charge.status, charge.paid_count, charge.paid_amount, charge.name) == (Status.OPEN, 0, 0, "Person 0")
    assert charge.expires_at == charge.created_at + timedelta(seconds=60)
    assert await read_charge(books.pool, books.keys, books.tenant.id, charge.id) == charge
    assert (await make(books, asked(books.account(0)))).expires_at is None


async def test_one_id_is_one_charge_however_often_and_at_once_it_is_asked_for(books: Books) -> None:
    one = asked(books.account(0), lasts_s=60)
    made = await asyncio.gather(*(make(books, one) for _ in range(10)))
    assert set(made) == {made[0]}
    for field, value in (
        ("amount", 99),
        ("amount", None),
        ("description", None),
        ("reference", "18"),
        ("is_reusable", True),
        ("lasts_s", 61),
        ("lasts_s", None),
    ):
        other: dict[str, Any] = {field: value}
        with pytest.raises(Refusal) as refused:
            await make(books, one._replace(**other))
        assert (refused.value.code, refused.value.field) == ("conflict", field)
    with pytest.raises(Refusal) as refused:
        await make(books, one._replace(payee=books.account(1), amount=1))
    assert refused.value.field == "id"
    assert await read_charge(books.pool, books.keys, books.tenant.id, one.id) == made[0]


async def test_only_a_persons_account_can_be_charged_for(books: Books, other_tenant: Tenant) -> None:
    for account in (SystemAccount.CASH_IN, SystemAccount.FEES, 999_999_999_999):
        one = asked(account)
        with pytest.raises(NotFound):
            await make(books, one)
        with pytest.raises(NotFound):
            await read_charge(books.pool, books.keys, books.tenant.id, one.id)
    with pytest.raises(NotFound):
        await create_charge(books.pool, books.keys, other_tenant.id, books.people[0].person_id, asked(books.account(0)))


async def test_a_charge_that_is_paid_and_cancelled_at_once_is_one_of_both(books: Books) -> None:
    for _ in range(12):
        charge = await make(books, asked(books.account(0), 1))

        async def cancel(charge: Charge = charge) -> bool:
            try:
                return (
                    await cancel_charge(books.pool, books.keys, books.tenant.id, charge.id)
                ).status is Status.CANCELLED
            except Refusal:
                return False

        paid, cancelled = await asyncio.gather(pay(books, charge, 1), cancel())
        assert (paid == PaymentStatus.POSTED) is not cancelled
        if cancelled:
            assert paid == PaymentStatus.CHARGE_CLOSED
        after = await read_charge(books.pool, books.keys, books.tenant.id, charge.id)
        assert (after.status, after.paid_count) == ((Status.CANCELLED, 0) if cancelled else (Status.PAID, 1))


async def test_what_is_paid_stays_paid_and_what_is_cancelled_stays_cancelled(books: Books, admin: Pool) -> None:
    paid, cancelled, late = [await make(books, asked(books.account(0))) for _ in range(3)]
    assert await pay(books, paid) == PaymentStatus.POSTED
    with pytest.raises(Refusal) as refused:
        await cancel_charge(books.pool, books.keys, books.tenant.id, paid.id)
    assert refused.value.code == "charge_paid"
    for _ in range(2):
        assert (await cancel_charge(books.pool, books.keys, books.tenant.id, cancelled.id)).status is Status.CANCELLED
    assert await pay(books, cancelled) == PaymentStatus.CHARGE_CLOSED
    for charge in (paid, cancelled, late):
        await age(admin, charge)
    found = [
        (await read_charge(books.pool, books.keys, books.tenant.id, one.id)).status for one in (paid, cancelled, late)
    ]
    assert found == [Status.PAID, Status.CANCELLED, Status.EXPIRED]
    assert await pay(books, late) == PaymentStatus.CHARGE_EXPIRED
    # Its maker may still put it away.
    assert (await cancel_charge(books.pool, books.keys, books.tenant.id, late.id)).status is Status.CANCELLED


async def test_a_poster_is_paid_again_and_again_until_it_is_cancelled(books: Books) -> None:
    poster = await make(books, asked(books.account(0), None, is_reusable=True))
    assert [await pay(books, poster, amount) for amount in (5, 7)] == [PaymentStatus.POSTED] * 2
    seen = await read_charge(books.pool, books.keys, books.tenant.id, poster.id)
    assert (seen.status, seen.paid_count, seen.paid_amount) == (Status.OPEN, 2, 12)
    await cancel_charge(books.pool, books.keys, books.tenant.id, poster.id)
    assert await pay(books, poster, 5) == PaymentStatus.CHARGE_CLOSED


async def test_a_list_is_newest_first_page_by_page_and_of_one_status(books: Books, admin: Pool) -> None:
    made = [await make(books, asked(books.account(0), 1)) for _ in range(7)]
    await make(books, asked(books.account(1)))
    await pay(books, made[0], 1)
    await age(admin, made[0])
    await cancel_charge(books.pool, books.keys, books.tenant.id, made[1].id)
    await age(admin, made[2])

    async def ids(status: Status | None, before: str | None = None, limit: int = 50) -> list[int]:
        found = await list_charges(books.pool, books.keys, books.tenant.id, books.account(0), status, before, limit)
        assert all(one.name == "Person 0" for one in found)
        return [[one.id for one in made].index(one.id) for one in found]

    assert await ids(None) == [6, 5, 4, 3, 2, 1, 0]
    assert await ids(None, limit=3) == [6, 5, 4]
    assert await ids(None, made[4].id, 3) == [3, 2, 1]
    assert await ids(None, made[0].id) == []
    assert await ids(None, str(uuid.uuid4())) == []
    assert [await ids(status) for status in Status] == [[6, 5, 4, 3], [0], [1], [2]]
    assert await ids(Status.OPEN, made[5].id, 1) == [4]


async def test_charges_made_in_one_moment_are_each_listed_once(books: Books, admin: Pool) -> None:
    made = [await make(books, asked(books.account(0))) for _ in range(5)]
    await admin.execute("update charges set created_at = $1 where payee = $2", datetime.now(UTC), books.account(0))
    found: list[str] = []
    while page := await list_charges(
        books.pool, books.keys, books.tenant.id, books.account(0), None, found[-1] if found else None, 2
    ):
        found += [one.id for one in page]
    assert sorted(found) == sorted(one.id for one in made)
    assert len(found) == 5


async def test_another_tenant_sees_no_charge_and_cancels_none(books: Books, other_tenant: Tenant) -> None:
    charge = await make(books, asked(books.account(0)))
    for call in (read_charge, cancel_charge):
        with pytest.raises(NotFound):
            await call(books.pool, books.keys, other_tenant.id, charge.id)
    assert await list_charges(books.pool, books.keys, other_tenant.id, books.account(0), None, None, 50) == []
    assert (await read_charge(books.pool, books.keys, books.tenant.id, charge.id)).status is Status.OPEN


@pytest.mark.parametrize(
    "statement",
    [
        "update charges set paid_count = 1 where id = $1",
        "delete from charges where id = $1",
        "insert into charges (tenant_id, id, payee, is_reusable, asked_by, status)"
        " select tenant_id, gen_random_uuid(), payee, true, asked_by, 1 from charges where id = $1",
    ],
)
async def test_the_serving_role_cannot_say_that_a_charge_is_paid(books: Books, statement: str) -> None:
    charge = await make(books, asked(books.account(0)))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with in_tenant(books.pool, books.tenant.id) as connection:
            await connection.execute(statement, charge.id)


async def test_a_tenants_pix_key_is_used_if_a_code_can_hold_it(books: Books, admin: Pool) -> None:
    async def settings(key: str) -> PixSettings:
        await admin.execute(
            "update tenants set settings = jsonb_build_object('pix_key', $2::text, 'pix_city', 'Santos') where id = $1",
            books.tenant.id,
            key,
        )
        return await read_pix_settings(books.pool, books.tenant.id)

    assert await read_pix_settings(books.pool, books.tenant.id) == PixSettings(None, "BRASILIA")
    assert await settings("+5511999999999") == PixSettings("+5511999999999", "Santos")
    for bad in ("", "chave única", "k" * 78):
        assert (await settings(bad)).key is None


LINK = "https://pay.example/c/demo/{}"


async def test_what_is_paid_once_has_a_dynamic_code_and_a_poster_a_static_one(books: Books) -> None:
    settings = PixSettings("pix@example.com", "Santos")
    bill = await make(books, asked(books.account(0)))
    code = brcode.read(code_of(bill, LINK.format(bill.id), "Demo", settings))
    assert (code.url, code.key, code.is_once) == (f"pay.example/c/demo/{bill.id}", None, True)
    assert (code.name, code.city, code.amount, code.txid) == ("PERSON 0", "SANTOS", 100, "***")
    poster = await make(books, asked(books.account(0), None, is_reusable=True))
    code = brcode.read(code_of(poster, LINK.format(poster.id), "Demo", settings))
    assert (code.key, code.url, code.is_once, code.amount, code.info) == ("pix@example.com", None, False, None, "TEA")
    assert brcode.from_txid(code.txid) == poster.id
    code = brcode.read(code_of(poster._replace(name=None), LINK.format(poster.id), "Demo", PixSettings(None, "S")))
    assert (code.key, code.name) == (poster.id, "DEMO")


@pytest.mark.parametrize("host", ["", "https://" + "long." * 9 + "example", "https://açaí.example"])
async def test_a_link_that_no_code_can_hold_makes_it_static_and_still_once(books: Books, host: str) -> None:
    bill = await make(books, asked(books.account(0)))
    code = brcode.read(code_of(bill, f"{host}/c/demo/{bill.id}", "Demo", PixSettings(None, "S")))
    assert (code.key, code.url, code.is_once) == (bill.id, None, True)
    assert brcode.from_txid(code.txid) == bill.id


async def test_a_scanned_text_leads_to_its_charge(books: Books) -> None:
    settings = PixSettings(None, "Santos")
    for is_reusable in (False, True):
        one = await make(books, asked(books.account(0), is_reusable=is_reusable))
        link = LINK.format(one.id)
        for text in (link, f" {link}\n", link.replace("https", "HTTP"), code_of(one, link, "Demo", settings)):
            assert charge_in(text, "demo") == one.id
    foreign = LINK.format(uuid.uuid4()).replace("/demo/", "/other/")
    for text in (foreign, LINK.format("x"), LINK.format(uuid.uuid4()) + "/", "https://pay.example/", "https://x"):
        assert charge_in(text, "demo") is None
    other_bank = brcode.write(brcode.Code("A", "B", key="someone@example.com", txid="INVOICE17"))
    assert charge_in(other_bank, "demo") is None
    assert charge_in(brcode.write(brcode.Code("A", "B", url="pix.bank.example/qr/v2/1")), "demo") is None
    for text in ("", "ftp://pay.example", "hello", "000201"):
        with pytest.raises(Refusal) as refused:
            charge_in(text, "demo")
        assert refused.value.code == "code_damaged"


async def test_a_tenants_pix_key_and_city_are_set_by_the_administrator(admin: Pool, pool: Pool, tenant: Tenant) -> None:
    await set_pix_settings(admin, tenant.slug, "+5511999990000", "São Paulo")
    assert await read_pix_settings(pool, tenant.id) == ("+5511999990000", "SAO PAULO")
    for key, city in (("", "X"), ("a b", "X"), ("x" * 78, "X"), ("k", "")):
        with pytest.raises(ValueError, match="Pix key"):
            await set_pix_settings(admin, tenant.slug, key, city)
    with pytest.raises(NotFound):
        await set_pix_settings(admin, "nobody-here", "k", "X")

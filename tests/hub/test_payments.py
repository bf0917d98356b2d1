"""Paying over sockets: each id once, whatever is repeated, raced or malformed."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.database import Pool
from core.ledger.reading import read_account
from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.stranger import MSGPACK, Stranger, Wire


async def balance(pool: Pool, tenant: Tenant, account: int) -> int:
    found = await read_account(pool, tenant.id, account)
    assert found is not None
    return found.balance


AMOUNTS = {
    "NaN": "NaN",
    "infinity": "Infinity",
    "1e400": "1e400",
    "minus zero": "-0.0",
    "a float": "1.5",
    "a whole float": "100.0",
    "an exponent": "1e2",
    "a bool": "true",
    "a text": '"1e3"',
    "arabic digits": '"\u0661\u0660\u0660"',
    "10^30": "1" + "0" * 30,
    "2^63": str(2**63),
    "minus one": "-1",
    "zero": "0",
    "more than there may be": str(10**13 + 1),
    "null": "null",
    "a list": "[1]",
    "hexadecimal": "0x10",
    "a leading zero": "01",
    "a plus": "+1",
}


async def test_only_a_whole_number_of_minor_units_in_range_is_an_amount(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    payer, payee = await enter(tenant, funds=1000), await enter(tenant)
    for name, spelled in AMOUNTS.items():
        client = await join(hubs.a, payer)
        body = {
            "type": "pay",
            "id": 9,
            "payment": str(uuid.uuid4()),
            "payer": payer.account,
            "payee": payee.account,
            "amount": "X",
        }
        await client.connection.send(json.dumps(body).replace('"X"', spelled))
        answer = await client.receive()
        assert answer["type"] == "error", name
        assert answer["code"] in {"invalid_field", "malformed"}, name
        if answer["code"] == "invalid_field":
            assert answer["field"] == "amount", name
            assert answer.get("id", 9) == 9, name
        await client.connection.close()
    binary = await join(hubs.a, payer, MSGPACK)
    for amount in (
        float("nan"),
        float("inf"),
        -0.0,
        1.0,
        100.0,
        True,
        None,
        2**63,
        2**64 - 1,
        -1,
        0,
        "1",
        b"1",
        [1],
    ):
        answer = await binary.pay(payer.account, payee.account, amount)  # type: ignore[arg-type]
        assert (answer.get("code"), answer.get("field")) == ("invalid_field", "amount"), amount
        await binary.ask("ping")  # a good message between, so that the tenth bad one does not end it
    assert await balance(pool, tenant, payer.account) == 1000


@pytest.mark.parametrize(
    "text",
    ["a\r\nb", "\x1b[31m", "\u202etxt.exe", "\x00", "\x7f", "\u2028", "\u2066", "x" * 141, "", "\x85"],
)
async def test_a_description_is_one_harmless_line(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, text: str
) -> None:
    somebody, other = await enter(tenant, funds=10), await enter(tenant)
    for subprotocol in ("payhub.v1.json", MSGPACK):
        client = await join(hubs.a, somebody, subprotocol)
        answer = await client.pay(somebody.account, other.account, 1, description=text)
        assert (answer["code"], answer["field"]) == ("invalid_field", "description")


async def test_a_lone_surrogate_is_no_text(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    somebody, other = await enter(tenant, funds=10), await enter(tenant)
    client = await join(hubs.a, somebody)
    body = {"payment": str(uuid.uuid4()), "payer": somebody.account, "payee": other.account, "amount": 1}
    await client.send({"type": "pay", "id": 1, **body, "description": "\ud800"})
    answer = await client.receive()
    assert (answer["type"], answer["code"]) == ("error", "malformed")


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        "'; drop table payments; --",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "%00../",
        "=cmd|' /C calc'!A0",
        "x" * 140,
        "éß中",
    ],
)
async def test_text_that_only_looks_dangerous_is_kept_as_it_is(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, text: str
) -> None:
    somebody, other = await enter(tenant, funds=10), await enter(tenant)
    payer, payee = await join(hubs.a, somebody), await join(hubs.b, other, MSGPACK)
    await payee.ask("follow", account=other.account)
    assert (await payer.pay(somebody.account, other.account, 1, description=text))["status"] == "posted"
    (event,) = await payee.events(1)
    assert event["description"] == text
    page = await payee.ask("history", account=other.account)
    assert page["entries"][0]["description"] == text


async def test_the_same_id_again_answers_the_same_on_every_hub(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    somebody, other = await enter(tenant, funds=10), await enter(tenant)
    a, b = await join(hubs.a, somebody), await join(hubs.b, somebody)
    payment = str(uuid.uuid4())
    first = await a.pay(somebody.account, other.account, 3, payment, description="one")
    again = await b.pay(somebody.account, other.account, 3, payment, description="one")
    assert first["status"] == "posted"
    # A receipt comes with the first answer; later, read_proof gives it.
    assert first.pop("receipt")
    assert {**again, "id": 0} == {**first, "id": 0}


async def test_the_same_id_with_another_body_is_refused_and_names_the_field(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    operator, other, third = (
        await enter(tenant, Role.OPERATOR, funds=10),
        await enter(tenant, funds=10),
        await enter(tenant),
    )
    client = await join(hubs.a, operator)
    payment = str(uuid.uuid4())
    await client.pay(operator.account, other.account, 3, payment, description="one")
    for payer, payee, amount, description, field in (
        (operator.account, other.account, 4, "one", "amount"),
        (operator.account, third.account, 3, "one", "payee"),
        (other.account, operator.account, 3, "one", "payer"),
        (operator.account, other.account, 3, "two", "description"),
    ):
        answer = await client.pay(payer, payee, amount, payment, description=description)
        assert answer["status"] == f"exists_with_different_{field}"
        assert "balance" not in answer
    assert await balance(pool, tenant, operator.account) == 7


async def test_the_same_id_in_another_tenant_is_another_payment(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    payment = str(uuid.uuid4())
    for one in (tenant, other_tenant):
        payer, payee = await enter(one, funds=10), await enter(one)
        client = await join(hubs.a, payer)
        answer = await client.pay(payer.account, payee.account, 1, payment)
        assert (answer["status"], answer["balance"]) == ("posted", 9)


async def test_a_hundred_copies_at_once_over_two_hubs_move_money_once(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    clients = [await join(hub, payer) for hub in (hubs.a, hubs.b) for _ in range(5)]
    payment = str(uuid.uuid4())

    body = {"payment": payment, "payer": payer.account, "payee": payee.account, "amount": 7}

    async def copies(client: Stranger) -> list[Wire]:
        return [await client.answer(id_) for id_ in [await client.submit("pay", **body) for _ in range(10)]]

    answers = [answer for some in await asyncio.gather(*map(copies, clients)) for answer in some]
    assert len(answers) == 100
    assert len([answer.pop("receipt") for answer in answers if "receipt" in answer]) == 1
    assert {json.dumps({**answer, "id": 0}, sort_keys=True) for answer in answers} == {
        json.dumps({**answers[0], "id": 0, "status": "posted", "balance": 93}, sort_keys=True)
    }
    assert await balance(pool, tenant, payee.account) == 7


async def test_a_balance_for_exactly_forty_payments_makes_exactly_forty(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    payer, payee = await enter(tenant, funds=40 * 5), await enter(tenant)
    clients = [await join(hub, payer) for hub in (hubs.a, hubs.b) for _ in range(4)]

    async def spend(client: Stranger) -> list[str]:
        return [(await client.pay(payer.account, payee.account, 5))["status"] for _ in range(25)]

    statuses = [status for some in await asyncio.gather(*map(spend, clients)) for status in some]
    assert (statuses.count("posted"), statuses.count("insufficient_funds")) == (40, 160)
    assert await balance(pool, tenant, payer.account) == 0


async def test_paying_yourself_or_nobody_is_declined(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    somebody = await enter(tenant, funds=10)
    client = await join(hubs.a, somebody)
    assert (await client.pay(somebody.account, somebody.account, 1))["status"] == "accounts_must_differ"
    assert (await client.pay(somebody.account, 99_999_999, 1))["status"] == "payee_not_found"


async def test_a_field_that_stands_twice_is_refused(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    somebody, other = await enter(tenant, funds=100), await enter(tenant)
    client = await join(hubs.a, somebody)
    text = json.dumps(
        {
            "type": "pay",
            "id": 4,
            "payment": str(uuid.uuid4()),
            "payer": somebody.account,
            "payee": other.account,
            "amount": 1,
        }
    )
    await client.connection.send(text[:-1] + ', "amount": 100}')
    answer = await client.receive()
    assert (answer["code"], answer["id"]) == ("duplicate_field", 4)
    assert await client.closed() == 4502


@pytest.mark.parametrize(
    "extra", [{"tenant": 1}, {"tenant_id": 1}, {"asked_by": "x"}, {"currency": "usd"}, {"status": "posted"}]
)
async def test_nobody_can_say_more_than_a_payment_holds(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, extra: dict[str, Any]
) -> None:
    somebody, other = await enter(tenant, funds=100), await enter(tenant)
    client = await join(hubs.a, somebody)
    answer = await client.pay(somebody.account, other.account, 1, **extra)
    assert (answer["code"], answer["field"]) == ("invalid_field", next(iter(extra)))


async def test_ten_bad_messages_in_a_row_end_the_connection_and_nine_do_not(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    client = await join(hubs.a, await enter(tenant))
    for _ in range(9):
        assert (await client.ask("nonsense"))["code"] == "unknown_type"
    assert (await client.ask("ping"))["type"] == "pong"
    for _ in range(10):
        assert (await client.ask("nonsense"))["code"] == "unknown_type"
    assert await client.closed() == 4502


DAY_MS = 86_400_000


@pytest.mark.parametrize("ahead_ms", [-DAY_MS, 365 * DAY_MS, 0], ids=["a day behind", "a year ahead", "right"])
async def test_a_clients_clock_has_no_say_in_when_a_payment_was_made(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, ahead_ms: int
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    client = await join(hubs.a, payer)
    now = datetime.now(UTC)
    # Version 7 begins with the client's clock.
    moment = int(now.timestamp() * 1000) + ahead_ms
    payment = str(uuid.UUID(int=moment << 80 | 0x7 << 76 | 0x2 << 62 | uuid.uuid4().int & (1 << 62) - 1))
    answer = await client.pay(payer.account, payee.account, 1, payment)
    assert answer["status"] == "posted"
    assert abs(datetime.fromisoformat(answer["at"]) - now) < timedelta(seconds=30)
    # Nor can it say so itself.
    claimed = await client.pay(payer.account, payee.account, 1, at="2030-01-01T00:00:00Z")
    assert claimed["type"] == "error"
    history = await client.ask("history", account=payer.account)
    assert [entry["payment"] for entry in history["entries"]].count(payment) == 1
    assert len(history["entries"]) == 2

"""Steps of payments' lives at the door: who may take them, what each side sees, and what is refused before it counts."""

import asyncio
import json
import math
import uuid
from typing import Any

import httpx2
import msgpack  # type: ignore[import-untyped]
import pytest

from core.nouns import GROUP_SIZE_MAX, SHARES_MAX
from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join, Somebody
from tests.hub.stranger import JSON, MSGPACK, Stranger, Wire


def new() -> str:
    return str(uuid.uuid4())


async def authorize(client: Stranger, payer: Somebody, payee: Somebody, amount: int, **more: Any) -> Wire:
    return await client.ask("authorize", payment=new(), payer=payer.account, payee=payee.account, amount=amount, **more)


async def test_both_sides_see_a_hold_and_its_capture_and_each_its_own_balance(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    payer, shop = await enter(tenant, funds=1_000), await enter(tenant, Role.MERCHANT, funds=7)
    paying, selling = await join(hubs.a, payer, MSGPACK), await join(hubs.b, shop)
    for client, who in ((paying, payer), (selling, shop)):
        await client.ask("follow", account=who.account)
    held = await authorize(paying, payer, shop, 300, description="Room 12", metadata={"room": "12"})
    assert (held["balance"], held["held"]) == (1_000, 300)
    balance = await paying.ask("balance", account=payer.account)
    assert (balance["posted"], balance["held"], balance["available"]) == (1_000, 300, 700)
    captured = await selling.ask("capture", payment=new(), about=held["payment"], amount=100)
    # The shop is told of its own account, not of the payer's.
    assert (captured["status"], captured["balance"], "held" in captured) == ("posted", 107, False)
    placed, taken = await paying.events(2)
    assert (placed["what"], placed["amount"], placed["hold"], placed["held"]) == ("hold.placed", 0, 300, 300)
    assert placed["metadata"] == {"room": "12"}
    assert (taken["what"], taken["amount"], taken["hold"], taken["held"]) == ("hold.captured", -100, -100, 200)
    assert taken["about"] == held["payment"]
    seen = await selling.events(2)
    assert [(one["what"], one["amount"], "held" in one) for one in seen] == [
        ("hold.placed", 0, False),
        ("hold.captured", 100, False),
    ]
    # Read later, it is the same.
    history = await selling.ask("history", account=shop.account, limit=2)
    assert [entry["what"] for entry in history["entries"]] == ["hold.captured", "hold.placed"]


async def test_a_lost_answer_of_a_step_comes_back_with_the_askers_side(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    payer, shop = await enter(tenant, funds=1_000), await enter(tenant, Role.MERCHANT, funds=7)
    paying, selling = await join(hubs.a, payer), await join(hubs.b, shop)
    held = await authorize(paying, payer, shop, 300)
    captured = await selling.ask("capture", payment=new(), about=held["payment"], amount=100)
    settled = (await selling.ask("resume", in_doubt=[captured["payment"]]))["settled"]
    assert [(one["status"], one["balance"], one["number"]) for one in settled] == [
        ("posted", captured["balance"], captured["number"])
    ]


async def test_only_the_payee_goes_on_with_a_payment_and_only_an_operator_undoes_it(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    payer, shop, stranger = await enter(tenant, funds=500), await enter(tenant, Role.MERCHANT), await enter(tenant)
    paying, selling, beside = [await join(hubs.a, who) for who in (payer, shop, stranger)]
    held = (await authorize(paying, payer, shop, 100))["payment"]
    paid = (await paying.pay(payer.account, shop.account, 50))["payment"]
    steps: list[tuple[str, dict[str, Any]]] = [
        ("capture", {"about": held, "amount": 10}),
        ("void", {"about": held}),
        ("refund", {"about": paid, "amount": 10}),
        ("reverse", {"about": paid}),
        ("release", {"about": held}),
        ("decline", {"about": held}),
    ]
    for type_, fields in steps:
        assert (await paying.ask(type_, payment=new(), **fields))["code"] == "forbidden", type_
        answer = await beside.ask(type_, payment=new(), **fields)
        nothing = await beside.ask(type_, payment=new(), **{**fields, "about": new()})
        assert {**answer, "id": 0} == {**nothing, "id": 0}, type_
        # What is an operator's alone is told before it is looked for.
        assert answer["code"] == ("forbidden" if type_ in {"reverse", "release", "decline"} else "not_found")
    for type_ in ("reverse", "release", "decline"):
        assert (await selling.ask(type_, payment=new(), about=paid))["code"] == "forbidden"
    assert (await authorize(beside, payer, shop, 10))["code"] == "not_found"


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPERATOR])
async def test_another_tenants_ids_answer_like_none_in_every_new_command(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, role: Role
) -> None:
    me = await enter(tenant, role, funds=100)
    they, shop = await enter(other_tenant, funds=500), await enter(other_tenant, Role.MERCHANT)
    there, here = await join(hubs.a, they), await join(hubs.b, me)
    held = (await authorize(there, they, shop, 100))["payment"]
    charge = new()
    await (await join(hubs.a, shop)).ask("create_charge", charge=charge, payee=shop.account)
    schedule = new()
    await there.ask(
        "create_schedule",
        schedule=schedule,
        payer=they.account,
        payee=shop.account,
        amount=1,
        rule="once",
        first_on="2090-01-01",
    )

    def asked(payment: str, account: int, charge: str, schedule: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("capture", {"payment": new(), "about": payment, "amount": 1}),
            ("void", {"payment": new(), "about": payment}),
            ("refund", {"payment": new(), "about": payment, "amount": 1}),
            ("read_payment", {"payment": payment}),
            ("open_dispute", {"dispute": new(), "payment": payment, "reason": "fraud"}),
            ("authorize", {"payment": new(), "payer": account, "payee": me.account, "amount": 1}),
            ("authorize", {"payment": new(), "payer": me.account, "payee": account, "amount": 1}),
            ("balance_at", {"account": account, "at": "2026-01-01T00:00:00Z"}),
            ("search", {"account": account}),
            ("totals", {"account": account, "from_at": "2026-01-01T00:00:00Z", "to_at": "2026-01-02T00:00:00Z"}),
            ("account_metadata", {"account": account}),
            ("own_limits", {"account": account}),
            ("set_own_limit", {"account": account, "measure": "day", "max": 1}),
            ("list_payee", {"account": account, "payee": me.account, "listing": "denied"}),
            ("put_under_terms", {"account": account}),
            ("put_under_limits", {"account": account}),
            ("charge", {"charge": charge}),
            ("cancel_charge", {"charge": charge}),
            ("schedule", {"schedule": schedule}),
            ("cancel_schedule", {"schedule": schedule}),
            ("link", {"parts": [{"type": "void", "payment": new(), "about": payment}]}),
            (
                "dry_run",
                {"parts": [{"type": "pay", "payment": new(), "payer": me.account, "payee": account, "amount": 1}]},
            ),
        ]

    def bare(answer: Wire) -> Wire:
        for echo in ("id", "payment", "at", "account", "payments", "entries"):
            answer.pop(echo, None)
        return answer

    real = asked(held, they.account, charge, schedule)
    absent = asked(new(), 987_654_321_000, new(), new())
    for (type_, fields), (_, others) in zip(real, absent, strict=True):
        assert bare(await here.ask(type_, **fields)) == bare(await here.ask(type_, **others)), type_


AMOUNTS = [math.nan, math.inf, -0.0, 1.0, True, "1e3", "\u0661\u0660\u0660", 10**30, 2**63, -1, 0, 0.001, None]


@pytest.mark.parametrize("type_", ["authorize", "capture", "refund"])
async def test_only_a_whole_number_in_range_is_an_amount_of_a_step(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, type_: str
) -> None:
    me, shop = await enter(tenant, funds=100), await enter(tenant)
    client = await join(hubs.a, me)
    for bad in AMOUNTS:
        fields: dict[str, Any] = {"payment": new(), "amount": bad}
        fields |= {"payer": me.account, "payee": shop.account} if type_ == "authorize" else {"about": new()}
        if isinstance(bad, float) and not math.isfinite(bad):
            continue  # JSON has no such number; what is sent in its place is no message
        answer = await client.ask(type_, **fields)
        assert (answer["code"], answer["field"]) == ("invalid_field", "amount"), bad
        await client.ask("ping")


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
async def test_a_key_that_stands_twice_anywhere_in_a_message_is_refused(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, subprotocol: str
) -> None:
    me, shop = await enter(tenant, funds=100), await enter(tenant)
    part = {"type": "pay", "payment": new(), "payer": me.account, "payee": shop.account, "amount": 1}
    if subprotocol == JSON:
        text = json.dumps({"type": "link", "id": 7, "parts": [part]})
        twice: Any = text.replace('"amount": 1', '"amount": 1, "amount": 90')
        words = json.dumps({**part, "id": 8, "metadata": {"a": "b"}}).replace('"a": "b"', '"a": "b", "a": "c"')
    else:
        pairs = b"".join(msgpack.packb(one) for pair in part.items() for one in pair)
        body = bytes((0x80 | (len(part) + 1),)) + pairs + msgpack.packb("amount") + msgpack.packb(90)
        twice = b"\x83" + msgpack.packb("type") + msgpack.packb("link") + msgpack.packb("id") + b"\x07"
        twice += msgpack.packb("parts") + b"\x91" + body
        words = bytes((0x80 | (len(part) + 2),)) + pairs + msgpack.packb("id") + b"\x08" + msgpack.packb("metadata")
        words += b"\x82" + msgpack.packb("a") + msgpack.packb("b") + msgpack.packb("a") + msgpack.packb("c")
    for bad in (twice, words):
        client = await join(hubs.a, me, subprotocol)
        await client.connection.send(bad)
        assert (await client.receive())["code"] == "duplicate_field"
    assert (await (await join(hubs.a, me)).ask("balance", account=me.account))["posted"] == 100


async def test_what_is_linked_or_shared_has_a_bound(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    me, shop = await enter(tenant, funds=100_000), await enter(tenant)
    client = await join(hubs.a, me)

    def part(**more: Any) -> dict[str, Any]:
        return {"type": "pay", "payment": new(), "payer": me.account, "payee": shop.account, "amount": 1, **more}

    for type_ in ("link", "dry_run"):
        answer = await client.ask(type_, parts=[part() for _ in range(GROUP_SIZE_MAX)])
        assert answer["type"] in {"linked", "tried"}
        for parts in ([], [part() for _ in range(GROUP_SIZE_MAX + 1)]):
            answer = await client.ask(type_, parts=parts)
            assert (answer["code"], answer["field"]) == ("invalid_field", "parts")
    shares = [[at, 1] for at in range(1, SHARES_MAX + 2)]
    answer = await client.pay(me.account, shop.account, 100, shares=shares)
    assert (answer["code"], answer["field"]) == ("invalid_field", "shares")
    for metadata in (
        {},
        {"a b": "c"},
        {"a": 1},
        {"a": "x" * 201},
        {str(at): "x" for at in range(21)},
        {"a": {"b": "c"}},
    ):
        answer = await client.pay(me.account, shop.account, 1, metadata=metadata)
        assert answer["code"] == "invalid_field", metadata
        await client.ask("ping")


async def test_a_dry_run_tells_balances_of_ones_own_accounts_alone(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    me, shop = await enter(tenant, funds=100), await enter(tenant, funds=7_777)
    client = await join(hubs.a, me)
    part = {"type": "pay", "payment": new(), "payer": me.account, "payee": shop.account, "amount": 40}
    tried = await client.ask("dry_run", parts=[part])
    mine, theirs = tried["entries"]
    assert (mine["amount"], mine["balance"], mine["number"]) == (-40, 60, 2)
    assert (theirs["amount"], "balance" in theirs, "number" in theirs) == (40, False, False)
    assert (await client.ask("balance", account=me.account))["posted"] == 100


async def test_a_payment_in_review_is_told_with_202_and_an_operator_hears_of_it(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    me, shop = await enter(tenant, funds=500), await enter(tenant, Role.MERCHANT)
    operator, watcher = await enter(tenant, Role.OPERATOR), await enter(tenant, Role.OPERATOR)
    operating, watching = await join(hubs.a, operator), await join(hubs.b, watcher)
    await operating.ask("set_limits", limits=1, name="People")
    await operating.ask("set_rule", rule=4, limits=1, name="Large", measure="payment", max=100, action="review")
    await operating.ask("put_under_limits", account=me.account, limits=1)
    await watching.ask("alerts", watch=True)
    body = {"payment": new(), "payer": me.account, "payee": shop.account, "amount": 101}
    answer = await web.post(f"{hubs.a.url}/v1/payments", json=body, headers={"authorization": f"Bearer {me.token}"})
    assert (answer.status_code, answer.json()["status"], answer.json()["held"]) == (202, "in_review", 101)
    async with asyncio.timeout(10):
        while (heard := await watching.receive())["type"] != "alert":
            pass
    assert (heard["payment"], heard["rule"], heard["action"]) == (body["payment"], 4, "review")
    paying = await join(hubs.a, me)
    for type_, fields in (
        ("alerts", {"watch": True}),
        ("reviews", {}),
        ("rules", {}),
        ("changes", {}),
        ("set_limits", {"limits": 1, "name": "Mine"}),
        ("set_rule", {"rule": 4, "limits": 1, "name": "x", "measure": "payment", "max": 10**9, "action": "alert"}),
        ("put_under_limits", {"account": me.account}),
        ("set_terms", {"terms": 1, "name": "x"}),
        ("put_under_terms", {"account": me.account}),
        ("list_payee", {"payee": shop.account, "listing": "allowed"}),
        ("find_accounts", {"key": "a", "value": "b"}),
    ):
        assert (await paying.ask(type_, **fields))["code"] == "forbidden", type_


async def test_a_life_of_many_steps_is_read_page_by_page(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    payer, shop = await enter(tenant, funds=1_000), await enter(tenant, Role.MERCHANT)
    client = await join(hubs.a, shop)
    held = await authorize(await join(hubs.a, payer), payer, shop, 500)
    captures = [
        (await client.ask("capture", payment=new(), about=held["payment"], amount=amount))["payment"]
        for amount in range(1, 8)
    ]
    read: list[str] = []
    pages = 0
    more: dict[str, Any] = {}
    while True:
        page = await client.ask("read_payment", payment=held["payment"], limit=3, **more)
        read += [step["payment"] for step in page["steps"]]
        pages += 1
        if "next_step" not in page:
            break
        more = {"after": page["next_after"], "after_step": page["next_step"]}
    assert (read, pages) == (captures, 3)
    assert page["life"]["captured"] == 28


async def test_the_same_step_a_hundred_times_over_two_hubs_is_one_step(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    payer, shop = await enter(tenant, funds=1_000), await enter(tenant, Role.MERCHANT)
    clients = [await join(hub, shop) for hub in (hubs.a, hubs.b)]
    held = await authorize(await join(hubs.a, payer), payer, shop, 500)
    capture = {"payment": new(), "about": held["payment"], "amount": 200}
    answers = await asyncio.gather(
        *(asyncio.create_task(_ask_many(client, "capture", capture, 50)) for client in clients)
    )
    told = [{**answer, "id": 0} for batch in answers for answer in batch]
    assert len([answer.pop("receipt") for answer in told if "receipt" in answer]) == 1
    assert all(answer == told[0] for answer in told)
    assert told[0]["status"] == "posted"
    balance = await clients[0].ask("balance", account=shop.account)
    assert balance["posted"] == 200


async def _ask_many(client: Stranger, type_: str, fields: dict[str, Any], times: int) -> list[Wire]:
    ids = [await client.submit(type_, **fields) for _ in range(times)]
    return [await client.answer(id_) for id_ in ids]

"""What hub/protocol/oversight.py promises, asked for at both doors: of a tenant whose people are on two hubs."""

import asyncio
from typing import Any

from core.audit.trail import read_trail
from core.outside import Outside
from core.people.persons import Role
from tests.core.webhooks.receiver import Receiver
from tests.hub.contracts.contract import Contract
from tests.hub.contracts.rooms import watchful_account
from workers.webhooks.bringing import Bringing


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    receiver = await Receiver().start()
    worker = Bringing(contract.pool, contract.keys, Outside(["127.0.0.0/8"]), share_max=100.0)
    try:
        await _explain(contract, receiver, worker)
    finally:
        await worker.close()
        await receiver.stop()
    await _list_holds(contract)
    await _inspect(contract)


async def _explain(contract: Contract, receiver: Receiver, worker: Bringing) -> None:
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    payer = await contract.enter(contract.tenant, funds=10_000)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    paying, selling = await contract.join(contract.hubs.a, payer), await contract.join(contract.hubs.b, shop)
    watching = await contract.join(contract.hubs.a, operator)
    await watchful_account(contract, operator, payer.account, above=900)
    await contract.ask(selling, "create_webhook", url=receiver.url())
    payment = contract.id()
    paid = await contract.ask(
        paying, "pay", payment=payment, payer=payer.account, payee=shop.account, amount=1_000, description="Two chairs"
    )
    assert paid["status"] == "in_review"
    await contract.ask(watching, "release", payment=contract.id(), about=payment)
    refused = await contract.ask(selling, "refund", payment=contract.id(), about=payment, amount=1_001)
    assert refused["status"] == "refund_exceeds_captured"
    await contract.ask(selling, "refund", payment=contract.id(), about=payment, amount=100)
    dispute = contract.id()
    disputed = await contract.ask(paying, "open_dispute", dispute=dispute, payment=payment, reason="fraud")
    assert disputed["dispute"]["held"] == 900
    async with asyncio.timeout(20):
        while not receiver.taken:
            await worker.look()
            await worker.settle()

    told = await contract.ask(watching, "explain_payment", payment=payment)
    steps = [(one["kind"], one["status"], one["asked_by"]) for one in told["taken"]]
    assert steps[:4] == [
        ("pay", "in_review", payer.person),
        ("release", "posted", operator.person),
        ("refund", "refund_exceeds_captured", shop.person),
        ("refund", "posted", shop.person),
    ]
    assert {(one["account"], one["entry"]["what"]) for one in told["entries"]} >= {
        (payer.account, "review.opened"),
        (shop.account, "review.released"),
        (shop.account, "refund.sent"),
        (payer.account, "refund.received"),
    }
    assert told["entries"][0]["entry"]["description"] == "Two chairs"
    assert {one["account"]: one["person"] for one in told["owners"]} == {
        payer.account: payer.person,
        shop.account: shop.person,
    }
    assert [(one["action"], one["measured"], one["max"]) for one in told["decisions"]] == [("review", 1_000, 900)]
    assert told["disputes"] == [dispute]
    assert ("dispute_opened", shop.person) in {(one["kind"], one["person"]) for one in told["told"]}
    assert {one["code"] for one in told["hooked"]} == {"taken"}
    path = "/v1/payments/{payment}/explanation"
    over_http = await contract.http(operator, "GET", path, payment=payment)
    assert over_http.body["taken"] == told["taken"]
    auditor = await contract.enter(contract.tenant, Role.AUDITOR)
    assert (await contract.http(auditor, "GET", path, payment=payment)).body["disputes"] == [dispute]
    assert (await contract.http(payer, "GET", path, payment=payment)).status == 403
    assert (await contract.http(operator, "GET", path, payment=contract.id())).status == 404


async def _list_holds(contract: Contract) -> None:
    payer, hotel = await contract.enter(contract.tenant, funds=1_000), await contract.enter(contract.tenant)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    paying, watching = await contract.join(contract.hubs.a, payer), await contract.join(contract.hubs.b, operator)
    ids = [contract.id() for _ in range(3)]
    for number, payment in enumerate(ids):
        held = await contract.ask(
            paying,
            "authorize",
            payment=payment,
            payer=payer.account,
            payee=hotel.account,
            amount=100,
            lasts_s=3_600 * (number + 1),
        )
        assert held["status"] == "posted"
    page = await contract.ask(watching, "holds", limit=2)
    assert [(one["payment"], one["held"]) for one in page["holds"]] == [(ids[0], 100), (ids[1], 100)]
    query = f"after={page['next_after']}&after_payment={page['next_payment']}"
    rest = (await contract.http(operator, "GET", "/v1/holds", query=query)).body
    assert ([one["payment"] for one in rest["holds"]], "next_after" in rest) == ([ids[2]], False)

    await contract.ask(watching, "set_limits", limits=3, name="Guests")
    await contract.ask(watching, "set_terms", terms=4, name="Hotels", fee_ppm=10_000)
    await contract.ask(watching, "put_under_limits", account=hotel.account, limits=3)
    await contract.ask(watching, "put_under_terms", account=hotel.account, terms=4)
    under = await contract.ask(watching, "account_conditions", account=hotel.account)
    assert (under["person"], under["limits"], under["terms"]) == (hotel.person, 3, 4)
    path = "/v1/accounts/{account}/conditions"
    assert "limits" not in (await contract.http(operator, "GET", path, account=payer.account)).body
    assert "person" not in (await contract.http(operator, "GET", path, account=3)).body


async def _inspect(contract: Contract) -> None:
    payer, payee = await contract.enter(contract.tenant, funds=1_000), await contract.enter(contract.tenant)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    paying, watching = await contract.join(contract.hubs.b, payer), await contract.join(contract.hubs.a, operator)
    leaving = await contract.join(contract.hubs.b, payee)
    await leaving.connection.close()
    begun = await contract.ask(watching, "traffic", watch=True)
    assert (begun["hubs"], begun["hubs_known"]) == (2, 2)
    # Of a hub that nobody watched at: it is asked, or says so itself.
    for amount in (1, 2, 5_000):
        await contract.ask(
            paying, "pay", payment=contract.id(), payer=payer.account, payee=payee.account, amount=amount
        )
    counts: dict[str, int] = {}
    while "insufficient_funds" not in counts or counts["posted"] < 2:
        second = await _next_second(contract, watching)
        assert (second["hubs_known"], second["sessions"] >= 2) == (2, True)
        for status, count in second["second"]["counts"].items():
            counts[status] = counts.get(status, 0) + count
            assert second["second"]["p99_us"] >= second["second"]["p50_us"] > 0
    assert counts["insufficient_funds"] == 1
    past = (await contract.http(operator, "GET", "/v1/traffic")).body
    assert sum(one["counts"].get("insufficient_funds", 0) for one in past["seconds"]) == 1
    await contract.ask(watching, "traffic", watch=False)

    told = await contract.ask(watching, "connections")
    assert (told["hubs"], {payer.person, operator.person} <= {one["person"] for one in told["connected"]}) == (2, True)
    assert payee.person in {one["person"] for one in told["departures"]}
    of_payer = (await contract.http(operator, "GET", "/v1/connections", query=f"person={payer.person}")).body
    assert ([one["door"] for one in of_payer["connected"]], of_payer["total"]) == (["native"], 1)
    written = await read_trail(contract.pool, contract.tenant.id, 1, what="personal_data.read", about=payer.person)
    assert written[0].who == operator.person


async def _next_second(contract: Contract, client: Any) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            message: dict[str, Any] = client.heard.pop(0) if client.heard else await client.receive()
            contract.check(message)
            if message["type"] == "traffic_second":
                return message

"""What hub/protocol/charges.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    payer = await contract.enter(contract.tenant, funds=1_000)
    selling, paying = await contract.join(contract.hubs.a, shop), await contract.join(contract.hubs.b, payer)
    one, other = contract.id(), contract.id()
    body = {"payee": shop.account, "amount": 100, "description": "Tea", "reference": "17", "expires_in_s": 60}
    made = (await contract.ask(selling, "create_charge", charge=one, **body))["charge"]
    assert (made["status"], made["reference"], made["paid_count"]) == ("open", "17", 0)
    poster = {"charge": other, "payee": shop.account, "reusable": True}
    assert (await contract.http(shop, "POST", "/v1/charges", poster)).status == 201

    seen = (await contract.ask(paying, "read_code", code=made["code"]))["charge"]
    assert (seen["charge"], seen["amount"], "reference" in seen) == (one, 100, False)
    read = await contract.http(payer, "POST", "/v1/charges/code", {"code": made["link"]})
    assert read.body["charge"] == seen
    assert (await contract.ask(paying, "charge", charge=one))["charge"] == seen
    assert (await contract.http(payer, "GET", "/v1/charges/{charge}", charge=other)).body["charge"]["reusable"]

    await contract.ask(selling, "follow", account=shop.account)
    pay = {"payment": contract.id(), "payer": payer.account, "payee": shop.account, "amount": 100, "charge": one}
    assert (await contract.ask(paying, "pay", **pay))["status"] == "posted"
    (event,) = await selling.events(1)
    contract.check(event)
    assert (event["what"], event["charge"], event["amount"]) == ("charge.paid", one, 100)
    assert (await contract.ask(selling, "charge", charge=one))["charge"]["status"] == "paid"

    page = await contract.ask(selling, "charges", account=shop.account, limit=1)
    assert [charge["charge"] for charge in page["charges"]] == [other]
    path = "/v1/accounts/{account}/charges"
    rest = await contract.http(shop, "GET", path, query=f"before={page['next']}&status=paid", account=shop.account)
    assert [charge["charge"] for charge in rest.body["charges"]] == [one]
    assert (await contract.ask(selling, "cancel_charge", charge=other))["charge"]["status"] == "cancelled"
    again = await contract.http(shop, "POST", "/v1/charges/{charge}/cancel", charge=other)
    assert again.body["charge"]["status"] == "cancelled"

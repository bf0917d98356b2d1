"""What hub/protocol/histories.py promises, asked for at both doors."""

from typing import Any

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    payer, shop = await contract.enter(contract.tenant, funds=1_000), await contract.enter(contract.tenant)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    client, operating = await contract.join(contract.hubs.a, payer), await contract.join(contract.hubs.a, operator)

    async def pay(amount: int, **more: Any) -> Any:
        body = {"payment": contract.id(), "payer": payer.account, "payee": shop.account, "amount": amount, **more}
        return await contract.ask(client, "pay", **body)

    first = await pay(100, description="Café da manhã", metadata={"order": "17"})
    second = await pay(200)
    assert (await pay(5_000))["status"] == "insufficient_funds"

    then = await contract.ask(client, "balance_at", account=payer.account, at=first["at"])
    assert (then["posted"], then["held"], then["number"]) == (900, 0, 2)
    path = "/v1/accounts/{account}"
    now = await contract.http(payer, "GET", f"{path}/balance-at", query=f"at={second['at']}", account=payer.account)
    assert now.body["posted"] == 700

    found = await contract.ask(client, "search", account=payer.account, text="CAFE", key="order", amount_max=150)
    assert [entry["payment"] for entry in found["entries"]] == [first["payment"]]
    query = f"direction=out&from_at={second['at']}&counterparty={shop.account}&kind=pay"
    there = await contract.http(payer, "GET", f"{path}/entries", query=query, account=payer.account)
    assert [entry["payment"] for entry in there.body["entries"]] == [second["payment"]]

    span = {"from_at": first["at"], "to_at": second["at"]}
    sums = await contract.ask(client, "totals", account=payer.account, **span)
    assert (sums["count"], sums["sum_in"], sums["sum_out"]) == (1, 0, 100)
    query = "&".join(f"{name}={value}" for name, value in span.items())
    assert (await contract.http(payer, "GET", f"{path}/totals", query=query, account=payer.account)).status == 200

    selling = await contract.join(contract.hubs.b, shop)
    edges = [first["at"], second["at"], "2999-01-01T00:00:00Z"]
    sold = await contract.ask(selling, "sales", account=shop.account, edges=edges)
    assert [(one["sales"], one["amount"]) for one in sold["spans"]] == [(1, 100), (1, 200)]
    there = await contract.http(shop, "POST", f"{path}/sales", {"edges": edges[:2]}, account=shop.account)
    assert [one["amount"] for one in there.body["spans"]] == [100]

    refused = await contract.ask(client, "refusals", account=payer.account)
    assert [one["status"] for one in refused["refusals"]] == ["insufficient_funds"]
    query = "status=limit_exceeded&limit=1"
    none = await contract.http(payer, "GET", f"{path}/refusals", query=query, account=payer.account)
    assert none.body["refusals"] == []

    life = await contract.ask(client, "read_payment", payment=first["payment"])
    assert (life["life"]["captured"], life["life"]["metadata"]) == (100, {"order": "17"})
    assert (await contract.http(shop, "GET", "/v1/payments/{payment}", payment=second["payment"])).status == 200
    query = f"limit=1&after={first['at']}&after_step={first['payment']}"
    there = await contract.http(shop, "GET", "/v1/payments/{payment}", query=query, payment=first["payment"])
    assert there.body["steps"] == []

    words = {"segment": "gold"}
    written = await contract.ask(client, "set_account_metadata", account=payer.account, metadata=words)
    assert written["metadata"] == words
    assert (
        await contract.http(payer, "PUT", f"{path}/metadata", {"metadata": words}, account=payer.account)
    ).status == 200
    assert (await contract.ask(client, "account_metadata", account=payer.account))["metadata"] == words
    assert (await contract.http(payer, "GET", f"{path}/metadata", account=payer.account)).body["metadata"] == words
    accounts = await contract.ask(operating, "find_accounts", key="segment", value="gold")
    assert [one["account"] for one in accounts["accounts"]] == [payer.account]
    query = f"key=segment&value=gold&after={payer.account}"
    rest = await contract.http(operator, "GET", "/v1/metadata/accounts", query=query)
    assert rest.body["accounts"] == []

"""What hub/protocol/terms.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    shop, payer = await contract.enter(contract.tenant, Role.MERCHANT), await contract.enter(contract.tenant, funds=500)
    client, paying = await contract.join(contract.hubs.a, operator), await contract.join(contract.hubs.b, payer)
    selling = await contract.join(contract.hubs.b, shop)
    terms = {"name": "Shop", "fee_ppm": 15_000, "fee_fixed": 10, "fee_min": 5, "fee_max": 5_000, "returns_fee": True}
    await contract.ask(client, "set_terms", terms=1, **terms)
    answer = await contract.http(operator, "PUT", "/v1/terms/{terms}", {**terms, "tip_percent_max": 20}, terms=2)
    assert answer.body["terms"]["tip_percent_max"] == 20
    assert len((await contract.ask(client, "terms"))["terms"]) == 2
    assert len((await contract.http(operator, "GET", "/v1/terms")).body["terms"]) == 2
    await contract.ask(client, "put_under_terms", account=shop.account)
    under = await contract.http(operator, "PUT", "/v1/accounts/{account}/terms", {"terms": 2}, account=shop.account)
    assert under.body == {"account": shop.account, "terms": 2}
    assert (await contract.ask(selling, "account_terms", account=shop.account))["terms"]["name"] == "Shop"
    path = "/v1/accounts/{account}/terms"
    assert (await contract.http(shop, "GET", path, account=shop.account)).body["terms"]["terms"] == 2
    assert "terms" not in await contract.ask(paying, "account_terms", account=payer.account)
    await contract.ask(selling, "follow", account=shop.account)
    await contract.ask(paying, "pay", payment=contract.id(), payer=payer.account, payee=shop.account, amount=200)
    (event,) = await selling.events(1)
    contract.check(event)
    # 1.5 % of 200 is 3, and 10.
    assert (event["amount"], event["fee"], event["balance"]) == (187, 13, 187)

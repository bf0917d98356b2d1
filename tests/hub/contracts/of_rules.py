"""What hub/protocol/rules.py promises, asked for at both doors."""

from typing import Any

from core.people.persons import Role
from tests.hub.contracts.contract import Contract
from tests.hub.contracts.rooms import watchful_account


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    payer, payee = await contract.enter(contract.tenant, funds=10_000), await contract.enter(contract.tenant)
    watching, paying = await contract.join(contract.hubs.a, operator), await contract.join(contract.hubs.a, payer)
    await watchful_account(contract, operator, payer.account, above=900)
    day = {"limits": 1, "name": "Day", "measure": "day", "max": 5_000, "action": "refuse", "own_max": 9_000}
    night = {
        "limits": 1,
        "name": "Night",
        "measure": "night",
        "max": 5_000,
        "action": "alert",
        "night_from": "20:00",
        "night_to": "06:00",
    }
    await contract.ask(watching, "set_limits", limits=2, name="Others")
    await contract.ask(watching, "set_rule", rule=2, **day)
    await contract.ask(watching, "set_rule", rule=3, **night)
    await contract.ask(watching, "put_under_limits", account=payee.account, limits=2)
    assert len((await contract.ask(watching, "rules"))["rules"]) == 3
    assert len((await contract.http(operator, "GET", "/v1/rules")).body["rules"]) == 3

    body: dict[str, Any] = {"payer": payer.account, "payee": payee.account}
    await contract.ask(watching, "alerts", watch=True)
    for amount, status in ((1_000, "in_review"), (4_500, "limit_exceeded")):
        paid = await contract.ask(paying, "pay", payment=contract.id(), amount=amount, **body)
        assert paid["status"] == status
    alerts = [await _next_alert(contract, watching) for _ in range(2)]
    assert [(alert["rule"], alert["action"]) for alert in alerts] == [(1, "review"), (2, "refuse")]
    assert len((await contract.ask(watching, "reviews"))["reviews"]) == 1
    assert len((await contract.http(operator, "GET", "/v1/reviews", query="limit=5")).body["reviews"]) == 1
    assert len((await contract.ask(watching, "alerts"))["decisions"]) == 2
    first = (await contract.http(operator, "GET", "/v1/alerts", query="limit=1")).body
    query = f"before={first['next_before']}&before_payment={first['next_payment']}"
    assert len((await contract.http(operator, "GET", "/v1/alerts", query=query)).body["decisions"]) == 1

    limits = (await contract.ask(paying, "own_limits", account=payer.account))["limits"]
    assert limits == [{"measure": "day", "max": 5_000, "own_max": 9_000}]
    raised = await contract.ask(paying, "set_own_limit", account=payer.account, measure="day", max=6_000)
    assert (raised["limit"]["max"], raised["limit"]["next_max"]) == (5_000, 6_000)
    path = "/v1/accounts/{account}/limits"
    lowered = await contract.http(payer, "PUT", path + "/{measure}", {"max": 100}, account=payer.account, measure="day")
    assert lowered.body["limit"] == {"measure": "day", "max": 100}
    assert (await contract.http(payer, "GET", path, account=payer.account)).status == 200
    await contract.ask(paying, "list_payee", account=payer.account, payee=payee.account, listing="allowed")
    listed = await contract.ask(paying, "listed_payees", account=payer.account)
    assert [(one["payee"], one["listing"]) for one in listed["payees"]] == [(payee.account, "allowed")]
    path = "/v1/accounts/{account}/payees"
    assert (await contract.http(payer, "GET", path, query="limit=1", account=payer.account)).body["payees"] == listed[
        "payees"
    ]
    denied = await contract.http(
        operator, "PUT", "/v1/payees/{payee}/listing", {"listing": "denied"}, payee=payee.account
    )
    assert denied.body["listing"] == "denied"
    assert (await contract.ask(watching, "changes"))["changes"][0]["what"] == "payee"
    assert (await contract.http(operator, "GET", "/v1/changes", query="limit=3")).status == 200


async def _next_alert(contract: Contract, client: Any) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = client.heard.pop(0) if client.heard else await client.receive()
        contract.check(message)
        if message["type"] == "alert":
            return message

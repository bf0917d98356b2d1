"""What hub/protocol/bulks.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    maker, payee = (
        await contract.enter(contract.tenant, Role.MERCHANT, funds=10_000),
        await contract.enter(contract.tenant),
    )
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    client = await contract.join(contract.hubs.a, maker)
    other = await contract.join(contract.hubs.b, operator)
    lines = [
        {"payee": payee.account, "amount": 5, "description": "March", "reference": "m/1"},
        {"payee": 7, "amount": -5, "payer": maker.account},
    ]

    bulk, second = contract.id(), contract.id()
    made = await contract.ask(
        client, "create_bulk", bulk=bulk, account=maker.account, atomic=False, lines=2, amount=5, again=False
    )
    assert made["bulk"]["status"] == "receiving"
    added = await contract.ask(client, "bulk_lines", bulk=bulk, first=1, lines=lines)
    assert (added["bulk"]["lines"], added["bulk"]["bad"]) == (2, 1)
    assert (await contract.ask(client, "close_bulk", bulk=bulk))["bulk"]["status"] == "checked"
    assert (await contract.ask(client, "bulk", bulk=bulk, watch=True))["bulk"]["amount"] == 5
    assert (await contract.ask(client, "bulks", account=maker.account))["bulks"][0]["bulk"] == bulk
    page = await contract.ask(client, "bulk_report", bulk=bulk, after=0, limit=200, wrong=True)
    assert [(one["number"], one["code"]) for one in page["lines"]] == [(2, "out_of_range")]
    assert (await contract.ask(other, "approve_bulk", bulk=bulk))["bulk"]["approver"] == operator.person
    assert (await contract.ask(client, "cancel_bulk", bulk=bulk))["bulk"]["status"] == "cancelled"
    told = await client.receive()
    while told["type"] != "bulk_progress" or told["status"] != "cancelled":
        contract.check(told)
        told = await client.receive()
    contract.check(told)

    body = {"bulk": second, "account": maker.account, "atomic": True}
    assert (await contract.http(maker, "POST", "/v1/bulks", body)).status == 201
    path = "/v1/bulks/{bulk}"
    body = {"first": 1, "lines": lines[:1]}
    assert (await contract.http(maker, "POST", f"{path}/lines", body, bulk=second)).body["bulk"]["good"] == 1
    assert (await contract.http(maker, "POST", f"{path}/close", bulk=second)).body["bulk"]["status"] == "checked"
    assert (await contract.http(maker, "GET", path, bulk=second)).body["bulk"]["lines"] == 1
    query = f"account={maker.account}&status=checked&limit=1"
    assert len((await contract.http(maker, "GET", "/v1/bulks", query=query)).body["bulks"]) == 1
    assert len((await contract.http(maker, "GET", f"{path}/lines", query="limit=1", bulk=second)).body["lines"]) == 1
    assert (await contract.http(maker, "POST", f"{path}/approve", bulk=second)).status == 403
    assert (await contract.http(operator, "POST", f"{path}/approve", bulk=second)).status == 200
    assert (await contract.http(maker, "POST", f"{path}/cancel", bulk=second)).status == 200

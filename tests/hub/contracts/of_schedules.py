"""What hub/protocol/schedules.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    payer, payee = await contract.enter(contract.tenant), await contract.enter(contract.tenant, Role.MERCHANT)
    client = await contract.join(contract.hubs.a, payer)
    order = {"payer": payer.account, "payee": payee.account, "amount": 100, "first_on": "2090-01-01"}
    rent = {**order, "rule": "monthly", "day": 31, "on_closed": "after", "times": 3, "description": "Rent"}

    one = contract.id()
    made = await contract.ask(client, "create_schedule", schedule=one, **rent)
    assert (made["schedule"]["status"], made["schedule"]["due_at"][:10]) == ("active", "2090-01-31")
    assert await contract.ask(client, "create_schedule", schedule=one, **rent) == {**made, "id": made["id"] + 1}
    other = contract.id()
    made_there = await contract.http(
        payer, "POST", "/v1/schedules", {**order, "schedule": other, "rule": "once", "if_unpaid": "pause"}
    )
    assert made_there.status == 201

    plan = {"rule": "nth_working_day", "day": 5, "first_on": "2027-01-01", "limit": 3}
    previewed = await contract.ask(client, "preview_schedule", **plan)
    # 1 January is a holiday, and in Brazil Saturdays count towards payday.
    assert [date["day"] for date in previewed["dates"]] == ["2027-01-07", "2027-02-05", "2027-03-05"]
    assert (await contract.http(payer, "POST", "/v1/schedules/preview", plan)).body["holidays"] is True

    assert len((await contract.ask(client, "schedule", schedule=one))["coming"]) == 3
    assert (await contract.http(payer, "GET", "/v1/schedules/{schedule}", schedule=other)).body["outcomes"] == []
    page = await contract.ask(client, "schedules", account=payer.account, limit=1)
    assert [each["schedule"] for each in page["schedules"]] == [other]
    listed = await contract.http(
        payer, "GET", "/v1/accounts/{account}/schedules", query=f"before={page['next']}", account=payer.account
    )
    assert [each["schedule"] for each in listed.body["schedules"]] == [one]
    for tag, status in (("pause", "paused"), ("resume", "active"), ("cancel", "cancelled")):
        assert (await contract.ask(client, f"{tag}_schedule", schedule=one))["schedule"]["status"] == status
        answer = await contract.http(payer, "POST", f"/v1/schedules/{{schedule}}/{tag}", schedule=other)
        assert answer.body["schedule"]["status"] == status

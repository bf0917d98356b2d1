"""What hub/protocol/seats.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    ana = await contract.enter(contract.tenant)
    selling, working = await contract.join(contract.hubs.a, shop), await contract.join(contract.hubs.b, ana)
    offer = {"name": "Counter", "scopes": ["charges:read", "charges:write"], "account": ana.account}
    made = (await contract.ask(selling, "invite_seat", **offer))["seat"]
    assert (made["state"], made["name"], "holder" in made) == ("pending", "Counter", False)
    other = await contract.http(operator, "POST", "/v1/seats", {**offer, "name": "Books", "person": shop.person})
    assert (other.status, other.body["seat"]["state"]) == (201, "pending")

    invited = (await contract.ask(working, "own_seats"))["seats"]
    assert {(one["seat"], one["state"], one["merchant"]) for one in invited} == {
        (made["seat"], "invited", shop.person),
        (other.body["seat"]["seat"], "invited", shop.person),
    }
    assert "MERCHANT" in invited[0]["merchant_name"]
    taken = (await contract.ask(working, "accept_seat", seat=made["seat"]))["seat"]
    assert taken["state"] == "held"
    again = await contract.http(ana, "POST", "/v1/seats/{seat}/accept", seat=made["seat"])
    assert again.body["seat"] == taken
    declined = await contract.http(ana, "POST", "/v1/seats/{seat}/leave", seat=other.body["seat"]["seat"])
    assert declined.body["seat"]["state"] == "over"
    assert (await contract.http(ana, "GET", "/v1/seats/own")).body["seats"] == [taken]

    token = await contract.ask(working, "act_in_seat", seat=made["seat"])
    assert (token["merchant"], token["scopes"]) == (shop.person, offer["scopes"])
    same = await contract.http(ana, "POST", "/v1/seats/{seat}/act", seat=made["seat"])
    assert same.body["merchant"] == shop.person

    listed = (await contract.ask(selling, "seats"))["seats"]
    # That one was declined is not told.
    assert [one["state"] for one in listed] == ["pending", "active"]
    assert (listed[1]["holder"], "CUSTOMER" in listed[1]["holder_name"]) == (ana.person, True)
    query = f"person={shop.person}"
    assert (await contract.http(operator, "GET", "/v1/seats", query=query)).body["seats"] == listed
    place = "/v1/seats/{seat}"
    assert (await contract.ask(selling, "change_seat", seat=made["seat"], name="Caixa"))["seat"]["name"] == "Caixa"
    changed = await contract.http(shop, "PUT", place, {"scopes": ["charges:read"]}, seat=made["seat"])
    assert changed.body["seat"]["scopes"] == ["charges:read"]
    left = (await contract.ask(working, "leave_seat", seat=made["seat"]))["seat"]
    assert left["state"] == "over"
    ended = (await contract.ask(selling, "end_seat", seat=made["seat"]))["seat"]
    assert (ended["state"], ended["left"]) == ("ended", True)
    assert (await contract.http(shop, "DELETE", place, seat=other.body["seat"]["seat"])).body["seat"][
        "state"
    ] == "ended"

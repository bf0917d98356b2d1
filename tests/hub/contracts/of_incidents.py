"""What hub/protocol/incidents.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract

PATH = "/v1/privacy/incidents"
INCIDENT = f"{PATH}/{{incident}}"
TOLD = {
    "known_at": "2026-02-12T12:00:00-03:00",
    "began_at": "2026-02-10T00:00:00Z",
    "ended_at": "2099-01-01T00:00:00Z",
    "scope": "store",
    "notes": {"what": "Uma cópia saiu."},
}


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    ana = await contract.enter(contract.tenant)
    client = await contract.join(contract.hubs.a, operator)
    one, other = contract.id(), contract.id()
    made = (await contract.ask(client, "record_incident", incident=one, **TOLD))["incident"]
    assert (made["persons"], made["total_persons"], made["tell_by"]) == (2, 2, "2026-02-20T03:00:00.000000Z")
    body = {"incident": other, **TOLD, "scope": "traffic", "tables": ["sessions"], "keys_too": True}
    assert (await contract.http(operator, "POST", PATH, body)).status == 201
    assert (await contract.ask(client, "incident", incident=other))["incident"]["tables"] == ["sessions"]
    assert (await contract.http(operator, "GET", INCIDENT, incident=one)).body["incident"]["revision"] == 1
    told = {"told_authority_at": "2026-02-13T12:00:00Z"}
    revised = (await contract.ask(client, "revise_incident", incident=one, **told))["incident"]
    assert revised["complement_by"] > "2026-03"
    notes = {"notes": {"what": "Uma cópia saiu.", "cause": "Um backup."}}
    again = await contract.http(operator, "POST", f"{INCIDENT}/revise", notes, incident=one)
    assert (again.body["incident"]["revision"], again.body["incident"]["notes"]["cause"]) == (3, "Um backup.")
    page = await contract.ask(client, "incidents", limit=1)
    rest = await contract.http(operator, "GET", PATH, query=f"before={page['next']}")
    assert {page["incidents"][0]["incident"], rest.body["incidents"][0]["incident"]} == {one, other}
    people = await contract.ask(client, "incident_persons", incident=one)
    assert people["persons"] == sorted([operator.person, ana.person])
    query = f"after={people['persons'][0]}&limit=1"
    second = await contract.http(operator, "GET", f"{INCIDENT}/persons", query=query, incident=one)
    assert second.body["persons"] == people["persons"][1:]
    assert (await contract.http(ana, "GET", INCIDENT, incident=one)).status == 403

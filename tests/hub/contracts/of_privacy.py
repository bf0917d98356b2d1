"""What hub/protocol/privacy.py promises, asked for at both doors."""

from core.audit.trail import NOBODY
from core.database import in_tenant
from core.people.persons import Role
from core.privacy.classes import LEGAL, Kind
from core.privacy.disclosures import Told, disclose
from core.privacy.making import make_some
from tests.hub.contracts.contract import Contract
from tests.hub.contracts.rooms import register

RECORD = "/v1/privacy/record.json"


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    # An export and an erasure take a fresh proof of who asks.
    ana, bruno = await register(contract), await register(contract)
    await contract.enter(contract.tenant, Role.OPERATOR)
    on_a, on_b = await contract.join(contract.hubs.a, ana), await contract.join(contract.hubs.b, bruno)

    told = await contract.ask(on_a, "my_data", language="en")
    assert {"persons", "profiles", "accounts"} <= {one["section"] for one in told["held"]}
    again = await contract.http(ana, "GET", "/v1/privacy/data")
    assert again.body["controller"] == contract.tenant.name

    export = contract.id()
    state = (await contract.ask(on_a, "ask_export", export=export, language="pt"))["export"]
    assert state["status"] == "waiting"
    watched = await contract.ask(on_a, "export", export=export, watch=True)
    assert watched["export"]["export"] == export
    other = contract.id()
    assert (await contract.http(bruno, "POST", "/v1/privacy/exports", {"export": other})).status == 201
    while await make_some(contract.pool, contract.keys):
        pass
    while (message := await on_a.hear("export_progress"))["status"] != "ready":
        contract.check(message)
    contract.check(message)
    assert message["done"] == message["total"] > 0
    read = await contract.http(ana, "GET", "/v1/privacy/exports/{export}", export=export)
    assert read.body["export"]["status"] == "ready"
    page = await contract.ask(on_a, "exports", limit=1)
    assert [one["export"] for one in page["exports"]] == [export]
    assert (await contract.http(bruno, "GET", "/v1/privacy/exports")).body["exports"][0]["export"] == other
    assert (await contract.http(bruno, "GET", "/v1/privacy/exports/{export}", export=export)).status == 404

    async with in_tenant(contract.pool, contract.tenant.id) as connection:
        to = Told("Banco Central do Brasil", "DICT", LEGAL, [Kind.IDENTIFICATION])
        await disclose(connection, contract.tenant.id, [ana.person], to, NOBODY)
    shared = await contract.ask(on_a, "disclosures")
    assert [one["recipient"] for one in shared["disclosures"]] == ["Banco Central do Brasil"]
    assert (await contract.http(bruno, "GET", "/v1/privacy/disclosures")).body["disclosures"] == []

    ahead = await contract.ask(on_a, "erasure")
    assert (ahead["status"], ahead["obstacles"], ahead["kept"]) == ("not_asked", [], [])
    assert (await contract.http(bruno, "GET", "/v1/privacy/erasure")).body["person"] == bruno.person
    gone = await contract.ask(on_a, "erase", person=ana.person)
    assert gone["status"] == "erased"
    assert await on_a.closed() == 4503
    erased = await contract.http(bruno, "POST", "/v1/privacy/erasure", {"person": bruno.person})
    assert (erased.status, erased.body["status"]) == (200, "erased")
    assert (await contract.http(bruno, "GET", "/v1/privacy/erasure")).status == 401
    assert await on_b.closed() == 4503

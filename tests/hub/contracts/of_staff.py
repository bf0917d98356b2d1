"""What hub/protocol/staff.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract

ROLE = "/v1/people/{person}/role"
SETTINGS = "/v1/settings/people"


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    one, two = [await contract.enter(contract.tenant, Role.OPERATOR, proved=True) for _ in range(2)]
    auditor = await contract.enter(contract.tenant, Role.AUDITOR)
    ana, bruno = await contract.enter(contract.tenant), await contract.enter(contract.tenant)
    operating, auditing = await contract.join(contract.hubs.a, one), await contract.join(contract.hubs.a, auditor)

    given = await contract.ask(operating, "set_role", person=bruno.person, role="support", case="case-1")
    assert (given["before"], given["role"]) == ("customer", "support")
    settings = await contract.ask(operating, "set_people_settings", needs_second_operator=True, customers_need=["cpf"])
    assert settings["customers_need"] == ["cpf"]
    settings = (await contract.http(one, "PATCH", SETTINGS, {"pending_pay": True})).body
    assert (settings["pending_pay"], settings["needs_second_operator"]) == (True, True)
    assert (await contract.ask(auditing, "people_settings"))["pending_pay"] is True
    assert (await contract.http(auditor, "GET", SETTINGS)).body["customers_need"] == ["cpf"]
    waits = await contract.ask(operating, "set_role", person=ana.person, role="auditor")
    assert (waits["waits"], waits["role"]) == (True, "customer")
    assert [one_["person"] for one_ in (await contract.ask(auditing, "role_requests"))["requests"]] == [ana.person]
    assert len((await contract.http(two, "GET", "/v1/role-requests")).body["requests"]) == 1
    assert (await contract.http(two, "PUT", ROLE, {"role": "auditor"}, person=ana.person)).body["role"] == "auditor"

    page = await contract.ask(auditing, "trail", limit=3)
    assert len(page["entries"]) == 3
    query = f"before={page['next_before']}&before_entry={page['next_entry']}&what=person.role_set"
    older = (await contract.http(auditor, "GET", "/v1/trail", query=query)).body["entries"]
    assert [entry["about"] for entry in older] == [bruno.person]
    eva = await contract.enter(contract.tenant)
    await contract.http(
        one, "PATCH", "/v1/people/{person}", {"phone": "+5511987650012", "reason": "correction"}, person=eva.person
    )
    own = (await contract.http(eva, "GET", "/v1/trail")).body["entries"]
    assert [(entry["what"], "who" in entry) for entry in own] == [("profile.edited", False)]

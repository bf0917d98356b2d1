"""What hub/protocol/people.py promises, asked for at both doors."""

from typing import Any

from core.people.persons import Role
from tests.hub.contracts.contract import Contract
from tests.numbers import new_cnpj, new_cpf, new_email

HOME: dict[str, Any] = {
    "street": "Rua da Praça",
    "number": "17",
    "city": "São Paulo",
    "state": "SP",
    "postal_code": "01310-100",
    "country": "BR",
}
PERSON = "/v1/people/{person}"
CONTACT = "/v1/contacts/{contact}"


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    support = await contract.enter(contract.tenant, Role.SUPPORT)
    ana, shop = await contract.enter(contract.tenant), await contract.enter(contract.tenant, Role.MERCHANT)
    operating, helping, owning = [await contract.join(contract.hubs.a, one) for one in (operator, support, ana)]
    email, phone, cpf = new_email(), "+5511987650011", new_cpf()

    edited = await contract.ask(owning, "edit_profile", person=ana.person, email=email, phone=phone, address=HOME)
    assert edited["changed"] == ["email", "phone", "address"]
    body = {"cnpj": new_cnpj(), "legal_name": "Padaria Ltda", "category": "5462", "reason": "identification"}
    answer = await contract.http(operator, "PATCH", PERSON, {**body, "case": "case-1"}, person=shop.person)
    assert answer.body["changed"] == ["cnpj", "legal_name", "category"]
    await contract.http(operator, "PATCH", PERSON, {"cpf": cpf, "reason": "identification"}, person=ana.person)

    await contract.ask(owning, "send_confirmation", contact="email")
    code = (await contract.codes(ana.person))[-1]
    assert (await contract.ask(owning, "confirm_contact", contact="email", code=code))["contact"] == "email"
    assert (await contract.http(ana, "POST", CONTACT + "/code", contact="phone")).status == 200
    code = (await contract.codes(ana.person))[-1]
    confirmed = await contract.http(ana, "POST", CONTACT + "/confirm", {"code": code}, contact="phone")
    assert confirmed.body["contact"] == "phone"

    own = await contract.ask(owning, "read_person", person=ana.person)
    assert {field["field"] for field in own["fields"]} == {"email", "phone", "address", "cpf"}
    assert [account["account"] for account in own["accounts"]] == [ana.account]
    query = "reason=own_request"
    masked = (await contract.http(support, "GET", PERSON, query=query, person=ana.person)).body
    assert (masked["masked"], masked["account_numbers"]) == (True, [ana.account])
    query = "reason=own_request&case=case-1"
    assert (await contract.http(support, "GET", PERSON, query=query, person=ana.person)).body["accounts"]
    found = await contract.ask(helping, "find_people", cpf=cpf, reason="own_request")
    assert [one["person"] for one in found["people"]] == [ana.person]
    found = (await contract.http(operator, "POST", "/v1/people/search", {"email": email})).body
    assert found["people"][0]["confirmed"] is True

    page = await contract.ask(owning, "profile_history", person=ana.person, limit=2)
    place = {"before": page["next_before"], "before_field": page["next_field"], "before_number": page["next_number"]}
    await contract.ask(operating, "profile_history", person=ana.person, field="email", **place)
    query = "&".join(f"{name}={value}" for name, value in place.items())
    assert (await contract.http(ana, "GET", PERSON + "/history", query=query, person=ana.person)).body["fields"]

    set_ = await contract.ask(operating, "set_person_status", person=ana.person, status="blocked", reason="own_wish")
    assert (set_["before"], set_["status"]) == ("active", "blocked")
    changed = await _next(contract, owning, "status_changed")
    assert (changed["status"], changed["pays"]) == ("blocked", False)
    body = {"status": "active", "reason": "cleared", "case": "case-1"}
    assert (await contract.http(operator, "PUT", PERSON + "/status", body, person=ana.person)).status == 200


async def _next(contract: Contract, client: Any, type_: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = client.heard.pop(0) if client.heard else await client.receive()
        contract.check(message)
        if message["type"] == type_:
            return message

"""What hub/protocol/consents.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract

WORDS = {"title_pt": "Ofertas", "text_pt": "Podemos?", "title_en": "Offers", "text_en": "May we?"}
PURPOSE = "/v1/privacy/purposes/{purpose}"
REQUEST = "/v1/privacy/requests/{request}"


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    ana = await contract.enter(contract.tenant)
    deciding, saying = await contract.join(contract.hubs.a, operator), await contract.join(contract.hubs.b, ana)

    assert (await contract.ask(deciding, "set_consent_purpose", purpose="offers", **WORDS))["version"] == 1
    set_again = await contract.http(operator, "PUT", PURPOSE, {**WORDS, "asks_again": True}, purpose="offers")
    assert set_again.body["version"] == 2
    (asked,) = (await contract.ask(saying, "consent_purposes"))["purposes"]
    assert (asked["version"], asked["given"]) == (2, False)
    assert (await contract.ask(saying, "give_consent", purpose="offers", version=2))["purpose"]["given"] is True
    back = await contract.http(ana, "POST", f"{PURPOSE}/revoke", purpose="offers")
    assert back.body["purpose"]["given"] is False
    given = await contract.http(ana, "POST", f"{PURPOSE}/give", {"version": 2}, purpose="offers")
    assert given.body["purpose"]["given"] is True
    assert (await contract.ask(saying, "revoke_consent", purpose="offers"))["purpose"]["given"] is False
    assert (await contract.http(ana, "GET", "/v1/privacy/purposes")).body["purposes"][0]["answered_version"] == 2
    page = await contract.ask(saying, "consents", limit=3)
    assert [(one["given"], one["door"]) for one in page["changes"]] == [
        (False, "native"),
        (True, "http"),
        (False, "http"),
    ]
    last = page["changes"][-1]
    query = f"before_at={last['at']}&before_purpose={last['purpose']}&before_number={last['number']}"
    rest = await contract.http(ana, "GET", "/v1/privacy/consents", query=query)
    assert [one["door"] for one in rest.body["changes"]] == ["native"]

    one, other = contract.id(), contract.id()
    asked = {"right": "correction", "field": "name", "text": "É com s."}
    made = (await contract.ask(saying, "make_privacy_request", request=one, **asked))["request"]
    assert (made["status"], made["text"]) == ("open", "É com s.")
    review = {"request": other, "right": "review"}
    assert (await contract.http(ana, "POST", "/v1/privacy/requests", review)).status == 201
    open_ = await contract.ask(deciding, "privacy_requests", open=True, watch=True)
    assert {each["request"] for each in open_["requests"]} == {one, other}
    assert all("text" not in each for each in open_["requests"])
    assert (await contract.ask(deciding, "privacy_request", request=one))["request"]["text"] == "É com s."
    answered = await contract.ask(
        deciding,
        "answer_privacy_request",
        request=one,
        status="granted",
        answer="Corrigido.",
        correct={"name": "Ana Luísa"},
    )
    assert answered["request"]["status"] == "granted"
    assert (await contract.http(ana, "GET", "/v1/profile")).body["name"] == "Ana Luísa"
    assert (await contract.http(ana, "GET", REQUEST, request=one)).body["request"]["answer"] == "Corrigido."
    again = {"status": "granted", "answer": "Corrigido."}
    assert (await contract.http(operator, "POST", f"{REQUEST}/answer", again, request=one)).status == 200
    assert (await contract.ask(saying, "withdraw_privacy_request", request=other))["request"]["status"] == "withdrawn"
    assert (await contract.http(ana, "POST", f"{REQUEST}/withdraw", request=other)).status == 200
    mine = await contract.http(ana, "GET", "/v1/privacy/requests", query="limit=1")
    assert [each["request"] for each in mine.body["requests"]] == [other]

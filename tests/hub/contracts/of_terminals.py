"""What hub/protocol/terminals.py promises, asked for at both doors."""

from typing import Any

from core.people.persons import Role
from tests.hub.contracts.contract import Contract
from tests.hub.stranger import Stranger
from tests.hub.tills import Till, nonce_of


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    selling, operating = await contract.join(contract.hubs.a, shop), await contract.join(contract.hubs.b, operator)
    made = await contract.ask(selling, "create_pairing_code", account=shop.account, name="Till 1", may_refund=True)
    other = await contract.http(
        operator, "POST", "/v1/terminals/codes", {"account": shop.account, "name": "Till 2", "person": shop.person}
    )
    assert other.status == 201

    till, slug = Till(), contract.tenant.slug
    till.slug = slug
    hub = contract.hubs.b

    async def enter(path: str, body: dict[str, Any]) -> Any:
        """What a till says before it has a token; the answer as documented."""
        await contract.http(shop, "POST", "/v1/nonces", {"tenant": slug, "purpose": "proof"})
        nonce = await nonce_of(contract.web, hub, slug)
        headers = {"dpop": till.proof("POST", hub.url + path, nonce)}
        answer = await contract.http(shop, "POST", path, body, headers=headers)
        assert answer.status < 300, answer
        return answer.body

    paired = await enter("/v1/terminals/pair", {"tenant": slug, "code": made["code"].lower()})
    assert (paired["account"], paired["name"]) == (shop.account, "Till 1")
    till.terminal = paired["terminal"]
    token = await enter("/v1/login/terminal", {"tenant": slug, "terminal": till.terminal})
    assert (token["token_type"], token["account"], token["scopes"]) == ("DPoP", shop.account, paired["scopes"])
    till.token = token["access_token"]

    async with await Stranger.connect(hub.socket_url) as client:
        await contract.ask(client, "challenge")
        welcome = await till.enter(client)
        contract.check(welcome)
        assert [account["account"] for account in welcome["accounts"]] == [shop.account]
    path = f"/v1/accounts/{shop.account}/charges"
    assert (await till.ask(contract.web, hub, "GET", path)).json()["charges"] == []

    (listed,) = (await contract.ask(selling, "terminals"))["terminals"]
    assert (listed["terminal"], listed["algorithm"], listed["may_refund"]) == (till.terminal, "EdDSA", True)
    query = f"person={shop.person}"
    assert (await contract.http(operator, "GET", "/v1/terminals", query=query)).body["terminals"] == [listed]
    changed = await contract.ask(selling, "change_terminal", terminal=till.terminal, name="Caixa 1")
    assert changed["terminal"]["name"] == "Caixa 1"
    place = "/v1/terminals/{terminal}"
    changed_again = await contract.http(shop, "PUT", place, {"may_refund": False}, terminal=till.terminal)
    assert changed_again.body["terminal"]["may_refund"] is False
    assert "revoked_at" in (await contract.ask(operating, "revoke_terminal", terminal=till.terminal))["terminal"]
    assert (await contract.http(shop, "DELETE", place, terminal=till.terminal)).status == 200

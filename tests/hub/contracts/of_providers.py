"""What hub/protocol/providers.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.conftest import Somebody
from tests.hub.contracts.contract import Contract
from tests.hub.oidc import OidcServer
from tests.hub.stranger import Stranger


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    client = await contract.join(contract.hubs.a, operator)
    server = await OidcServer().start()
    try:
        await _exercise(contract, operator, shop, client, server)
    finally:
        await server.stop()


async def _exercise(
    contract: Contract, operator: Somebody, shop: Somebody, client: Stranger, server: OidcServer
) -> None:
    body = {
        "issuer": server.issuer,
        "audience": server.audience,
        "claim": "sub",
        "names": "external_id",
        "algorithms": ["EdDSA", "ES256"],
        "opens_people": True,
    }
    place, slug = "/v1/identity-providers/{provider}", contract.tenant.slug
    await contract.ask(client, "set_identity_provider", provider="bank", **body)
    answer = await contract.http(operator, "PUT", place, body, provider="other")
    assert answer.body["provider"] == {"provider": "other", **body, "admits_operators": False}
    assert len((await contract.ask(client, "identity_providers"))["providers"]) == 2
    assert len((await contract.http(operator, "GET", "/v1/identity-providers")).body["providers"]) == 2
    assert (await contract.ask(client, "remove_identity_provider", provider="other"))["provider"] == "other"

    people = place + "/people/{person}"
    linked = await contract.ask(client, "link_identity", provider="bank", person=shop.person, external_id="77")
    assert linked["linked"] is True
    answer = await contract.http(operator, "PUT", people, {"external_id": "78"}, provider="bank", person=shop.person)
    assert answer.body == {"provider": "bank", "person": shop.person, "linked": True}

    async def log_in(sub: str) -> dict[str, str]:
        nonce = (await contract.http(shop, "POST", "/v1/nonces", {"tenant": slug, "purpose": "login"})).body["nonce"]
        token = {"tenant": slug, "provider": "bank", "id_token": server.token(nonce, sub=sub), "nonce": nonce}
        found = await contract.http(shop, "POST", "/v1/login/external", token)
        assert found.status == 200, found
        tokens: dict[str, str] = found.body
        return tokens

    for sub in ("77", "78"):
        assert (await log_in(sub))["person"] == shop.person
    newcomer = await log_in("79")
    assert newcomer["person"] != shop.person
    welcome = await contract.join(contract.hubs.b, shop._replace(token=newcomer["access_token"]))
    assert (await contract.ask(welcome, "profile"))["role"] == "customer"

    assert (await contract.ask(client, "unlink_identity", provider="bank", person=shop.person))["linked"] is False
    gone = await contract.http(operator, "DELETE", people, provider="bank", person=newcomer["person"])
    assert gone.body["linked"] is False
    assert (await contract.http(operator, "DELETE", place, provider="bank")).body == {"provider": "bank"}

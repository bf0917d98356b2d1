"""What hub/protocol/api_keys.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    selling, operating = await contract.join(contract.hubs.a, shop), await contract.join(contract.hubs.b, operator)
    wish = {
        "name": "Website",
        "scopes": ["charges:read", "charges:write"],
        "networks": ["127.0.0.0/8", "198.18.0.0/15", "2001:DB8::/48"],
        "expires_in_s": 86_400,
    }
    made = await contract.ask(selling, "create_api_key", **wish)
    assert made["key"]["networks"] == ["127.0.0.0/8", "198.18.0.0/15", "2001:db8::/48"]
    assert (made["key"]["state"], made["key"]["scopes"]) == ("active", wish["scopes"])
    assert made["secret"].startswith(made["key"]["beginning"])
    over_http = await contract.http(
        operator, "POST", "/v1/api-keys", {"name": "Reports", "scopes": ["reports:read"], "person": shop.person}
    )
    assert (over_http.status, "networks" in over_http.body["key"]) == (201, False)

    body = {"tenant": contract.tenant.slug, "key": made["secret"]}
    token = (await contract.http(shop, "POST", "/v1/login/key", body)).body
    assert (token["person"], token["token_type"], token["scopes"]) == (shop.person, "Bearer", wish["scopes"])
    program = shop._replace(token=token["access_token"])
    assert (await contract.http(program, "GET", "/v1/accounts/{account}/charges", account=shop.account)).status == 200
    refused = await contract.http(program, "GET", "/v1/accounts")
    assert (refused.status, refused.body["code"]) == (403, "scope_missing")

    listed = (await contract.ask(selling, "api_keys"))["keys"]
    assert [key["key"] for key in listed] == [over_http.body["key"]["key"], made["key"]["key"]]
    assert listed[1]["last_used_network"].startswith("198.")
    assert (await contract.http(operator, "GET", "/v1/api-keys", query=f"person={shop.person}")).body["keys"] == listed

    rotated = await contract.ask(selling, "rotate_api_key", key=made["key"]["key"], overlap_s=60)
    assert rotated["old"]["successor"] == rotated["key"]["key"]
    path = "/v1/api-keys/{key}"
    again = await contract.http(
        shop, "POST", path + "/rotate", {"overlap_s": 0, "expires_in_s": 60}, key=rotated["key"]["key"]
    )
    assert again.body["old"]["state"] == "expired"
    assert (await contract.ask(operating, "revoke_api_key", key=again.body["key"]["key"]))["key"]["state"] == "revoked"
    gone = await contract.http(shop, "DELETE", path, key=listed[0]["key"])
    assert (gone.status, gone.body["key"]["state"]) == (200, "revoked")

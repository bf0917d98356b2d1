"""What several rooms' promises need to be there."""

import uuid
from typing import Any

from core.people.persons import Role
from tests.hub.conftest import Somebody
from tests.hub.contracts.contract import Contract
from tests.hub.known import PASSWORD, claims_of


async def watchful_account(contract: Contract, operator: Somebody, account: int, above: int) -> None:
    """Put an account under limits that set payments above an amount aside for review."""
    steps: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("/v1/limits/{limits}", {"name": "Watched"}, {"limits": 1}),
        (
            "/v1/rules/{rule}",
            {"limits": 1, "name": "Large", "measure": "payment", "max": above, "action": "review"},
            {"rule": 1},
        ),
        ("/v1/accounts/{account}/limits", {"limits": 1}, {"account": account}),
    )
    for path, body, in_path in steps:
        assert (await contract.http(operator, "PUT", path, body, **in_path)).status == 200


async def register(contract: Contract) -> Somebody:
    """Somebody new, who has just given a password."""
    login = f"new-{uuid.uuid4().hex[:8]}"
    body = {"tenant": contract.tenant.slug, "name": "New", "login": login, "password": PASSWORD}
    answer = await contract.web.post(f"{contract.hubs.a.url}/v1/register", json=body)
    assert answer.status_code == 201, answer.text
    return _to_somebody(contract, answer.json())


async def operator_with_password(contract: Contract) -> Somebody:
    """An operator who has just logged in by one."""
    first, login = await contract.enter(contract.tenant, Role.OPERATOR), f"op-{uuid.uuid4().hex[:8]}"
    body = {"name": "Olivia", "role": "operator", "login": login, "password": PASSWORD}
    assert (await contract.http(first, "POST", "/v1/people", body)).status == 201
    body = {"tenant": contract.tenant.slug, "login": login, "password": PASSWORD}
    answer = await contract.web.post(f"{contract.hubs.a.url}/v1/login", json=body)
    return _to_somebody(contract, answer.json())


def _to_somebody(contract: Contract, tokens: dict[str, Any]) -> Somebody:
    token = tokens["access_token"]
    claims = claims_of(token)
    account, role = tokens.get("account", 0), Role(claims["role"])
    return Somebody(contract.tenant, tokens["person"], account, role, claims["sid"], token, tokens["refresh_token"])

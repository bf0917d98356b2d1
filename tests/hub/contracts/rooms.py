"""What several rooms' promises need to be there."""

from typing import Any

from tests.hub.conftest import Somebody
from tests.hub.contracts.contract import Contract


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

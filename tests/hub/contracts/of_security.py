"""What hub/protocol/factors.py promises of passwords and of what a tenant asks, asked for at both doors."""

import asyncio

from tests.hub.contracts.contract import Contract
from tests.hub.contracts.rooms import operator_with_password, register
from tests.hub.known import PASSWORD


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    somebody = await register(contract)
    client = await contract.join(contract.hubs.a, somebody)
    new = "another horse altogether"
    assert (await contract.ask(client, "change_password", password=new, old=PASSWORD))["sessions"] == []
    changed = await contract.http(somebody, "PUT", "/v1/password", {"password": PASSWORD + "!", "old": new})
    assert changed.body == {"sessions": []}

    operator = await operator_with_password(contract)
    setting = await contract.join(contract.hubs.a, operator)
    asked = {"step_up_s": 120, "operators_need_factor": False, "step_up_above": 500}
    await contract.ask(setting, "set_security", **asked)
    # The other hub learns of it within a few seconds.
    async with asyncio.timeout(5):
        while (await contract.http(operator, "GET", "/v1/security")).body != asked:
            await asyncio.sleep(0.1)
    less = {"step_up_s": 300, "operators_need_factor": False}
    assert (await contract.http(operator, "PUT", "/v1/security", less)).body == less
    assert (await contract.ask(client, "security"))["type"] == "security_state"

"""What hub/protocol/factors.py promises of stepping up, asked for at both doors."""

import pyotp

from tests.hub.contracts.contract import Contract
from tests.hub.contracts.rooms import register
from tests.hub.known import PASSWORD


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    somebody = await register(contract)
    client = await contract.join(contract.hubs.a, somebody)
    assert (await contract.ask(client, "ask_step_up"))["factors"] == ["password"]
    stepped = await contract.ask(client, "step_up", password=PASSWORD)
    assert (await client.ask("renew", token=stepped["access_token"]))["type"] == "renewed"
    begun = await client.ask("enrol_totp")
    code = pyotp.TOTP(begun["secret"]).now()
    enrolled = await client.ask("confirm_totp", factor=begun["factor"], code=code)
    somebody = somebody._replace(token=enrolled["access_token"])
    asked = await contract.http(somebody, "POST", "/v1/step-up/options")
    assert asked.body["factors"] == ["totp", "recovery_code"]
    body = {"recovery_code": enrolled["recovery_codes"][0]}
    assert (await contract.http(somebody, "POST", "/v1/step-up", body)).status == 200

"""What hub/protocol/factors.py promises of second factors, asked for at both doors."""

import pyotp

from tests.authenticator import Authenticator
from tests.hub.contracts.contract import Contract
from tests.hub.contracts.rooms import operator_with_password, register
from tests.hub.known import ORIGIN


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    somebody = await register(contract)
    client = await contract.join(contract.hubs.a, somebody)
    begun = await contract.ask(client, "enrol_totp", name="Phone")
    await contract.ask(client, "confirm_totp", factor=begun["factor"], code=pyotp.TOTP(begun["secret"]).now())
    # The old token says nothing of the factor.
    stale = await contract.http(somebody, "POST", "/v1/factors/recovery-codes")
    assert (stale.status, stale.body["code"]) == (403, "step_up_required")
    await keys(contract)
    await resets(contract)


async def keys(contract: Contract) -> None:
    somebody = await register(contract)
    begun = (await contract.http(somebody, "POST", "/v1/factors/totp", {})).body
    path, body = "/v1/factors/totp/{factor}/confirm", {"code": pyotp.TOTP(begun["secret"]).now()}
    enrolled = (await contract.http(somebody, "POST", path, body, factor=begun["factor"])).body
    assert len(enrolled["recovery_codes"]) == 10
    somebody = somebody._replace(token=enrolled["access_token"])
    options = (await contract.http(somebody, "POST", "/v1/factors/passkeys/options")).body["options"]
    made = {"credential": Authenticator(ORIGIN).create(options), "name": "Key"}
    first = (await contract.http(somebody, "POST", "/v1/factors/passkeys", made)).body["factor"]["factor"]
    client = await contract.join(contract.hubs.b, somebody)
    options = (await contract.ask(client, "enrol_passkey"))["options"]
    second = await contract.ask(client, "confirm_passkey", credential=Authenticator(ORIGIN).create(options), name="Two")
    assert len((await contract.ask(client, "factors"))["factors"]) == 3
    assert (await contract.http(somebody, "GET", "/v1/factors")).body["recovery_codes"] == 10
    await contract.ask(client, "name_factor", factor=first, name="Ring é")
    await contract.http(somebody, "PUT", "/v1/factors/{factor}/name", {"name": "Ring"}, factor=first)
    assert len((await contract.ask(client, "renew_recovery_codes"))["codes"]) == 10
    assert len((await contract.http(somebody, "POST", "/v1/factors/recovery-codes")).body["codes"]) == 10
    await contract.ask(client, "remove_factor", factor=second["factor"]["factor"])
    removed = await contract.http(somebody, "POST", "/v1/factors/{factor}/remove", factor=first)
    assert removed.body == {"factor": first}


async def resets(contract: Contract) -> None:
    operator = await operator_with_password(contract)
    client = await contract.join(contract.hubs.b, operator)
    for is_by_socket in (True, False):
        lost = await register(contract)
        there = await contract.join(contract.hubs.a, lost)
        begun = await there.ask("enrol_totp")
        await there.ask("confirm_totp", factor=begun["factor"], code=pyotp.TOTP(begun["secret"]).now())
        if is_by_socket:
            reset = await contract.ask(client, "reset_factors", person=lost.person, reason="Case 17")
        else:
            path = "/v1/people/{person}/factors/reset"
            reset = (await contract.http(operator, "POST", path, {"reason": "Case 17"}, person=lost.person)).body
        assert (reset["removed"], reset["sessions"]) == (1, [lost.session])

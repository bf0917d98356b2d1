"""What hub/protocol/webhooks.py promises, asked for at both doors."""

import math

from standardwebhooks.webhooks import Webhook

from core.outside import Outside
from core.people.persons import Role
from tests.core.webhooks.receiver import Receiver
from tests.hub.contracts.contract import Contract
from workers.webhooks.bringing import Bringing


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    receiver = await Receiver().start()
    worker = Bringing(contract.pool, contract.keys, Outside(["127.0.0.0/8"]), share_max=math.inf)
    try:
        await _exercise(contract, receiver, worker)
    finally:
        await worker.close()
        await receiver.stop()


async def _exercise(contract: Contract, receiver: Receiver, worker: Bringing) -> None:
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    payer = await contract.enter(contract.tenant, Role.CUSTOMER, funds=1_000)
    selling, operating = await contract.join(contract.hubs.a, shop), await contract.join(contract.hubs.b, operator)
    paying = await contract.join(contract.hubs.a, payer)
    made = await contract.ask(selling, "create_webhook", url=receiver.url(), description="The shop's", events=[])
    webhook = made["webhook"]["webhook"]
    assert (made["webhook"]["state"], made["webhook"]["url"]) == ("active", receiver.url())
    over_http = await contract.http(
        operator,
        "POST",
        "/v1/webhooks",
        {"url": receiver.url("/two"), "events": ["charge.paid"], "accounts": [shop.account], "person": shop.person},
    )
    assert (over_http.status, over_http.body["webhook"]["accounts"]) == (201, [shop.account])
    other = over_http.body["webhook"]["webhook"]

    await paying.pay(payer.account, shop.account, 5)
    while not receiver.taken:
        await worker.look()
        await worker.settle()
    (heard,) = receiver.taken
    assert Webhook(made["secret"]).verify(heard.body, heard.headers)["data"]["amount"] == 5

    listed = (await contract.ask(selling, "webhooks"))["webhooks"]
    assert [one["webhook"] for one in listed] == [other, webhook]
    assert "secret" not in str(listed).replace("old_secret_until", "")
    of_shop = await contract.http(operator, "GET", "/v1/webhooks", query=f"person={shop.person}")
    assert of_shop.body["webhooks"] == listed

    changed = await contract.ask(selling, "change_webhook", webhook=other, events=[], accounts=[], active=False)
    assert (changed["webhook"]["state"], "events" in changed["webhook"]) == ("stopped", False)
    path = "/v1/webhooks/{webhook}"
    again = await contract.http(operator, "PATCH", path, {"active": True, "url": receiver.url("/3")}, webhook=other)
    assert (again.body["webhook"]["state"], again.body["webhook"]["url"]) == ("active", receiver.url("/3"))

    rotated = await contract.ask(operating, "rotate_webhook_secret", webhook=webhook)
    assert rotated["secret"] != made["secret"]
    twice = await contract.http(shop, "POST", path + "/secret", webhook=webhook)
    assert "old_secret_until" in twice.body["webhook"]

    tested = await contract.ask(selling, "test_webhook", webhook=webhook)
    assert (tested["code"], tested["status"]) == ("taken", 204)
    heard = receiver.taken[-1]
    # Signed by the newest secret and the one before it; the first is over.
    told = Webhook(twice.body["secret"]).verify(heard.body, heard.headers)
    assert told["type"] == "webhook.test"
    assert Webhook(rotated["secret"]).verify(heard.body, heard.headers) == told
    tested_over_http = await contract.http(operator, "POST", path + "/test", webhook=webhook)
    assert tested_over_http.body["code"] == "taken"

    attempts = await contract.ask(operating, "webhook_attempts", webhook=webhook, limit=10)
    assert [(one["code"], one["number"], one["status"]) for one in attempts["attempts"]] == [("taken", 1, 204)]
    assert (await contract.http(shop, "GET", path + "/attempts", webhook=webhook)).body["set_aside"] == []

    replayed = await contract.ask(selling, "replay_webhook", webhook=webhook, account=shop.account, number=1)
    assert replayed["replayed"] == [{"account": shop.account, "number": 1}]
    nothing = await contract.http(operator, "POST", path + "/replay", {"since": "2090-01-02T03:04:05Z"}, webhook=other)
    assert (nothing.status, nothing.body["replayed"]) == (200, [])
    while len(receiver.taken) < 4:
        await worker.look()
        await worker.settle()
    assert receiver.taken[-1].headers["webhook-id"] == receiver.taken[0].headers["webhook-id"]

    assert (await contract.ask(selling, "delete_webhook", webhook=webhook))["webhook"]["webhook"] == webhook
    assert (await contract.http(shop, "DELETE", path, webhook=other)).status == 200

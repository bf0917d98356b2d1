"""Webhooks at the hub's doors: where none may lead, whose they are, and what is never shown again."""

from typing import Any

import httpx2
import pytest

from core.audit.trail import read_trail
from core.database import Pool, in_tenant
from core.people.opening import Tenant
from core.people.persons import Role
from tests.core.webhooks.receiver import Receiver, always
from tests.hub.conftest import CANARY, Enter, Hubs, Join, Somebody
from tests.hub.machines import bearer

# The hub of these tests lets webhooks lead to 127.0.0.0/8, and nowhere else inside.
NOWHERE = [
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0.0.0.0/",
    "https://0/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://0xa000001/",
    "https://167772161/",
    "https://012.0.0.1/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://192.168.0.1:8443/",
    "https://no-such-name.invalid/",
    "http://93.184.216.34/",
    "https://user@127.0.0.1:8080/",
    "https://user:word@127.0.0.1:8080/",
    "https://127.0.0.1:22/",
    "https://127.0.0.1:25/",
    "https://127.0.0.1:0/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1:8080/#part",
    "https://127.0.0.1\\@10.0.0.1/",
]
NO_URLS = ["file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "ftp://127.0.0.1/", "//127.0.0.1/", "x", ""]


async def make(web: httpx2.AsyncClient, hubs: Hubs, who: Somebody, url: str, **wish: Any) -> httpx2.Response:
    return await web.post(f"{hubs.a.url}/v1/webhooks", json={"url": url, **wish}, headers=bearer(who))


async def test_no_webhook_leads_inside_however_it_is_written(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, pool: Pool
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    answers = {url: await make(web, hubs, shop, url) for url in NOWHERE}
    for url, answer in answers.items():
        assert (answer.status_code, answer.json()["code"]) == (422, "url_refused"), (url, answer.text)
    # A name that leads inside and one that leads nowhere are told apart by nobody.
    assert len({answer.json()["title"] for answer in answers.values()}) == 1
    for url in NO_URLS:
        answer = await make(web, hubs, shop, url)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field"), url
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from webhooks") == 0


async def test_a_webhook_cannot_be_led_inside_later(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    webhook = (await make(web, hubs, shop, "http://127.0.0.1:65535/")).json()["webhook"]["webhook"]
    client = await join(hubs.b, shop)
    for url in NOWHERE:
        answer = await client.ask("change_webhook", webhook=webhook, url=url)
        assert answer["code"] == "url_refused"
    assert (await client.ask("webhooks"))["webhooks"][0]["url"] == "http://127.0.0.1:65535/"


async def test_a_test_tells_what_came_back_and_follows_nothing(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    receiver = await Receiver().start()
    try:
        made = (await make(web, hubs, shop, receiver.url())).json()
        path = f"{hubs.a.url}/v1/webhooks/{made['webhook']['webhook']}/test"
        for status, code in ((204, "taken"), (302, "redirect"), (404, "not_there"), (410, "gone"), (500, "error")):
            receiver.reply = always(status, location=receiver.url("/elsewhere"))
            answer = (await web.post(path, headers=bearer(shop))).json()
            assert (answer["code"], answer["status"]) == (code, status)
        assert {one.path for one in receiver.heard} == {"/hooks"}
        await receiver.stop()
        answer = (await web.post(path, headers=bearer(shop))).json()
        assert (answer["code"], "status" in answer) == ("connection_failed", False)
    finally:
        await receiver.stop()


async def test_a_webhook_is_its_merchants_and_nobody_elses(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, other_tenant: Tenant
) -> None:
    shop, rival = await enter(tenant, Role.MERCHANT), await enter(tenant, Role.MERCHANT)
    stranger = await enter(other_tenant, Role.OPERATOR)
    webhook = (await make(web, hubs, shop, "http://127.0.0.1:65535/")).json()["webhook"]["webhook"]
    asked: dict[str, dict[str, Any]] = {
        "change_webhook": {"active": False},
        "rotate_webhook_secret": {},
        "test_webhook": {},
        "webhook_attempts": {},
        "replay_webhook": {"since": "2026-01-01T00:00:00Z"},
        "delete_webhook": {},
    }
    for who in (rival, stranger):
        client = await join(hubs.b, who)
        for command, fields in asked.items():
            answer = await client.ask(command, webhook=webhook, **fields)
            assert (answer["code"], answer["field"]) == ("not_found", "webhook"), command
    # Nor does it tell of somebody else's account.
    refused = await make(web, hubs, shop, "http://127.0.0.1:65535/", accounts=[rival.account])
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    client = await join(hubs.a, shop)
    answer = await client.ask("replay_webhook", webhook=webhook, account=rival.account, number=1)
    assert (answer["code"], answer["field"]) == ("not_found", "account")


async def test_what_cannot_be_replayed_is_refused_and_changes_nothing(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant
) -> None:
    shop = await enter(tenant, Role.MERCHANT, funds=5)
    webhook = (await make(web, hubs, shop, "http://127.0.0.1:65535/")).json()["webhook"]["webhook"]
    client = await join(hubs.a, shop)
    for fields, code in (
        ({}, "invalid_field"),
        ({"number": 1}, "invalid_field"),
        ({"account": shop.account}, "invalid_field"),
        ({"account": shop.account, "number": 1, "since": "2026-01-01T00:00:00Z"}, "invalid_field"),
        ({"since": "2026-01-01T00:00:00Z", "only": True}, "invalid_field"),
        ({"since": "2026-02-31T00:00:00Z"}, "invalid_field"),
        ({"account": shop.account, "number": 2}, "cursor_out_of_range"),
        ({"account": shop.account, "number": 2**53 - 1, "only": True}, "cursor_out_of_range"),
        ({"account": shop.account, "number": 0}, "invalid_field"),
        ({"account": shop.account, "number": -1}, "invalid_field"),
    ):
        answer = await client.ask("replay_webhook", webhook=webhook, **fields)
        assert answer["code"] == code, (fields, answer)
    assert (await client.ask("webhooks"))["webhooks"][0]["behind"] == 0
    assert (await client.ask("replay_webhook", webhook=webhook, account=shop.account, number=1))["replayed"]
    assert (await client.ask("webhooks"))["webhooks"][0]["behind"] == 1


async def test_a_merchant_has_ten(hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    for at in range(11):
        answer = await make(web, hubs, shop, f"http://127.0.0.1:65535/{at}")
        assert answer.status_code == (201 if at < 10 else 409), answer.text
    assert answer.json()["code"] == "too_many_webhooks"


async def test_secrets_and_urls_are_sealed_and_the_trail_names_neither(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, pool: Pool, admin: Pool
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    made = (await make(web, hubs, shop, f"http://127.0.0.1:65535/{CANARY}", description=CANARY)).json()
    path = f"{hubs.a.url}/v1/webhooks/{made['webhook']['webhook']}"
    rotated = (await web.post(f"{path}/secret", headers=bearer(shop))).json()
    await web.patch(path, json={"active": False, "description": f"{CANARY} 2"}, headers=bearer(shop))
    listed = await web.get(f"{hubs.a.url}/v1/webhooks", headers=bearer(shop))
    async with admin.acquire() as connection:
        rows = await connection.fetchval("select string_agg(webhooks::text, ' ') from webhooks")
    trail = [entry for entry in await read_trail(pool, tenant.id, 50) if entry.what.startswith("webhook.")]
    assert [entry.what for entry in trail] == ["webhook.changed", "webhook.secret_rotated", "webhook.made"]
    for text in (rows, str(trail), listed.text.replace(CANARY, "")):
        for secret in (CANARY, made["secret"], rotated["secret"], "whsec_"):
            assert secret not in text
            assert secret.encode().hex() not in text
    assert made["secret"] != rotated["secret"]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AUDITOR, Role.SUPPORT])
async def test_who_is_no_merchant_has_none(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, role: Role
) -> None:
    who = await enter(tenant, role)
    answer = await make(web, hubs, who, "http://127.0.0.1:65535/")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    operator = await enter(tenant, Role.OPERATOR)
    answer = await make(web, hubs, operator, "http://127.0.0.1:65535/", person=who.person)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

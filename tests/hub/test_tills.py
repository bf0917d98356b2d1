"""Tills: paired once, worth nothing without their key, and allowed what a till is for."""

import asyncio
import datetime
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from core.audit.trail import read_trail
from core.database import Pool
from core.keys.safe import Safe
from core.machines.pairing import ATTEMPTS_MAX
from core.nonces import Nonces, Purpose
from core.people.opening import Tenant, open_account
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join, Somebody, StartHub
from tests.hub.known import network_of
from tests.hub.machines import bearer, make_key, trade
from tests.hub.processes import HubProcess
from tests.hub.raw import RawSocket, frame
from tests.hub.stranger import MSGPACK, Stranger
from tests.hub.test_keying import NO_REDIS
from tests.hub.tills import Till, join_till, make_code, nonce_of, till_of

ACCOUNTS = "/v1/accounts"

JoinTill = Callable[..., Awaitable[Stranger]]


@pytest_asyncio.fixture
async def shop(enter: Enter, tenant: Tenant) -> Somebody:
    return await enter(tenant, Role.MERCHANT, funds=1_000)


@pytest_asyncio.fixture
async def enter_till() -> AsyncIterator[JoinTill]:
    joined: list[Stranger] = []

    async def enter_till_(hub: HubProcess, till: Till, subprotocol: str = MSGPACK) -> Stranger:
        client = await join_till(hub, till, subprotocol)
        joined.append(client)
        return client

    yield enter_till_
    for client in joined:
        await client.connection.close()


def refused(answer: httpx2.Response, code: str, reason: str = "") -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (401, code), body
    assert reason in body["title"], body
    return body


@pytest.mark.parametrize("on_curve", [False, True], ids=["Ed25519", "P-256"])
async def test_a_till_asks_to_be_paid_and_sees_it_at_both_doors(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    join: Join,
    enter: Enter,
    enter_till: JoinTill,
    tenant: Tenant,
    shop: Somebody,
    on_curve: bool,
) -> None:
    payer = await enter(tenant, funds=500)
    till = await till_of(web, hubs.a, shop, on_curve=on_curve)
    watching = await enter_till(hubs.b, till)
    await watching.ask("follow", account=till.account)
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    body = {"charge": one, "payee": till.account, "amount": 120, "description": "Two coffees"}
    assert (await till.ask(web, hubs.a, "POST", "/v1/charges", body)).status_code == 201
    assert (await watching.ask("create_charge", charge=other, payee=till.account))["charge"]["status"] == "open"
    paying = await join(hubs.a, payer)
    paid = await paying.pay(payer.account, till.account, 120, charge=one)
    assert paid["status"] == "posted"
    (event,) = await watching.events(1)
    assert (event["what"], event["charge"], event["amount"]) == ("charge.paid", one, 120)
    read = await till.ask(web, hubs.b, "GET", f"/v1/charges/{one}")
    assert read.json()["charge"]["status"] == "paid"
    assert (await watching.ask("cancel_charge", charge=other))["charge"]["status"] == "cancelled"
    page = await till.ask(web, hubs.a, "GET", f"/v1/accounts/{till.account}/history?limit=1")
    assert page.json()["entries"][0]["payment"] == paid["payment"]


async def test_a_till_does_what_a_till_is_for_and_nothing_else(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, enter_till: JoinTill, tenant: Tenant, shop: Somebody
) -> None:
    payer = await enter(tenant, funds=500)
    paying = await join(hubs.a, payer)
    paid = await paying.pay(payer.account, shop.account, 100)
    till = await till_of(web, hubs.a, shop)
    client = await enter_till(hubs.a, till)
    refund = {"payment": str(uuid.uuid4()), "about": paid["payment"], "amount": 30}
    part = {"type": "pay", "payment": str(uuid.uuid4()), "payer": shop.account, "payee": payer.account, "amount": 1}
    for type_, fields in (
        ("pay", {key: value for key, value in part.items() if key != "type"}),
        ("refund", refund),
        ("link", {"parts": [part]}),
        ("dry_run", {"parts": [part]}),
        ("resume", {"in_doubt": [paid["payment"]]}),
        ("payee", {"account": payer.account}),
        ("authorize", {key: value for key, value in part.items() if key != "type"}),
        ("api_keys", {}),
        ("create_api_key", {"name": "x", "scopes": ["payments:write"]}),
        ("create_pairing_code", {"account": shop.account, "name": "x"}),
        ("terminals", {}),
        ("revoke_terminal", {"terminal": till.terminal}),
        ("change_terminal", {"terminal": till.terminal, "may_refund": True}),
        ("set_own_limit", {"account": shop.account, "measure": "day", "max": 1}),
        ("bulks", {"account": shop.account}),
        ("search", {"account": shop.account}),
    ):
        answer = await client.ask(type_, **fields)
        assert (answer["type"], answer["code"]) == ("error", "scope_missing"), (type_, answer)
    body = {"payment": refund["payment"], "amount": 30}
    there = await till.ask(web, hubs.b, "POST", f"/v1/payments/{paid['payment']}/refund", body)
    assert (there.status_code, there.json()["code"]) == (403, "scope_missing")
    allowed = await till_of(web, hubs.a, shop, may_refund=True)
    client = await enter_till(hubs.b, allowed)
    assert (await client.ask("refund", **refund))["status"] == "posted"
    assert (await client.pay(shop.account, payer.account, 1))["code"] == "scope_missing"


async def test_a_till_takes_what_was_reserved_for_its_account_and_lets_the_rest_go(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    join: Join,
    enter: Enter,
    enter_till: JoinTill,
    tenant: Tenant,
    shop: Somebody,
    pool: Pool,
) -> None:
    second = await open_account(pool, tenant.id, shop.person)
    payer = await enter(tenant, funds=1_000)
    paying = await join(hubs.a, payer)
    till = await till_of(web, hubs.a, shop)
    client = await enter_till(hubs.b, till)
    held, elsewhere = str(uuid.uuid4()), str(uuid.uuid4())
    for payment, payee in ((held, till.account), (elsewhere, second)):
        wanted = {"payment": payment, "payer": payer.account, "payee": payee, "amount": 300, "lasts_s": 3_600}
        assert (await paying.ask("authorize", **wanted))["status"] == "posted"
    life = (await client.ask("read_payment", payment=held))["life"]
    assert (life["kind"], life["held"], "expires_at" in life) == ("authorize", 300, True)
    assert (await client.ask("read_proof", payment=held))["facts"]["amount"] == 300
    # What waits at the shop's other account is not this till's, nor is what the shop paid from there.
    sent = str(uuid.uuid4())
    mine = await join(hubs.a, shop)
    await paying.pay(payer.account, second, 50)
    assert (await mine.pay(second, payer.account, 20, sent))["status"] == "posted"
    for type_, fields in (
        ("read_payment", {"payment": elsewhere}),
        ("read_payment", {"payment": sent}),
        ("read_proof", {"payment": sent}),
        ("capture", {"payment": str(uuid.uuid4()), "about": elsewhere, "amount": 1}),
        ("void", {"payment": str(uuid.uuid4()), "about": elsewhere}),
    ):
        assert (await client.ask(type_, **fields))["code"] == "not_found", (type_, fields)
    parts = [
        {"type": "capture", "payment": str(uuid.uuid4()), "about": held, "amount": amount, "final": amount == 70}
        for amount in (50, 70)
    ]
    for _ in range(2):  # the second time, every part drops by its id
        answer = await client.ask("link", parts=parts)
        assert (answer["posted"], [one["status"] for one in answer["payments"]]) == (True, ["posted"] * 2)
    state = (await paying.ask("account", account=payer.account))["account"]
    assert (state["posted"], state["held"]) == (1_000 - 50 - 120 + 20, 300)


async def test_a_till_sees_its_own_account_and_no_other(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    join: Join,
    enter: Enter,
    enter_till: JoinTill,
    tenant: Tenant,
    shop: Somebody,
    pool: Pool,
) -> None:
    second = await open_account(pool, tenant.id, shop.person)
    payer = await enter(tenant, funds=500)
    paying = await join(hubs.a, payer)
    paid = await paying.pay(payer.account, second, 100)
    till = await till_of(web, hubs.a, shop, may_refund=True)
    client = await enter_till(hubs.a, till)
    for _ in range(2):  # asking for all of them does not widen what it may use
        assert [one["account"] for one in (await client.ask("accounts"))["accounts"]] == [shop.account]
        listed = (await till.ask(web, hubs.b, "GET", ACCOUNTS)).json()["accounts"]
        assert [one["account"] for one in listed] == [shop.account]
        for account in (second, payer.account, 987_654_321_000):
            for type_, fields in (
                ("balance", {"account": account}),
                ("history", {"account": account}),
                ("follow", {"account": account}),
                ("resume", {"follow": [[account, 0]]}),
                ("charges", {"account": account}),
                ("create_charge", {"charge": str(uuid.uuid4()), "payee": account}),
            ):
                assert (await client.ask(type_, **fields))["code"] == "not_found", (type_, account)
            there = await till.ask(web, hubs.b, "GET", f"{ACCOUNTS}/{account}/balance")
            assert (there.status_code, there.json()["code"]) == (404, "not_found")
    refund = {"payment": str(uuid.uuid4()), "about": paid["payment"], "amount": 30}
    assert (await client.ask("refund", **refund))["code"] == "not_found"


async def test_a_stolen_token_is_worth_nothing_without_its_key(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody
) -> None:
    till, thief = await till_of(web, hubs.a, shop), Till()
    thief.slug, thief.token = till.slug, till.token
    url = hubs.b.url + ACCOUNTS
    # Without a proof, whatever it is called.
    for scheme in ("Bearer", "DPoP"):
        answer = await web.get(url, headers={"authorization": f"{scheme} {till.token}"})
        refused(answer, "proof_nonce_required")
        assert answer.headers["www-authenticate"].startswith('DPoP error="use_dpop_nonce"')
    refused(await thief.ask(web, hubs.b, "GET", ACCOUNTS), "possession_refused", "proof_other_key")
    # With a good proof, but as if it were not bound.
    proof = till.proof("GET", url, await nonce_of(web, hubs.b, till.slug), till.token)
    answer = await web.get(url, headers={"authorization": f"Bearer {till.token}", "dpop": proof})
    refused(answer, "possession_refused", "proof_other_key")
    # A token that is not bound is not made so by a proof.
    proof = till.proof("GET", url, await nonce_of(web, hubs.b, till.slug), shop.token)
    answer = await web.get(url, headers={"authorization": f"DPoP {shop.token}", "dpop": proof})
    refused(answer, "possession_refused", "proof_other_key")
    async with await Stranger.connect(hubs.a.socket_url) as client:
        answer_there = await client.authenticate(till.token)
        assert (answer_there["code"], "proof_missing" in answer_there["message"]) == ("possession_refused", True)
        assert await client.closed() == 4501
    async with await Stranger.connect(hubs.a.socket_url) as client:
        answer_there = await thief.enter(client)
        assert (answer_there["code"], "proof_other_key" in answer_there["message"]) == ("possession_refused", True)
        assert await client.closed() == 4501
    # Its owner is not put out by any of this.
    assert (await till.ask(web, hubs.b, "GET", ACCOUNTS)).status_code == 200


async def test_a_proof_is_taken_once_by_all_hubs_together(hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody) -> None:
    till = await till_of(web, hubs.a, shop)
    url = hubs.a.url + ACCOUNTS

    def proof(nonce: str, **changed: Any) -> str:
        return till.proof("GET", url, nonce, till.token, **changed)

    first = proof(await nonce_of(web, hubs.b, till.slug))
    assert (await till.ask_with(web, hubs.a, "GET", ACCOUNTS, first)).status_code == 200
    refused(await till.ask_with(web, hubs.a, "GET", ACCOUNTS, first), "possession_refused", "proof_replayed")
    # The same nonce in another proof; the same id with another nonce.
    nonce = await nonce_of(web, hubs.a, till.slug)
    assert (await till.ask_with(web, hubs.a, "GET", ACCOUNTS, proof(nonce, jti="the-same-id-again"))).status_code == 200
    refused(await till.ask_with(web, hubs.a, "GET", ACCOUNTS, proof(nonce)), "possession_refused", "proof_replayed")
    again = proof(await nonce_of(web, hubs.a, till.slug), jti="the-same-id-again")
    refused(await till.ask_with(web, hubs.a, "GET", ACCOUNTS, again), "possession_refused", "proof_replayed")
    # Sent many times at once.
    flood = proof(await nonce_of(web, hubs.a, till.slug))
    answers = await asyncio.gather(*(till.ask_with(web, hubs.a, "GET", ACCOUNTS, flood) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_a_nonce_used_at_two_hubs_at_once_is_taken_by_one(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody
) -> None:
    till = await till_of(web, hubs.a, shop)
    body = {"tenant": till.slug, "terminal": till.terminal}
    for _ in range(5):
        nonce = await nonce_of(web, hubs.a, till.slug)

        async def log_in(hub: HubProcess, nonce: str = nonce) -> int:
            url = f"{hub.url}/v1/login/terminal"
            answer = await web.post(url, json=body, headers={"dpop": till.proof("POST", url, nonce)})
            if answer.status_code != 200:
                refused(answer, "possession_refused", "proof_replayed")
            return answer.status_code

        # Each has a proof of its own, for its own address, over the one nonce.
        answers = await asyncio.gather(*(log_in(hub) for hub in (hubs.a, hubs.b, hubs.a, hubs.b)))
        assert sorted(answers) == [200, 401, 401, 401]


async def test_a_nonce_of_one_hub_is_taken_by_another(hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody) -> None:
    till = await till_of(web, hubs.a, shop)
    body = {"tenant": till.slug, "terminal": till.terminal}
    nonce = await nonce_of(web, hubs.a, till.slug)
    url = f"{hubs.b.url}/v1/login/terminal"
    answer = await web.post(url, json=body, headers={"dpop": till.proof("POST", url, nonce)})
    assert answer.status_code == 200
    # The answer has the next one, also when it is no.
    for _ in range(3):
        token = answer.json().get("access_token", till.token)
        address = f"{hubs.a.url}/v1/accounts"
        proof = till.proof("GET", address, answer.headers["dpop-nonce"], token)
        answer = await web.get(address, headers={"authorization": f"DPoP {token}", "dpop": proof})
        assert answer.status_code == 200
        till.token = token


async def test_a_proof_is_for_one_request(hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody) -> None:
    till = await till_of(web, hubs.a, shop)
    other = await till_of(web, hubs.a, shop)
    for changed, reason in (
        ({"htm": "POST"}, "proof_method"),
        ({"htu": f"{hubs.a.url}/v1/profile"}, "proof_address"),
        ({"htu": "https://evil.example/v1/accounts"}, "proof_address"),
        ({"htu": hubs.b.url + ACCOUNTS}, "proof_address"),
        ({"ath": None}, "proof_hash"),
        ({"ath": "x" * 43}, "proof_hash"),
    ):
        refused(await till.ask(web, hubs.a, "GET", ACCOUNTS, **changed), "possession_refused", reason)
    # A proof for another token of another till, with the thief's key or the right one.
    nonce = await nonce_of(web, hubs.a, till.slug)
    proof = till.proof("GET", hubs.a.url + ACCOUNTS, nonce, other.token)
    refused(await till.ask_with(web, hubs.a, "GET", ACCOUNTS, proof), "possession_refused", "proof_hash")
    # A relay that names itself as the host changes nothing.
    proof = till.proof("GET", "http://evil.example/v1/accounts", nonce, till.token)
    headers = {"authorization": f"DPoP {till.token}", "dpop": proof, "host": "evil.example"}
    refused(await web.get(hubs.a.url + ACCOUNTS, headers=headers), "possession_refused", "proof_address")
    two = [("authorization", f"DPoP {till.token}"), ("dpop", proof), ("dpop", proof)]
    refused(await web.get(hubs.a.url + ACCOUNTS, headers=two), "possession_refused", "proof_malformed")


async def test_a_nonce_is_of_this_tenant_for_this_purpose_and_fresh(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, other_tenant: Tenant, keys: Safe, tenant: Tenant
) -> None:
    till = await till_of(web, hubs.a, shop)
    ours = Nonces(await keys.secret("nonces"))
    now = time.time()
    for nonce in (
        await nonce_of(web, hubs.a, other_tenant.slug),
        await nonce_of(web, hubs.a, till.slug, "login"),
        ours.mint(tenant.id, Purpose.PROOF, now - 61).nonce,
        Nonces(bytes(32)).mint(tenant.id, Purpose.PROOF, now).nonce,
        "",
        "nonsense",
    ):
        proof = till.proof("GET", hubs.a.url + ACCOUNTS, nonce, till.token)
        answer = await till.ask_with(web, hubs.a, "GET", ACCOUNTS, proof)
        refused(answer, "proof_nonce_required")
        # What it should have been is in the answer.
        proof = till.proof("GET", hubs.a.url + ACCOUNTS, answer.headers["dpop-nonce"], till.token)
        assert (await till.ask_with(web, hubs.a, "GET", ACCOUNTS, proof)).status_code == 200
    young = ours.mint(tenant.id, Purpose.PROOF, now - 50).nonce
    proof = till.proof("GET", hubs.a.url + ACCOUNTS, young, till.token)
    assert (await till.ask_with(web, hubs.a, "GET", ACCOUNTS, proof)).status_code == 200


@pytest.mark.parametrize("skew_s", [-60, 60, -600, 600])
async def test_a_clock_may_be_a_minute_off_and_ten_minutes_are_told_the_time(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, skew_s: float
) -> None:
    till = await till_of(web, hubs.a, shop)
    till.skew_s = skew_s
    answer = await till.ask(web, hubs.a, "GET", ACCOUNTS)
    async with await Stranger.connect(hubs.b.socket_url) as client:
        there = await till.enter(client)
    if abs(skew_s) == 60:
        assert (answer.status_code, there["type"]) == (200, "welcome")
        return
    told = refused(answer, "clock_skewed")
    for at in (told["at"], there["at"]):
        assert abs(datetime.datetime.fromisoformat(at).timestamp() - time.time()) < 5
    assert there["code"] == "clock_skewed"
    # A till that sets its clock by that is let in.
    till.skew_s = 0
    assert (await till.ask(web, hubs.a, "GET", ACCOUNTS)).status_code == 200
    refused(await Till(skew_s=skew_s).pair(web, hubs.a, till.slug, await make_code(web, hubs.a, shop)), "clock_skewed")


async def test_a_megabyte_is_no_proof(hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody) -> None:
    till = await till_of(web, hubs.a, shop)
    raw = await RawSocket.upgraded(hubs.a.port)
    raw.send(frame(b'{"type":"authenticate","token":"x","proof":"' + b"A" * 1_000_000 + b'"}'))
    assert await raw.close_code() == 1009
    http = await RawSocket.connect(hubs.a.port)
    http.send(b"GET /v1/accounts HTTP/1.1\r\nhost: x\r\ndpop: " + b"A" * 1_000_000 + b"\r\n\r\n")
    assert (await http.head()).startswith("HTTP/1.1 431")
    answer = await till.ask_with(web, hubs.a, "GET", ACCOUNTS, "A" * 4_000)
    refused(answer, "possession_refused", "proof_too_large")


async def test_a_challenge_is_for_one_connection_and_one_token(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, enter_till: JoinTill
) -> None:
    till = await till_of(web, hubs.a, shop)
    first, second = [await Stranger.connect(hubs.a.socket_url) for _ in range(2)]
    async with first, second:
        nonce = (await first.ask("challenge"))["nonce"]
        proof = till.socket_proof(nonce, till.token)
        message = {"type": "authenticate", "token": till.token, "proof": proof}
        await first.send(message)
        assert (await first.receive())["type"] == "welcome"
        assert (await first.ask("challenge"))["code"] == "already_authenticated"
        assert await first.closed() == 4502
        # Overheard, and sent again on another connection.
        await second.ask("challenge")
        await second.send(message)
        answer = await second.receive()
        assert (answer["code"], "proof_nonce" in answer["message"]) == ("possession_refused", True)
        assert await second.closed() == 4501
    for changed, reason in (
        ({"nonce": "x" * 43}, "proof_nonce"),
        ({"aud": "payhub-web"}, "proof_door"),
        ({"tenant": "another"}, "proof_tenant"),
        ({"ath": "x" * 43}, "proof_hash"),
    ):
        async with await Stranger.connect(hubs.b.socket_url) as client:
            answer = await till.enter(client, **changed)
            assert (answer["code"], reason in answer["message"]) == ("possession_refused", True), answer
    # A later challenge takes the earlier one's place; and a proof without any is none.
    async with await Stranger.connect(hubs.b.socket_url) as client:
        nonce = (await client.ask("challenge"))["nonce"]
        assert (await till.enter(client, nonce=nonce))["code"] == "possession_refused"
    async with await Stranger.connect(hubs.b.socket_url) as client:
        await client.send({"type": "authenticate", "token": till.token, "proof": till.socket_proof("", till.token)})
        assert "proof_missing" in (await client.receive())["message"]


async def test_a_token_of_the_same_till_renews_its_socket_and_nobody_elses_does(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, enter_till: JoinTill
) -> None:
    till, other = await till_of(web, hubs.a, shop), await till_of(web, hubs.a, shop)
    client = await enter_till(hubs.b, till)
    await till.log_in(web, hubs.a)
    assert (await client.ask("renew", token=till.token))["type"] == "renewed"
    for token in (other.token, shop.token):
        assert (await client.ask("renew", token=token))["code"] == "authentication_failed"


async def test_a_revoked_tills_sockets_are_closed_within_a_second_and_its_token_is_over(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, enter_till: JoinTill
) -> None:
    till, other = await till_of(web, hubs.a, shop), await till_of(web, hubs.a, shop)
    clients = [await enter_till(hub, till) for hub in (hubs.a, hubs.b)]
    bystander = await enter_till(hubs.b, other)
    for hub in (hubs.a, hubs.b):
        assert (await till.ask(web, hub, "GET", ACCOUNTS)).status_code == 200
    started = time.monotonic()
    answer = await web.delete(f"{hubs.a.url}/v1/terminals/{till.terminal}", headers=bearer(shop))
    assert answer.status_code == 200
    assert await asyncio.gather(*(client.closed() for client in clients)) == [4503] * 2
    assert time.monotonic() - started < 1.5
    for hub in (hubs.a, hubs.b):
        refused(await till.ask(web, hub, "GET", ACCOUNTS), "authentication_failed")
        refused(await till.log_in(web, hub), "credentials_refused")
    assert (await bystander.ask("ping"))["type"] == "pong"
    answer = await web.put(
        f"{hubs.a.url}/v1/terminals/{till.terminal}", json={"may_refund": True}, headers=bearer(shop)
    )
    assert answer.status_code == 404


async def test_a_till_that_may_do_something_else_logs_in_again(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, enter_till: JoinTill
) -> None:
    till = await till_of(web, hubs.a, shop, may_refund=True)
    client = await enter_till(hubs.b, till)
    url = f"{hubs.a.url}/v1/terminals/{till.terminal}"
    assert (await web.put(url, json={"name": "Caixa 7"}, headers=bearer(shop))).json()["terminal"]["name"] == "Caixa 7"
    assert (await client.ask("ping"))["type"] == "pong"
    await web.put(url, json={"may_refund": False}, headers=bearer(shop))
    assert await client.closed() == 4503
    refused(await till.ask(web, hubs.a, "GET", ACCOUNTS), "authentication_failed")
    answer = await till.log_in(web, hubs.b)
    assert answer.json()["scopes"] == ["accounts:read", "payments:read", "holds:write", "charges:read", "charges:write"]
    assert (await till.ask(web, hubs.a, "GET", ACCOUNTS)).status_code == 200


async def test_whatever_is_wrong_with_a_till_is_answered_alike(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, shop: Somebody, other_tenant: Tenant
) -> None:
    till, revoked = await till_of(web, hubs.a, shop), await till_of(web, hubs.a, shop)
    foreign = await till_of(web, hubs.a, await enter(other_tenant, Role.MERCHANT))
    await web.delete(f"{hubs.a.url}/v1/terminals/{revoked.terminal}", headers=bearer(shop))
    unknown, anothers = Till(), Till()
    unknown.slug, unknown.terminal = till.slug, str(uuid.uuid4())
    anothers.slug, anothers.terminal = till.slug, till.terminal
    foreign.slug = till.slug
    answers = [await one.log_in(web, hubs.b) for one in (unknown, anothers, revoked, foreign)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert answers[0].json()["code"] == "credentials_refused"


async def test_a_code_pairs_one_till_whichever_hub_it_comes_to(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, tenant: Tenant
) -> None:
    code = await make_code(web, hubs.a, shop)
    tills = [Till(on_curve=bool(at % 2)) for at in range(4)]
    answers = await asyncio.gather(
        *(till.pair(web, hub, tenant.slug, code) for till, hub in zip(tills, (hubs.a, hubs.b) * 2, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 401} == {"credentials_refused"}


async def test_a_right_code_with_bad_proofs_tells_nothing_and_is_used_up(
    web: httpx2.AsyncClient, shop: Somebody, tenant: Tenant, start_hub: StartHub
) -> None:
    # Apart from the others, or it would use up this address at theirs, too.
    hub = await start_hub("mispaired", redis_url=NO_REDIS)
    right = await make_code(web, hub, shop)
    url, till = f"{hub.url}/v1/terminals/pair", Till()
    texts = set()
    for at in range(3):
        code = right if at else "ACDEFGHJ"
        proof = till.proof("POST", url, await nonce_of(web, hub, tenant.slug), htm="GET")
        answer = await web.post(url, json={"tenant": tenant.slug, "code": code}, headers={"dpop": proof})
        refused(answer, "possession_refused", "proof_method")
        texts.add(answer.text)
    assert len(texts) == 1
    # Whoever comes without a nonce has tried nothing.
    for _ in range(20):
        answer = await web.post(url, json={"tenant": tenant.slug, "code": right})
        refused(answer, "proof_nonce_required")
    last = await Till().pair(web, hub, tenant.slug, right)
    assert last.status_code == 201
    spent = await make_code(web, hub, shop)
    for _ in range(ATTEMPTS_MAX):
        proof = till.proof("POST", url, await nonce_of(web, hub, tenant.slug), htm="GET")
        await web.post(url, json={"tenant": tenant.slug, "code": spent}, headers={"dpop": proof})
    refused(await Till().pair(web, hub, tenant.slug, spent), "credentials_refused")


async def test_guessing_codes_is_slowed_down(
    web: httpx2.AsyncClient, shop: Somebody, tenant: Tenant, start_hub: StartHub
) -> None:
    hub = await start_hub("guessed-codes", redis_url=NO_REDIS)
    for _ in range(15):  # pairing many tills is no guessing
        assert (await Till().pair(web, hub, tenant.slug, await make_code(web, hub, shop))).status_code == 201
    codes = [(await Till().pair(web, hub, tenant.slug, "ACDEFGHJ")).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2


async def test_guessing_codes_from_many_addresses_is_slowed_down_for_the_tenant(
    web: httpx2.AsyncClient, shop: Somebody, other_tenant: Tenant, enter: Enter, tenant: Tenant, start_hub: StartHub
) -> None:
    hub = await start_hub("guessed-by-many", redis_url=NO_REDIS)
    codes: list[int] = []
    for at in range(2, 10):
        transport = httpx2.AsyncHTTPTransport(local_address=f"127.0.0.{at}")
        async with httpx2.AsyncClient(transport=transport, timeout=15) as elsewhere:
            tried = [(await Till().pair(elsewhere, hub, tenant.slug, "ACDEFGHJ")).status_code for _ in range(10)]
            codes += tried
    # Sixty, and one more for each second that went by; from each address there were ten to have.
    assert 60 <= codes.count(401) < 80
    assert codes[-1] == 429
    # Another tenant's are not slowed down by that.
    rival = await enter(other_tenant, Role.MERCHANT)
    paired = await Till().pair(web, hub, other_tenant.slug, await make_code(web, hub, rival))
    assert paired.status_code == 201


async def test_a_key_pairs_one_till(hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, tenant: Tenant) -> None:
    till = await till_of(web, hubs.a, shop)
    again = await till.pair(web, hubs.b, tenant.slug, await make_code(web, hubs.a, shop))
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_a_till_is_one_by_itself_among_its_merchants_connections(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, join: Join, enter_till: JoinTill
) -> None:
    till, other = await till_of(web, hubs.a, shop), await till_of(web, hubs.a, shop)
    for _ in range(64):
        await join(hubs.a, shop)
    for _ in range(4):
        await enter_till(hubs.a, till)
    async with await Stranger.connect(hubs.a.socket_url) as client:
        challenge = await client.ask("challenge")
        proof = till.socket_proof(challenge["nonce"], till.token)
        await client.send({"type": "authenticate", "token": till.token, "proof": proof})
        assert await client.closed() == 4004
    await enter_till(hubs.a, other)


async def test_what_a_till_has_seen_its_merchant_has_not(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    enter: Enter,
    join: Join,
    shop: Somebody,
    tenant: Tenant,
    enter_till: JoinTill,
    admin: Pool,
) -> None:
    payer = await enter(tenant, funds=10)
    till = await till_of(web, hubs.a, shop)
    client, paying, merchant = await enter_till(hubs.a, till), await join(hubs.a, payer), await join(hubs.a, shop)
    for one in (client, merchant):
        await one.ask("follow", account=shop.account)
    await paying.pay(payer.account, shop.account, 1)
    (event,) = await client.events(1)
    await client.send({"type": "ack", "account": shop.account, "number": event["number"]})
    await client.ask("ping")
    count = "select count(*) from acknowledgements where tenant_id = $1 and person_id = $2"
    await asyncio.sleep(1.5)
    assert await admin.fetchval(count, tenant.id, shop.person) == 0
    await merchant.events(1)
    await merchant.send({"type": "ack", "account": shop.account, "number": event["number"]})
    async with asyncio.timeout(10):
        while await admin.fetchval(count, tenant.id, shop.person) == 0:
            await asyncio.sleep(0.1)


async def test_every_step_of_a_till_is_in_the_trail(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, tenant: Tenant, pool: Pool
) -> None:
    till = await till_of(web, hubs.a, shop)
    for _ in range(3):  # requests are not uses: the trail has the log-in
        await till.ask(web, hubs.a, "GET", ACCOUNTS)
    await web.delete(f"{hubs.a.url}/v1/terminals/{till.terminal}", headers=bearer(shop))
    entries = [
        entry for entry in reversed(await read_trail(pool, tenant.id, 50)) if not entry.what.startswith("session.")
    ]
    assert [entry.what for entry in entries] == [
        "terminal.code_made",
        "terminal.paired",
        "terminal.used",
        "terminal.revoked",
    ]
    made, paired, used, revoked = entries
    assert (made.who, made.session_id, made.network) == (shop.person, shop.session, network_of(web))
    assert (paired.session_id, paired.network) == (used.session_id, used.network)
    assert (revoked.who, revoked.about) == (shop.person, till.terminal)


async def test_merchants_have_tills_and_nobody_sees_a_rivals(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, shop: Somebody, tenant: Tenant, other_tenant: Tenant
) -> None:
    till = await till_of(web, hubs.a, shop)
    rival, customer = await enter(tenant, Role.MERCHANT), await enter(tenant)
    foreign = await enter(other_tenant, Role.OPERATOR)
    for who, status in ((rival, 404), (customer, 403), (foreign, 404)):
        answer = await web.delete(f"{hubs.a.url}/v1/terminals/{till.terminal}", headers=bearer(who))
        assert answer.status_code == status
        answer = await web.put(f"{hubs.a.url}/v1/terminals/{till.terminal}", json={"name": "x"}, headers=bearer(who))
        assert answer.status_code == status
    body = {"account": shop.account, "name": "x"}
    answer = await web.post(f"{hubs.a.url}/v1/terminals/codes", json=body, headers=bearer(rival))
    assert (answer.status_code, answer.json()["field"]) == (404, "account")
    assert (await web.get(f"{hubs.a.url}/v1/terminals", headers=bearer(rival))).json()["terminals"] == []
    # A key has no say over tills, and none over keys.
    _, secret = await make_key(web, hubs.a, shop, "charges:write", "accounts:read")
    program = shop._replace(token=(await trade(web, hubs.a, tenant.slug, secret)).json()["access_token"])
    for method, path in (("POST", "/v1/terminals/codes"), ("GET", "/v1/terminals"), ("GET", "/v1/api-keys")):
        answer = await web.request(
            method, hubs.a.url + path, json=body if method == "POST" else None, headers=bearer(program)
        )
        assert answer.json()["code"] == "scope_missing"

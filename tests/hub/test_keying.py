"""Programs that speak with a key: what its scopes allow, from where it may, and not a moment longer."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import jwt
import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from core.audit.trail import read_trail
from core.database import Pool
from core.machines.secret import draw_secret
from core.people.opening import Tenant
from core.people.persons import PersonStatus, Role
from hub.commands.scoping import COMMANDS, needs_of
from hub.commands.table import ROWS
from hub.protocol.fields import Command
from hub.protocol.messages import Authenticate, Renew
from hub.protocol.scopes import INCLUDED_IN, SCOPE_MEANINGS, Scope
from hub.session import BEFORE_A_SESSION
from tests.core.people.standings import stand
from tests.hub.conftest import Enter, Hubs, Join, Somebody, StartHub
from tests.hub.known import network_of
from tests.hub.machines import bearer, make_key, program_of, speak_with, trade
from tests.hub.protocol.examples import from_client
from tests.hub.stranger import JSON, Stranger

COMMANDS_OF_CLIENTS = [
    one for one in from_client() if isinstance(one, Command) and type(one) not in {Renew, *BEFORE_A_SESSION}
]
NO_REDIS = "redis://127.0.0.1:1/0"
PLACES = {row.takes: row for row in ROWS}


@pytest_asyncio.fixture
async def shop(enter: Enter, tenant: Tenant) -> Somebody:
    return await enter(tenant, Role.MERCHANT, funds=1_000)


@pytest_asyncio.fixture
async def from_elsewhere() -> AsyncIterator[httpx2.AsyncClient]:
    """A client with another address of this machine."""
    transport = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx2.AsyncClient(transport=transport, timeout=15) as client:
        yield client


def fields_of(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(message)
    return {name: value for name, value in found.items() if name not in {"type", "id"}}


async def over_http(web: httpx2.AsyncClient, url: str, who: Somebody, message: Any) -> httpx2.Response:
    """The command as its row says that it is asked for over HTTP."""
    row, fields = PLACES[type(message)], fields_of(message)
    path = row.path
    for name in [name for name in fields if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", str(fields.pop(name)))
    if row.method in {"GET", "DELETE"}:
        query = {name: str(value).lower() if isinstance(value, bool) else value for name, value in fields.items()}
        return await web.request(row.method, url + path, params=query, headers=bearer(who))
    return await web.request(row.method, url + path, json=fields, headers=bearer(who))


async def test_a_key_speaks_at_both_doors_as_its_merchant(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, shop: Somebody
) -> None:
    payee = await enter(tenant)
    program = await program_of(web, hubs.a, shop, "payments:write", "accounts:read")
    client = await join(hubs.b, program)
    assert (await client.pay(shop.account, payee.account, 5))["status"] == "posted"
    answer = await web.get(f"{hubs.a.url}/v1/accounts/{shop.account}/balance", headers=bearer(program))
    assert answer.json()["posted"] == 995
    claims = jwt.decode(program.token, options={"verify_signature": False})
    assert claims["scope"] == "accounts:read payments:write"
    assert (claims["sub"], claims["role"]) == (shop.person, Role.MERCHANT)


def test_every_scope_is_needed_by_something_and_says_what_it_is() -> None:
    assert {scope for needs in COMMANDS.values() for scope in needs or ()} == {*Scope} == SCOPE_MEANINGS.keys()


def test_what_a_stolen_key_must_not_do_is_for_people() -> None:
    alone = {row.takes.__name__ for row in ROWS if row.scope is None}
    assert alone >= {
        "OpenPerson",
        "SetFloor",
        "SetOwnLimit",
        "ListPayee",
        "ApproveBulk",
        "Reverse",
        "Release",
        "Decline",
        "SetRule",
        "SetTerms",
        "DecideDispute",
        "CreateApiKey",
        "RotateApiKey",
        "RevokeApiKey",
        "ReadApiKeys",
        "InviteSeat",
        "ChangeSeat",
        "EndSeat",
        "AcceptSeat",
        "ActInSeat",
    }


INCLUDED_BY = {larger: smaller for smaller, larger in INCLUDED_IN.items()}


@pytest_asyncio.fixture
async def all_but(hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody) -> dict[Scope | None, Somebody]:
    """A program that lacks one scope, and what includes it, for each; and under None one that has them all."""
    lacking: tuple[Scope | None, ...] = (*Scope, None)
    return {
        lacks: await program_of(
            web, hubs.a, shop, *(one for one in Scope if lacks not in {one, INCLUDED_BY.get(one, one)})
        )
        for lacks in lacking
    }


async def test_no_command_is_carried_out_without_its_scope_at_either_door(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, all_but: dict[Scope | None, Somebody]
) -> None:
    clients = {lacks: await join(hubs.a, program) for lacks, program in all_but.items()}
    refused = 0
    for message in COMMANDS_OF_CLIENTS:
        needs, type_ = needs_of(message), str(message.__struct_config__.tag)
        # Each scope that it needs is missed once; what is for people is refused to who has them all.
        for lacks in (None,) if needs is None else sorted(needs):
            answer = await clients[lacks].ask(type_, **fields_of(message))
            assert (answer["type"], answer["code"]) == ("error", "scope_missing"), (type_, lacks)
            if lacks is not None:
                assert lacks in answer["message"]
            if type(message) in PLACES:
                there = await over_http(web, hubs.b.url, all_but[lacks], message)
                assert (there.status_code, there.json()["code"]) == (403, "scope_missing"), (type_, there.text)
            refused += 1
        if needs is not None:
            answer = await clients[None].ask(type_, **fields_of(message))
            assert answer.get("code") != "scope_missing", type_
    assert refused > 80


async def test_what_has_no_command_asks_for_a_scope_too(
    hubs: Hubs, web: httpx2.AsyncClient, all_but: dict[Scope | None, Somebody]
) -> None:
    one = str(uuid.uuid4())
    for lacks, method, path, body in (
        (Scope.PAYMENTS_WRITE, "POST", "/v1/payments/settle", {"in_doubt": [one]}),
        (Scope.CHARGES_READ, "GET", f"/v1/charges/{one}/qr.svg", None),
        (Scope.BULKS_WRITE, "PUT", f"/v1/bulks/{one}/file", None),
        (Scope.BULKS_READ, "GET", f"/v1/bulks/{one}/report.csv", None),
        (None, "POST", "/v1/logout", None),
    ):
        answer = await web.request(method, hubs.a.url + path, json=body, headers=bearer(all_but[lacks]))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path
    # Nobody was logged out.
    answer = await web.get(f"{hubs.a.url}/v1/accounts", headers=bearer(all_but[None]))
    assert answer.status_code == 200


async def test_a_refused_payment_leaves_nothing_behind(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, shop: Somebody
) -> None:
    payee = await enter(tenant)
    reading = await join(hubs.a, await program_of(web, hubs.a, shop, "accounts:read", "refunds:write"))
    payment = str(uuid.uuid4())
    part = {"type": "pay", "payment": payment, "payer": shop.account, "payee": payee.account, "amount": 7}
    for type_, fields in (
        ("pay", {name: value for name, value in part.items() if name != "type"}),
        ("link", {"parts": [part]}),
        ("dry_run", {"parts": [part]}),
        ("resume", {"in_doubt": [payment]}),
    ):
        assert (await reading.ask(type_, **fields))["code"] == "scope_missing", type_
    # Not even fenced: whoever may, makes it.
    paying = await join(hubs.b, await program_of(web, hubs.a, shop, "payments:write"))
    assert (await paying.pay(shop.account, payee.account, 7, payment))["status"] == "posted"


async def test_parts_need_what_they_would_need_alone(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, shop: Somebody
) -> None:
    payer = await enter(tenant, funds=100)
    customer = await join(hubs.a, payer)
    paid = await customer.pay(payer.account, shop.account, 50)
    refunding = await join(hubs.a, await program_of(web, hubs.a, shop, "refunds:write"))
    refund = {"type": "refund", "payment": str(uuid.uuid4()), "about": paid["payment"], "amount": 20}
    pay = {
        "type": "pay",
        "payment": str(uuid.uuid4()),
        "payer": shop.account,
        "payee": payer.account,
        "amount": 1,
    }
    reverse = {"type": "reverse", "payment": str(uuid.uuid4()), "about": paid["payment"]}
    assert (await refunding.ask("link", parts=[refund, pay]))["code"] == "scope_missing"
    assert (await refunding.ask("dry_run", parts=[reverse]))["code"] == "scope_missing"
    assert (await refunding.ask("link", parts=[refund]))["posted"] is True


async def test_whatever_is_wrong_with_a_key_is_answered_alike(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, other_tenant: Tenant, shop: Somebody
) -> None:
    there = await enter(other_tenant, Role.MERCHANT)
    _, good = await make_key(web, hubs.a, shop, "accounts:read")
    revoked, revoked_secret = await make_key(web, hubs.a, shop, "accounts:read")
    await web.delete(f"{hubs.a.url}/v1/api-keys/{revoked['key']}", headers=bearer(shop))
    over, over_secret = await make_key(web, hubs.a, shop, "accounts:read")
    await web.post(f"{hubs.a.url}/v1/api-keys/{over['key']}/rotate", json={"overlap_s": 0}, headers=bearer(shop))
    _, elsewhere = await make_key(web, hubs.a, shop, "accounts:read", networks=["192.0.2.0/24"])
    _, foreign = await make_key(web, hubs.a, there, "accounts:read")
    assert (await trade(web, hubs.a, tenant.slug, good)).status_code == 200
    answers = [
        await trade(web, hubs.b, slug, secret)
        for slug, secret in (
            (tenant.slug, draw_secret()),
            (tenant.slug, revoked_secret),
            (tenant.slug, over_secret),
            (tenant.slug, elsewhere),
            (tenant.slug, foreign),
            ("no-such-tenant", good),
            (tenant.slug, good[:-1] + ("A" if good[-1] != "A" else "B")),
            (tenant.slug, "x"),
            (tenant.slug, "phr_" + "A" * 43),
        )
    ]
    told = {(one.status_code, one.text, json.dumps({**one.headers, "x-trace-id": ""})) for one in answers}
    assert len(told) == 1, told
    assert answers[0].json()["code"] == "credentials_refused"


async def test_guessing_keys_is_slowed_down_and_using_one_is_not(
    web: httpx2.AsyncClient, tenant: Tenant, shop: Somebody, start_hub: StartHub
) -> None:
    # Apart from the others, or it would use up this address at theirs, too.
    hub = await start_hub("guessed-keys", redis_url=NO_REDIS)
    _, secret = await make_key(web, hub, shop, "accounts:read")
    for _ in range(40):
        assert (await trade(web, hub, tenant.slug, secret)).status_code == 200
    codes = []
    for _ in range(40):
        answer = await trade(web, hub, tenant.slug, draw_secret())
        codes.append(answer.status_code)
        if answer.status_code == 429:
            break
    assert codes[:20] == [401] * 20
    assert codes[-1] == 429
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_key_and_its_tokens_work_from_its_networks_alone(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    from_elsewhere: httpx2.AsyncClient,
    join: Join,
    tenant: Tenant,
    shop: Somebody,
) -> None:
    _, secret = await make_key(
        web, hubs.a, shop, "accounts:read", networks=["127.0.0.1", web.headers["x-forwarded-for"]]
    )
    program = await speak_with(web, hubs.a, shop, secret)
    assert (await trade(from_elsewhere, hubs.a, tenant.slug, secret)).json()["code"] == "credentials_refused"
    # A token that was stolen from it is refused elsewhere, also while it is remembered where it belongs.
    url = f"{hubs.a.url}/v1/accounts"
    assert (await web.get(url, headers=bearer(program))).status_code == 200
    stolen = await from_elsewhere.get(url, headers=bearer(program))
    assert (stolen.status_code, stolen.json()["code"]) == (401, "authentication_failed")
    assert (await web.get(url, headers=bearer(program))).status_code == 200
    await join(hubs.b, program)
    connection = await connect(
        hubs.b.socket_url,
        subprotocols=[Subprotocol(JSON)],
        compression=None,
        local_addr=("127.0.0.2", 0),
        proxy=None,
    )
    async with Stranger(connection, JSON) as thief:
        assert (await thief.authenticate(program.token))["code"] == "authentication_failed"
        assert await thief.closed() == 4501


async def test_a_revoked_keys_sockets_are_closed_within_a_second_and_nothing_is_paid_after(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, shop: Somebody
) -> None:
    payee = await enter(tenant)
    key, secret = await make_key(web, hubs.a, shop, "payments:write", "accounts:read")
    program, bystander = await speak_with(web, hubs.a, shop, secret), await join(hubs.b, shop)
    clients = [await join(hub, program) for hub in (hubs.a, hubs.b, hubs.b)]
    for hub in (hubs.a, hubs.b):  # remembered at both
        answer = await web.get(f"{hub.url}/v1/accounts", headers=bearer(program))
        assert answer.status_code == 200
    paying = True
    last_posted = 0.0

    async def pay(client: Stranger) -> None:
        nonlocal last_posted
        while paying:
            try:
                answer = await client.pay(shop.account, payee.account, 1)
            except Exception:
                return
            if answer.get("status") == "posted":
                last_posted = time.monotonic()

    payments = [asyncio.create_task(pay(client)) for client in clients]
    await asyncio.sleep(0.2)
    answer = await web.delete(f"{hubs.a.url}/v1/api-keys/{key['key']}", headers=bearer(shop))
    revoked_at = time.monotonic()
    assert answer.status_code == 200
    await asyncio.gather(*payments)
    closed_after = time.monotonic() - revoked_at
    paying = False
    assert closed_after < 1, closed_after
    assert [await client.closed() for client in clients] == [4503] * 3
    assert last_posted - revoked_at < 1
    body = {"payment": str(uuid.uuid4()), "payer": shop.account, "payee": payee.account, "amount": 1}
    for hub in (hubs.a, hubs.b):
        refused = await web.post(f"{hub.url}/v1/payments", json=body, headers=bearer(program))
        assert (refused.status_code, refused.json()["code"]) == (401, "authentication_failed")
        async with await Stranger.connect(hub.socket_url) as again:
            assert (await again.authenticate(program.token))["code"] == "authentication_failed"
    balance = (await bystander.ask("balance", account=shop.account))["posted"]
    await asyncio.sleep(0.5)
    assert (await bystander.ask("balance", account=shop.account))["posted"] == balance


async def test_without_redis_a_revoked_key_is_over_on_every_hub_within_five_seconds(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, tenant: Tenant, shop: Somebody, start_hub: StartHub
) -> None:
    alone = await start_hub("without-redis", redis_url=NO_REDIS)
    key, secret = await make_key(web, hubs.a, shop, "accounts:read")
    program = await speak_with(web, hubs.a, shop, secret)
    client = await join(alone, program)
    url = f"{alone.url}/v1/accounts"
    assert (await web.get(url, headers=bearer(program))).status_code == 200
    await web.delete(f"{hubs.a.url}/v1/api-keys/{key['key']}", headers=bearer(shop))
    started = time.monotonic()
    assert await client.closed() == 4503
    assert time.monotonic() - started < 5
    while (await web.get(url, headers=bearer(program))).status_code == 200:
        assert time.monotonic() - started < 5.5
        await asyncio.sleep(0.1)


async def test_both_keys_work_while_they_overlap_and_then_the_old_ones_sockets_are_closed(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, shop: Somebody, tenant: Tenant
) -> None:
    key, secret = await make_key(web, hubs.a, shop, "accounts:read")
    old = await join(hubs.b, await speak_with(web, hubs.a, shop, secret))
    answer = await web.post(
        f"{hubs.a.url}/v1/api-keys/{key['key']}/rotate", json={"overlap_s": 3}, headers=bearer(shop)
    )
    started = time.monotonic()
    successor = answer.json()["secret"]
    new = await join(hubs.b, await speak_with(web, hubs.b, shop, successor))
    lapsing = await trade(web, hubs.b, tenant.slug, secret)
    assert lapsing.status_code == 200
    # A token never outlives its key.
    assert lapsing.json()["expires_at"] <= answer.json()["old"]["expires_at"]
    await join(hubs.a, shop._replace(token=lapsing.json()["access_token"]))
    assert (await old.ask("accounts"))["type"] == "account_states"
    assert await old.closed() in {4503, 4002}
    assert 2 < time.monotonic() - started < 8
    assert (await trade(web, hubs.a, tenant.slug, secret)).status_code == 401
    assert (await new.ask("accounts"))["type"] == "account_states"
    assert (await trade(web, hubs.a, tenant.slug, successor)).status_code == 200


async def test_with_no_overlap_the_old_keys_sockets_are_closed_at_once(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, shop: Somebody
) -> None:
    key, secret = await make_key(web, hubs.a, shop, "accounts:read")
    old = await join(hubs.b, await speak_with(web, hubs.a, shop, secret))
    started = time.monotonic()
    await web.post(f"{hubs.a.url}/v1/api-keys/{key['key']}/rotate", json={"overlap_s": 0}, headers=bearer(shop))
    assert await old.closed() == 4503
    assert time.monotonic() - started < 1.5


async def test_a_blocked_merchants_keys_are_over(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, pool: Pool, shop: Somebody, tenant: Tenant
) -> None:
    _, secret = await make_key(web, hubs.a, shop, "accounts:read")
    client = await join(hubs.a, await speak_with(web, hubs.a, shop, secret))
    await stand(pool, tenant.id, shop.person, PersonStatus.BLOCKED)
    assert await client.closed() == 4503
    assert (await trade(web, hubs.a, tenant.slug, secret)).json()["code"] == "credentials_refused"


async def test_a_fresh_token_of_the_same_key_renews_its_socket_and_another_keys_does_not(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, shop: Somebody
) -> None:
    _, secret = await make_key(web, hubs.a, shop, "accounts:read")
    program = await speak_with(web, hubs.a, shop, secret)
    client = await join(hubs.a, program)
    assert (await client.ask("renew", token=(await speak_with(web, hubs.b, shop, secret)).token))["type"] == "renewed"
    for other in (await program_of(web, hubs.a, shop, "accounts:read", "payments:write"), shop):
        # Neither another key's nor the merchant's own: what a key may do does not grow on the way.
        assert (await client.ask("renew", token=other.token))["code"] == "authentication_failed"
    person = await join(hubs.a, shop)
    assert (await person.ask("renew", token=program.token))["code"] == "authentication_failed"


async def test_merchants_have_keys_and_operators_make_them_for_merchants(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, other_tenant: Tenant, shop: Somebody
) -> None:
    operator, customer = await enter(tenant, Role.OPERATOR), await enter(tenant)
    rival, foreign = await enter(tenant, Role.MERCHANT), await enter(other_tenant, Role.MERCHANT)
    wish = {"name": "x", "scopes": ["accounts:read"]}
    asking = {who.person: await join(hubs.a, who) for who in (operator, customer, rival, shop)}
    made = await asking[operator.person].ask("create_api_key", **wish, person=shop.person)
    key = made["key"]["key"]
    program = await speak_with(web, hubs.a, shop, made["secret"])
    assert jwt.decode(program.token, options={"verify_signature": False})["role"] == Role.MERCHANT
    nobody = str(uuid.uuid4())
    for who, fields, code, field in (
        (customer, {}, "forbidden", None),
        (operator, {}, "invalid_field", "person"),
        (operator, {"person": customer.person}, "not_found", "person"),
        (operator, {"person": operator.person}, "not_found", "person"),
        (operator, {"person": foreign.person}, "not_found", "person"),
        (operator, {"person": nobody}, "not_found", "person"),
        (shop, {"person": rival.person}, "not_found", "person"),
        (shop, {"person": nobody}, "not_found", "person"),
    ):
        answer = await asking[who.person].ask("create_api_key", **wish, **fields)
        assert (answer["code"], answer.get("field")) == (code, field), (who.role, fields)
    # Somebody else's key is like none.
    for one in (key, nobody):
        for type_, overlap in (("revoke_api_key", {}), ("rotate_api_key", {"overlap_s": 0})):
            answer = await asking[rival.person].ask(type_, key=one, **overlap)
            assert (answer["code"], answer["field"]) == ("not_found", "key")
    assert (await asking[rival.person].ask("api_keys"))["keys"] == []
    assert [one["key"] for one in (await asking[shop.person].ask("api_keys"))["keys"]] == [key]


BAD_WISHES: dict[str, tuple[dict[str, Any], str]] = {
    "no scope": ({"scopes": []}, "scopes"),
    "an unknown scope": ({"scopes": ["payments:all"]}, "scopes"),
    "a star": ({"scopes": ["*"]}, "scopes"),
    "a scope twice": ({"scopes": ["accounts:read", "accounts:read"]}, "scopes"),
    "a text of scopes": ({"scopes": "accounts:read"}, "scopes"),
    "no network": ({"networks": []}, "networks"),
    "a host": ({"networks": ["example.com"]}, "networks"),
    "bits beyond the network": ({"networks": ["192.0.2.7/24"]}, "networks"),
    "an interface": ({"networks": ["fe80::1%eth0"]}, "networks"),
    "too many networks": ({"networks": [f"192.0.2.{at}" for at in range(21)]}, "networks"),
    "a life of a second": ({"expires_in_s": 1}, "expires_in_s"),
    "a life of a century": ({"expires_in_s": 10**10}, "expires_in_s"),
    "a name of nothing": ({"name": ""}, "name"),
    "a name turned around": ({"name": "abc\u202egpj.exe"}, "name"),
    "no person": ({"person": "admin"}, "person"),
}


@pytest.mark.parametrize(("changed", "field"), BAD_WISHES.values(), ids=BAD_WISHES)
async def test_what_cannot_be_a_key_is_refused_with_its_field(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, shop: Somebody, changed: dict[str, Any], field: str
) -> None:
    wish = {"name": "x", "scopes": ["accounts:read"], **changed}
    answer = await web.post(f"{hubs.a.url}/v1/api-keys", json=wish, headers=bearer(shop))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_field", field)
    client = await join(hubs.a, shop)
    refused = await client.ask("create_api_key", **wish)
    # The socket names the item, too.
    assert (refused["code"], refused["field"].partition("[")[0]) == ("invalid_field", field)


async def test_every_use_is_in_the_trail_and_one_that_was_refused_too(
    hubs: Hubs, web: httpx2.AsyncClient, pool: Pool, tenant: Tenant, shop: Somebody
) -> None:
    key, secret = await make_key(web, hubs.a, shop, "accounts:read", name="zq-canary")
    program = await speak_with(web, hubs.a, shop, secret)
    for _ in range(5):  # a token is used as often as it may; the trail has the trade
        await web.get(f"{hubs.a.url}/v1/accounts", headers=bearer(program))
    await web.delete(f"{hubs.a.url}/v1/api-keys/{key['key']}", headers=bearer(shop))
    await trade(web, hubs.a, tenant.slug, secret)
    async with asyncio.timeout(5):
        while len(entries := await read_trail(pool, tenant.id, 50, about=key["key"])) < 4:
            await asyncio.sleep(0.05)
    assert [entry.what for entry in reversed(entries)] == [
        "api_key.made",
        "api_key.used",
        "api_key.revoked",
        "api_key.refused",
    ]
    refused, revoked, used, made = entries
    assert (made.who, made.session_id, made.network) == (shop.person, shop.session, network_of(web))
    assert (used.who, used.session_id, used.network) == (shop.person, key["key"], network_of(web))
    assert (revoked.who, refused.who, refused.details) == (shop.person, None, {"why": "over"})
    assert "zq-canary" not in str(entries)


async def test_a_command_that_no_scope_is_named_for_is_for_people() -> None:
    class Invented(Command, frozen=True, tag="invented", gc=False):
        """Nobody thought of a scope."""

    assert needs_of(Invented(1)) is None
    assert needs_of(Authenticate("x")) is None


async def test_both_documents_say_what_a_key_needs(hubs: Hubs, web: httpx2.AsyncClient) -> None:
    openapi = (await web.get(f"{hubs.a.url}/docs/openapi.json")).json()
    asyncapi = (await web.get(f"{hubs.a.url}/docs/asyncapi.json")).json()
    assert openapi["x-scopes"] == asyncapi["x-scopes"] == {scope.value: SCOPE_MEANINGS[scope] for scope in Scope}
    for row in ROWS:
        over_http = openapi["paths"][row.path][row.method.lower()]
        over_socket = asyncapi["operations"][str(row.takes.__struct_config__.tag)]
        for operation in (over_http, over_socket):
            if row.scope is None:
                assert operation["x-people-only"] is True
            else:
                assert operation["x-scopes"] == [row.scope]
    assert openapi["paths"]["/v1/payments/settle"]["post"]["x-scopes"] == ["payments:write"]
    assert openapi["paths"]["/v1/logout"]["post"]["x-people-only"] is True
    assert asyncapi["operations"]["resume"]["x-scopes"] == ["accounts:read", "payments:write"]
    assert asyncapi["operations"]["ping"]["x-scopes"] == []
    assert not {"x-scopes", "x-people-only"} & asyncapi["operations"]["authenticate"].keys()

"""The first message: who may speak, how long one may stay silent, and how a session ends."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import jwt
import pytest

from core.database import Pool, acquire
from core.people.opening import Tenant
from core.people.persons import PersonStatus
from core.people.sessions import revoke, start_session
from hub.auth import Tokens
from tests.core.people.standings import stand
from tests.hub.conftest import Enter, Hubs, Join, Somebody
from tests.hub.processes import HubProcess
from tests.hub.raw import RawSocket, frame
from tests.hub.stranger import MSGPACK, Stranger


def authenticate(token: str) -> bytes:
    return frame(json.dumps({"type": "authenticate", "token": token}).encode())


async def test_a_silent_socket_is_closed_within_five_seconds_of_its_upgrade(hubs: Hubs) -> None:
    silent = await RawSocket.upgraded(hubs.a.port)
    started = time.monotonic()
    assert await silent.close_code(timeout_s=10) == 4500
    assert 4 < time.monotonic() - started < 10


@pytest.mark.parametrize(
    "first",
    [
        {
            "type": "pay",
            "id": 1,
            "payment": "b8dd1104-6254-414d-83b7-ba76a8e8104d",
            "payer": 1,
            "payee": 2,
            "amount": 1,
        },
        {"type": "accounts", "id": 1},
        {"type": "ping", "id": 1},
        {"type": "renew", "id": 1, "token": "x"},
        {"type": "resume", "id": 1},
    ],
)
async def test_any_other_first_message_ends_the_connection(hubs: Hubs, first: dict[str, object]) -> None:
    async with await Stranger.connect(hubs.a.socket_url) as client:
        await client.send(first)
        assert (await client.receive())["code"] == "authentication_required"
        assert await client.closed() == 4501


@pytest.mark.parametrize("token", ["x", "a.b.c", "phr_" + "A" * 43, "é" * 100, "." * 2048])
async def test_a_bad_token_is_refused_and_closed(hubs: Hubs, token: str) -> None:
    async with await Stranger.connect(hubs.a.socket_url, MSGPACK) as client:
        answer = await client.authenticate(token)
        assert (answer["type"], answer["code"]) == ("error", "authentication_failed")
        assert await client.closed() == 4501


async def test_a_second_token_in_the_same_segment_ends_the_connection(hubs: Hubs, enter: Enter, tenant: Tenant) -> None:
    somebody = await enter(tenant)
    raw = await RawSocket.upgraded(hubs.a.port)
    raw.send(authenticate(somebody.token) * 2)
    assert await raw.close_code() == 4502


async def test_a_second_token_later_ends_the_connection_too(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    somebody = await enter(tenant)
    client = await join(hubs.a, somebody)
    assert (await client.authenticate(somebody.token))["code"] == "already_authenticated"
    assert await client.closed() == 4502


async def test_a_payment_in_the_same_segment_as_the_token_moves_nothing_unasked(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    raw = await RawSocket.upgraded(hubs.a.port)
    pay = {
        "type": "pay",
        "id": 1,
        "payment": "b8dd1104-6254-414d-83b7-ba76a8e8104d",
        "payer": payer.account,
        "payee": payee.account,
        "amount": 1,
    }
    raw.send(authenticate(payer.token) + frame(json.dumps(pay).encode()))
    assert await raw.close_code() == 4501
    client = await join(hubs.a, payer)
    assert (await client.ask("balance", account=payer.account))["posted"] == 100


async def test_a_token_that_ends_closes_the_socket_unless_it_is_renewed(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, tokens: Tokens, short_tokens: Tokens
) -> None:
    one, two = await enter(tenant, issue_with=short_tokens), await enter(tenant, issue_with=short_tokens)
    lapsing, renewing = await join(hubs.a, one), await join(hubs.a, two)
    fresh = tokens.issue(tenant.id, two.person, two.role, two.session, time.time()).token
    stranger = tokens.issue(tenant.id, one.person, one.role, one.session, time.time()).token
    refused = await renewing.ask("renew", token=stranger)
    assert refused["code"] == "authentication_failed"
    assert (await renewing.ask("renew", token=fresh))["type"] == "renewed"
    assert await lapsing.closed() == 4002
    await asyncio.sleep(1.5)
    assert (await renewing.ask("ping"))["type"] == "pong"


@asynccontextmanager
async def held_up(admin: Pool, somebody: Somebody) -> AsyncIterator[None]:
    """Nobody is paid from this account while this lasts."""
    async with acquire(admin) as connection, connection.transaction():
        lock = "select from accounts where tenant_id = $1 and id = $2 for update"
        await connection.fetch(lock, somebody.tenant.id, somebody.account)
        yield


def end_of(token: str) -> float:
    """When a token ends, seconds since the epoch."""
    return float(jwt.decode(token, options={"verify_signature": False})["exp"])


async def test_a_payment_in_flight_when_its_token_ends_is_answered_and_nothing_is_taken_after(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, short_tokens: Tokens, admin: Pool
) -> None:
    payer, payee = await enter(tenant, funds=100, issue_with=short_tokens), await enter(tenant)
    client, ended = await join(hubs.a, payer), end_of(payer.token)
    async with held_up(admin, payer):
        paying = await client.submit(
            "pay", payment=str(uuid.uuid4()), payer=payer.account, payee=payee.account, amount=7
        )
        await asyncio.sleep(ended + 1.5 - time.time())
        for late in (
            await client.ask("pay", payment=str(uuid.uuid4()), payer=payer.account, payee=payee.account, amount=1),
            await client.ask("accounts"),
        ):
            assert (late["type"], late["code"]) == ("error", "authentication_required")
    answer = await client.answer(paying)
    assert (answer["status"], answer["balance"]) == ("posted", 93)
    assert await client.closed() == 4002
    assert time.time() - ended < 5


async def end_session(web: httpx2.AsyncClient, hub: HubProcess, somebody: Somebody, token: str) -> None:
    headers = {"authorization": f"Bearer {token}"}
    answer = await web.post(f"{hub.url}/v1/sessions/{somebody.session}/end", headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a_payment_in_flight_when_its_session_is_ended_is_answered(
    hubs: Hubs,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    tokens: Tokens,
    pool: Pool,
    admin: Pool,
    web: httpx2.AsyncClient,
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    other = (await start_session(pool, tenant.id, payer.person)).session_id
    client = await join(hubs.a, payer)
    async with held_up(admin, payer):
        paying = await client.submit(
            "pay", payment=str(uuid.uuid4()), payer=payer.account, payee=payee.account, amount=7
        )
        token = tokens.issue(tenant.id, payer.person, payer.role, other, time.time()).token
        await end_session(web, hubs.b, payer, token)
        while (late := await client.ask("ping"))["type"] == "pong":
            pass
        assert late["code"] == "authentication_required"
    answer = await client.answer(paying)
    assert (answer["status"], answer["balance"]) == ("posted", 93)
    assert await client.closed() == 4503


async def test_a_payment_that_hangs_keeps_no_ended_session_open(
    hubs: Hubs,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    tokens: Tokens,
    pool: Pool,
    admin: Pool,
    web: httpx2.AsyncClient,
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    other = (await start_session(pool, tenant.id, payer.person)).session_id
    client = await join(hubs.a, payer)
    async with held_up(admin, payer):
        await client.submit("pay", payment=str(uuid.uuid4()), payer=payer.account, payee=payee.account, amount=7)
        token = tokens.issue(tenant.id, payer.person, payer.role, other, time.time()).token
        await end_session(web, hubs.b, payer, token)
        assert await client.closed() == 4503


async def test_a_payment_that_hangs_keeps_no_ended_token_open(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, tokens: Tokens, short_tokens: Tokens, admin: Pool
) -> None:
    payer, payee = await enter(tenant, funds=100, issue_with=short_tokens), await enter(tenant)
    client, ended = await join(hubs.a, payer), end_of(payer.token)
    payment = str(uuid.uuid4())
    async with held_up(admin, payer):
        await client.submit("pay", payment=payment, payer=payer.account, payee=payee.account, amount=7)
        assert await client.closed() == 4002
        assert 3 < time.time() - ended < 5.5
    # What became of it is told to whoever comes back.
    fresh = tokens.issue(tenant.id, payer.person, payer.role, payer.session, time.time()).token
    again = await join(hubs.b, payer._replace(token=fresh))
    (settled,) = (await again.ask("resume", in_doubt=[payment]))["settled"]
    assert settled["status"] in {"posted", "fenced"}


async def test_a_renewal_keeps_the_socket_and_the_payment_that_is_in_flight(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, tokens: Tokens, short_tokens: Tokens, admin: Pool
) -> None:
    payer, payee = await enter(tenant, funds=100, issue_with=short_tokens), await enter(tenant)
    client, ended = await join(hubs.a, payer), end_of(payer.token)
    fresh = tokens.issue(tenant.id, payer.person, payer.role, payer.session, time.time()).token
    async with held_up(admin, payer):
        paying = await client.submit(
            "pay", payment=str(uuid.uuid4()), payer=payer.account, payee=payee.account, amount=7
        )
        await asyncio.sleep(max(ended - 0.3 - time.time(), 0))
        assert (await client.ask("renew", token=fresh))["type"] == "renewed"
        await asyncio.sleep(ended + 1 - time.time())
        assert (await client.ask("ping"))["type"] == "pong"
    assert (await client.answer(paying))["status"] == "posted"
    await asyncio.sleep(max(ended + 5 - time.time(), 0))
    assert (await client.ask("ping"))["type"] == "pong"


async def test_log_out_closes_the_sockets_of_its_session_on_every_hub(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    somebody, bystander = await enter(tenant), await enter(tenant)
    clients = [await join(hub, somebody) for hub in (hubs.a, hubs.b, hubs.b)]
    other = await join(hubs.b, bystander)
    started = time.monotonic()
    answer = await web.post(f"{hubs.a.url}/v1/logout", headers={"authorization": f"Bearer {somebody.token}"})
    assert answer.status_code == 204
    assert await asyncio.gather(*(client.closed() for client in clients)) == [4503] * 3
    assert time.monotonic() - started < 2
    assert (await other.ask("ping"))["type"] == "pong"
    async with await Stranger.connect(hubs.b.socket_url) as again:
        assert (await again.authenticate(somebody.token))["code"] == "authentication_failed"


async def test_a_session_revoked_in_the_database_loses_its_sockets_without_any_hint(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    revoked, closed = await enter(tenant), await enter(tenant)
    clients = [await join(hubs.a, revoked), await join(hubs.b, closed)]
    await revoke(pool, tenant.id, revoked.session)
    await stand(pool, tenant.id, closed.person, PersonStatus.CLOSED)
    assert await asyncio.gather(*(client.closed() for client in clients)) == [4503] * 2


async def test_a_refresh_token_used_again_after_its_grace_closes_the_session_everywhere(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient, admin: Pool
) -> None:
    somebody = await enter(tenant)
    clients = [await join(hubs.a, somebody), await join(hubs.b, somebody)]
    body = {"tenant": tenant.slug, "refresh_token": somebody.refresh_token}
    first = await web.post(f"{hubs.a.url}/v1/refresh", json=body)
    assert first.status_code == 200, first.text
    # The grace is for answers lost on the way; a minute later it is over.
    await admin.execute(
        "update refresh_tokens set used_at = used_at - interval '1 minute' where tenant_id = $1",
        tenant.id,
    )
    second = await web.post(f"{hubs.b.url}/v1/refresh", json=body)
    assert (second.status_code, second.json()["code"]) == (401, "credentials_refused")
    assert await asyncio.gather(*(client.closed() for client in clients)) == [4503] * 2
    stolen = await web.post(f"{hubs.a.url}/v1/refresh", json={**body, "refresh_token": first.json()["refresh_token"]})
    assert stolen.status_code == 401


async def test_one_person_has_sixty_four_connections_at_most(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    somebody = await enter(tenant)
    for _ in range(64):
        await join(hubs.a, somebody)
    async with await Stranger.connect(hubs.a.socket_url) as client:
        await client.send({"type": "authenticate", "token": somebody.token})
        assert await client.closed() == 4004

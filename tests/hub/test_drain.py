"""The end of a hub: drained by SIGTERM, killed without a word, or beside a client that does not read."""

import asyncio
import json
import random
import signal
import time
import uuid
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed

from core.database import Pool
from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join, Somebody, StartHub
from tests.hub.processes import HubProcess
from tests.hub.raw import RawSocket, frame
from tests.hub.stranger import MSGPACK, Stranger
from tests.hub.test_following import pour


async def total(pool: Pool, people: list[Somebody]) -> int:
    """The sum of these balances."""
    async with pool.acquire() as connection:
        rows = [
            await connection.fetchval("select balance from read_account($1, $2)", one.tenant.id, one.account)
            for one in people
        ]
    return sum(rows)


class Payer:
    """Pays until the connection ends, and knows which answers it has seen."""

    def __init__(self, client: Stranger, me: Somebody, payees: list[Somebody]) -> None:
        self.client = client
        self.me = me
        self.payees = [one for one in payees if one is not me]
        self.answered: dict[str, str] = {}
        self.open: dict[str, dict[str, Any]] = {}

    async def pay(self) -> None:
        try:
            while True:
                payment = str(uuid.uuid4())
                payee = random.choice(self.payees)
                body = {"payment": payment, "payer": self.me.account, "payee": payee.account, "amount": 1}
                self.open[payment] = body
                answer = await self.client.ask("pay", **body)
                if answer["type"] == "payment":
                    self.answered[payment] = answer["status"]
                    del self.open[payment]
                else:
                    # As any client must: one that hammers on while it is refused is closed for flooding.
                    await asyncio.sleep(answer.get("retry_after_ms", 100) / 1000)
        except (ConnectionClosed, TimeoutError):
            pass

    async def settle(self, hub: HubProcess) -> list[str]:
        """Come back elsewhere: what was answered stands, what was not is settled, once and for all."""
        async with await Stranger.connect(hub.socket_url) as client:
            assert (await client.authenticate(self.me.token))["type"] == "welcome"
            in_doubt = [*self.open, *list(self.answered)[-50:]]
            resumed = await client.ask("resume", in_doubt=in_doubt)
            became = {one["payment"]: one["status"] for one in resumed["settled"]}
            for payment in list(self.answered)[-50:]:
                assert became[payment] == self.answered[payment], "an answered payment changed"
            for payment, body in self.open.items():
                while (again := await client.ask("pay", **body))["type"] == "error":
                    assert again["code"] == "rate_limited", again
                    await asyncio.sleep(again["retry_after_ms"] / 1000)
                assert again["status"] == became[payment], "settled twice, differently"
            return [became[payment] for payment in self.open]


async def start_payers(hub: HubProcess, enter: Enter, tenant: Tenant, count: int) -> tuple[list[Payer], list[Somebody]]:
    people = [await enter(tenant, funds=10_000) for _ in range(count)]
    payers = []
    for somebody in people:
        client = await Stranger.connect(hub.socket_url)
        assert (await client.authenticate(somebody.token))["type"] == "welcome"
        payers.append(Payer(client, somebody, people))
    return payers, people


async def test_a_killed_hub_loses_no_answered_payment_and_posts_none_twice(
    hubs: Hubs, start_hub: StartHub, enter: Enter, tenant: Tenant, pool: Pool
) -> None:
    hub = await start_hub("killed")
    payers, people = await start_payers(hub, enter, tenant, 50)
    paying = [asyncio.create_task(payer.pay()) for payer in payers]
    await asyncio.sleep(2)
    hub.signal(signal.SIGKILL)
    await asyncio.gather(*paying)
    assert sum(len(payer.answered) for payer in payers) > 100
    outcomes = [status for some in await asyncio.gather(*(payer.settle(hubs.b) for payer in payers)) for status in some]
    assert set(outcomes) <= {"posted", "fenced", "insufficient_funds"}
    assert await total(pool, people) == 50 * 10_000
    for payer in payers:
        await payer.client.connection.close()


async def test_a_draining_hub_tells_everybody_when_to_come_back_and_ends_within_ten_seconds(
    hubs: Hubs, start_hub: StartHub, enter: Enter, tenant: Tenant, pool: Pool
) -> None:
    hub = await start_hub("drained")
    payers, people = await start_payers(hub, enter, tenant, 20)
    idle_people = [await enter(tenant) for _ in range(10)]
    idle: list[Stranger] = []
    for at in range(200):
        client = await Stranger.connect(hub.socket_url, MSGPACK)
        await client.authenticate(idle_people[at % 10].token)
        idle.append(client)
    # Sockets that will not help: silent ones, half a head, half a frame, one that never reads.
    stuck = [await RawSocket.connect(hub.port), await RawSocket.upgraded(hub.port)]
    stuck.append(await RawSocket.connect(hub.port))
    stuck[-1].send(b"GET / HTTP/1.1\r\n")
    deaf = await RawSocket.upgraded(hub.port, receive_buffer=2048)
    deaf.send(frame(json.dumps({"type": "authenticate", "token": idle_people[0].token}).encode()))
    for at in range(400):
        deaf.send(frame(b'{"type":"accounts","id":%d}' % at))
    paying = [asyncio.create_task(payer.pay()) for payer in payers]
    await asyncio.sleep(1)
    hub.signal(signal.SIGTERM)
    closing = [asyncio.create_task(client.closed()) for client in idle]
    took = await hub.ended(timeout_s=20)
    assert took < 10, took
    await asyncio.gather(*paying)
    assert await asyncio.gather(*closing) == [1012] * 200
    assert {await payer.client.closed() for payer in payers} == {1012}
    hints = []
    for client in [*idle, *(payer.client for payer in payers)]:
        (draining,) = [message for message in client.heard if message["type"] == "draining"]
        hints.append(draining["retry_after_ms"])
    assert len(set(hints)) > 100
    assert all(0 < hint <= 5_000 for hint in hints)
    await asyncio.gather(*(payer.settle(hubs.a) for payer in payers))
    assert await total(pool, people) == 20 * 10_000
    assert hub.process.returncode == 0
    assert hub.bugs() == []
    for client in [*idle, *(payer.client for payer in payers)]:
        await client.connection.close()


async def test_a_draining_hub_takes_no_newcomers(hubs: Hubs, start_hub: StartHub, enter: Enter, tenant: Tenant) -> None:
    hub = await start_hub("leaving")
    somebody = await enter(tenant)
    clients = []
    for _ in range(40):
        clients.append(await Stranger.connect(hub.socket_url))
        await clients[-1].authenticate(somebody.token)
    hub.signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    late = await RawSocket.connect(hub.port)
    assert (await late.upgrade()).startswith("HTTP/1.1 503")
    asked = await RawSocket.connect(hub.port)
    asked.send(b"GET /readyz HTTP/1.1\r\nhost: hub\r\n\r\n")
    assert (await asked.head()).startswith("HTTP/1.1 503")
    await hub.ended()
    for client in clients:
        await client.connection.close()


async def test_a_client_that_never_reads_is_cut_and_resumes_without_a_loss(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    merchant, customer = await enter(tenant, Role.MERCHANT), await enter(tenant, funds=1000)
    deaf = await RawSocket.upgraded(hubs.a.port, receive_buffer=4096)
    deaf.send(frame(json.dumps({"type": "authenticate", "token": merchant.token}).encode()))
    assert await deaf.frame() is not None
    deaf.send(frame(json.dumps({"type": "follow", "id": 1, "account": merchant.account}).encode()))
    assert await deaf.frame() is not None
    deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
    attentive, other = await join(hubs.a, merchant, MSGPACK), await join(hubs.a, customer)
    await attentive.ask("follow", account=merchant.account)
    before = await hubs.a.metrics()
    rss = hubs.a.rss_bytes()
    started = time.monotonic()
    pouring = asyncio.create_task(pour(pool, merchant, 50_000))
    slowest = 0.0
    cut_after = None
    while time.monotonic() - started < 25:
        asked = time.monotonic()
        await other.ask("ping")
        slowest = max(slowest, time.monotonic() - asked)
        name = 'payhub_connection_closes_total{code="slow_consumer"}'
        if (await hubs.a.metrics()).get(name, 0) > before.get(name, 0):
            cut_after = time.monotonic() - started
            break
        await asyncio.sleep(0.1)
    assert cut_after is not None, "the hub keeps a client that never reads"
    assert cut_after < 20
    await pouring
    events = await attentive.events(50_000, timeout_s=40)
    assert [event["number"] for event in events] == list(range(1, 50_001))
    assert slowest < 2, f"a ping took {slowest:.2f} s beside it"
    assert hubs.a.rss_bytes() - rss < 64 << 20
    # What the deaf one had been sent it can still read, up to the cut; then it resumes from its last number.
    deaf.writer.transport.resume_reading()  # type: ignore[attr-defined]
    last = 0
    for one in await deaf.frames(timeout_s=20):
        if one.opcode == 1:
            message = json.loads(one.payload)
            assert message["number"] == last + 1
            last = message["number"]
    assert last < 50_000
    back = await join(hubs.b, merchant, MSGPACK)
    await back.ask("resume", follow=[[merchant.account, last]])
    rest = await back.events(50_000 - last, timeout_s=40)
    assert [event["number"] for event in rest] == list(range(last + 1, 50_001))


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


async def test_a_hub_leaves_no_process_behind(start_hub: StartHub) -> None:
    hub = await start_hub("alone")
    assert children(hub.process.pid) == []


async def test_those_who_leave_while_a_hub_drains_keep_nobody_else_from_being_sent_away(
    start_hub: StartHub, enter: Enter, join: Join, tenant: Tenant
) -> None:
    hub = await start_hub("left")
    somebody = await enter(tenant)
    clients = [await join(hub, somebody) for _ in range(40)]
    hub.signal(signal.SIGTERM)
    for client in clients[::2]:
        client.connection.transport.abort()
    for client in clients[1::2]:
        assert (await client.receive())["type"] == "draining"
        assert await client.closed() == 1012
    assert await hub.ended() < 10
    assert hub.bugs() == []

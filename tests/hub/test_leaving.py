"""Sessions at both doors: seen, named, ended everywhere; and log-ins from devices that nobody knows."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest_asyncio

from config.embedded import EmbeddedValkey
from core.audit.trail import Act, By, read_trail
from core.database import Pool, in_tenant
from core.people.opening import Tenant
from core.people.persons import Role
from core.people.sightings import list_sessions
from tests.conftest import Database
from tests.hub.conftest import Enter, Hubs, Join, Somebody, fund
from tests.hub.known import Known, bearer, connect, network_of
from tests.hub.processes import HubProcess
from tests.hub.stranger import Stranger


async def test_a_person_sees_where_they_are_logged_in(hubs: Hubs, web: httpx2.AsyncClient, known: Known) -> None:
    first = await known.tokens(web, hubs.a, session_name="Phone é")
    second = await known.tokens(web, hubs.b, device=first["device"])
    assert "device" not in second
    answer = await web.get(f"{hubs.a.url}/v1/sessions", headers=bearer(second["access_token"]))
    newest, oldest = sorted(answer.json()["sessions"], key=lambda one: "name" in one)
    assert (newest["current"], newest["door"], newest["proofs"]) == (True, "native", ["pwd"])
    assert (oldest["name"], oldest["network"], oldest.get("current")) == ("Phone é", network_of(web), None)
    assert newest["device"] == oldest["device"]
    refreshed = await web.post(
        f"{hubs.b.url}/v1/refresh",
        json={"tenant": known.tenant.slug, "refresh_token": second["refresh_token"]},
    )
    again = await web.get(f"{hubs.a.url}/v1/sessions", headers=bearer(refreshed.json()["access_token"]))
    assert len(again.json()["sessions"]) == 2


async def test_somebody_elses_session_is_like_one_that_is_not_there(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    me, other, foreign = await enter(tenant), await enter(tenant), await enter(other_tenant)
    operator = await enter(tenant, Role.OPERATOR)
    mine, deciding = await join(hubs.a, me), await join(hubs.b, operator)
    theirs = [await join(hubs.a, one) for one in (other, foreign)]
    absent = str(uuid.uuid4())
    for session in (other.session, foreign.session, absent):
        for type_, fields in (
            ("end_session", {}),
            ("end_session", {"reason": "Case 17"}),
            ("name_session", {"name": "x"}),
        ):
            refused = await mine.ask(type_, session=session, **fields)
            assert {**refused, "id": 0} == {
                "type": "error",
                "id": 0,
                "code": "not_found",
                "message": refused["message"],
                "field": "session",
            }
    for session in (foreign.session, absent):
        refused = await deciding.ask("end_session", session=session, reason="Case 17")
        assert (refused["code"], refused["field"]) == ("not_found", "session")
    for type_, fields in (("sessions", {}), ("end_sessions", {"reason": "Case 17"})):
        for person in (foreign.person, absent):
            assert (await deciding.ask(type_, person=person, **fields))["code"] == "not_found"
        assert (await mine.ask(type_, person=other.person, **fields))["code"] == "forbidden"
    for type_, fields in (("end_session", {"session": other.session}), ("end_sessions", {"person": other.person})):
        refused = await deciding.ask(type_, **fields)
        assert (refused["code"], refused["field"]) == ("invalid_field", "reason")
    for client in theirs:
        assert (await client.ask("ping"))["type"] == "pong"


async def test_who_ended_a_session_and_why_is_written_down(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    somebody, operator = await enter(tenant), await enter(tenant, Role.OPERATOR)
    mine = await enter(tenant, again=somebody)
    client = await join(hubs.a, mine)
    deciding = await join(hubs.b, operator)
    await client.ask("end_session", session=somebody.session)
    await deciding.ask("end_session", session=mine.session, reason="Case 17")
    assert await client.closed() == 4503
    entries = await read_trail(pool, tenant.id, 10, what=Act.SESSION_ENDED)
    assert [(one.who, one.about, one.why, one.session_id, one.details) for one in reversed(entries)] == [
        (somebody.person, somebody.session, None, mine.session, {"how": "by_its_person"}),
        (operator.person, mine.session, "Case 17", operator.session, {"how": "by_an_operator"}),
    ]
    assert {one.network for one in entries} == {"127.0.0.0/24"}


class Paying:
    """Somebody who pays without pause over sockets and HTTP, on two hubs, and when each payment was answered."""

    def __init__(self, hubs: Hubs, payer: Somebody, payee: int) -> None:
        self.posted: list[float] = []
        self.refused: list[float] = []
        self._hubs, self._payer, self._payee = hubs, payer, payee
        self._stopped = asyncio.Event()
        self._tasks: list[asyncio.Task[int | None]] = []

    async def begin(self) -> None:
        clients = [await connect(hub, self._payer.token) for hub in self._hubs]
        self._tasks = [
            *(asyncio.create_task(self._pay_by_socket(client)) for client in clients),
            *(asyncio.create_task(self._pay_by_http(hub)) for hub in self._hubs),
        ]
        while len(self.posted) < 40:
            await asyncio.sleep(0.01)

    async def end(self) -> list[int]:
        """The close codes of its sockets, once both doors have been shut for a while."""
        self._stopped.set()
        codes = await asyncio.gather(*self._tasks)
        return [code for code in codes if code is not None]

    async def _pay_by_socket(self, client: Stranger) -> int | None:
        code = asyncio.create_task(client.connection.wait_closed())
        try:
            while not code.done():
                answer = await client.pay(self._payer.account, self._payee, 1)
                if answer.get("status") == "posted":
                    self.posted.append(time.monotonic())
                await asyncio.sleep(0.01)
        except Exception:
            await code
        received = client.connection.protocol.close_rcvd
        return None if received is None else int(received.code)

    async def _pay_by_http(self, hub: HubProcess) -> int | None:
        async with httpx2.AsyncClient(timeout=10) as web:
            while not self._stopped.is_set():
                body = {
                    "payment": str(uuid.uuid4()),
                    "payer": self._payer.account,
                    "payee": self._payee,
                    "amount": 1,
                }
                answer = await web.post(f"{hub.url}/v1/payments", json=body, headers=bearer(self._payer.token))
                (self.posted if answer.status_code == 200 else self.refused).append(time.monotonic())
                await asyncio.sleep(0.01)
        return None


async def end_and_measure(
    hubs: Hubs, enter: Enter, tenant: Tenant, pool: Pool, watch_s: float
) -> tuple[float, list[int]]:
    """How long after its end the last payment of a session was answered, and how its sockets were closed."""
    payer, payee = await enter(tenant, funds=1_000_000), await enter(tenant)
    ender = await enter(tenant, again=payer)
    paying = Paying(hubs, payer, payee.account)
    await paying.begin()
    client = await connect(hubs.a, ender.token)
    assert (await client.ask("end_session", session=payer.session))["sessions"] == [payer.session]
    ended_at = time.monotonic()
    await asyncio.sleep(watch_s)
    async with in_tenant(pool, tenant.id) as connection:
        count = await connection.fetchval("select count(*) from payments where payer = $1", payer.account)
    await asyncio.sleep(1)
    codes = await paying.end()
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from payments where payer = $1", payer.account) == count
    assert len(paying.refused) > 50
    assert (await client.ask("ping"))["type"] == "pong"
    await client.connection.close()
    return max(paying.posted) - ended_at, codes


async def test_with_redis_a_session_that_is_ended_pays_nothing_a_second_later_on_any_hub(
    hubs: Hubs, enter: Enter, tenant: Tenant, pool: Pool
) -> None:
    last, codes = await end_and_measure(hubs, enter, tenant, pool, watch_s=1)
    assert last < 1
    assert codes == [4503, 4503]


@pytest_asyncio.fixture
async def lonely(database: Database, master_key_file: Path, tmp_path: Path) -> AsyncIterator[Hubs]:
    """Two hubs whose Redis is gone before they need it."""
    valkey = EmbeddedValkey(tmp_path / "valkey")
    await asyncio.to_thread(valkey.start)
    apart = database._replace(redis_url=valkey.url())
    hubs = Hubs(*(HubProcess(apart, tmp_path, name, master_key_file=master_key_file) for name in ("e", "f")))
    try:
        for hub in hubs:
            await hub.start()
        await asyncio.to_thread(valkey.stop)
        yield hubs
    finally:
        for hub in hubs:
            await hub.stop()


async def test_without_redis_a_session_that_is_ended_pays_nothing_five_seconds_later(
    lonely: Hubs, enter: Enter, tenant: Tenant, pool: Pool, web: httpx2.AsyncClient
) -> None:
    for hub in lonely:
        while (await web.get(f"{hub.url}/readyz")).json()["redis"]:
            await asyncio.sleep(0.05)
    last, codes = await end_and_measure(lonely, enter, tenant, pool, watch_s=5)
    assert last < 5
    assert codes == [4503, 4503]


async def test_a_log_in_from_an_unknown_device_is_told_to_the_persons_other_sessions(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, enter: Enter, tenant: Tenant, pool: Pool
) -> None:
    first = await known.tokens(web, hubs.a)
    here, there = await connect(hubs.a, first["access_token"]), await connect(hubs.b, first["access_token"])
    bystander = await connect(hubs.a, (await enter(tenant)).token)
    # Brought in vain: it is nobody's.
    stranger = await known.tokens(web, hubs.a, device="phd_" + "A" * 43, session_name="Who?")
    alerts = [await client.receive() for client in (here, there)]
    assert alerts[0] == alerts[1]
    entries = await read_trail(pool, tenant.id, 10, what=Act.DEVICE_FIRST_SEEN)
    assert alerts[0]["type"] == "notice"
    assert {**alerts[0]["notice"], "at": "", "number": 0} == {
        "number": 0,
        "kind": "new_device",
        "at": "",
        "session": entries[0].session_id,
        "network": network_of(web),
        "name": "Who?",
    }
    # From a device that is known, nobody hears anything; nor does anybody else, nor the new session itself.
    await known.tokens(web, hubs.b, device=first["device"])
    await known.tokens(web, hubs.b, device=stranger["device"])
    itself = await connect(hubs.b, stranger["access_token"])
    for client in (here, there, bystander, itself):
        assert (await client.ask("ping"))["type"] == "pong"
        assert client.heard == []
        await client.connection.close()
    assert len(await read_trail(pool, tenant.id, 10, what=Act.DEVICE_FIRST_SEEN)) == 2


async def test_the_ledger_takes_a_device_for_as_old_as_its_first_log_in(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    operator, payee = await enter(tenant, Role.OPERATOR), await enter(tenant)
    await fund(pool, tenant, known.account, 10_000, known.person)
    deciding = await join(hubs.a, operator)
    await deciding.ask("set_limits", limits=1, name="Customers")
    rule: dict[str, Any] = {"measure": "new_device", "max": 100, "within_s": 3_600, "action": "refuse"}
    made = await deciding.ask("set_rule", rule=1, limits=1, name="New devices", **rule)
    assert made["type"] == "rule_set", made
    await deciding.ask("put_under_limits", account=known.account, limits=1)
    first = await known.tokens(web, hubs.a)
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute("update devices set first_seen_at = first_seen_at - interval '2 hours'")
    old = await known.tokens(web, hubs.a, device=first["device"])
    new = await known.tokens(web, hubs.a)
    statuses = []
    for log_in in (old, new):
        client = await connect(hubs.b, log_in["access_token"])
        statuses.append((await client.pay(known.account, payee.account, 101))["status"])
        await client.connection.close()
    assert statuses == ["posted", "limit_exceeded"]


async def test_a_busy_session_costs_one_write_a_minute(
    hubs: Hubs, enter: Enter, tenant: Tenant, pool: Pool, web: httpx2.AsyncClient
) -> None:
    somebody = await enter(tenant)
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute("update sessions set created_at = now() - interval '1 hour', last_seen_at = null")
    clients = [await connect(hub, somebody.token) for hub in hubs]
    versions = set()
    started = time.monotonic()
    seen_at = None
    # Both hubs look every ten seconds: until it was seen, and for as long again as it takes either of them to look.
    while seen_at is None or time.monotonic() - seen_at < 12:
        assert time.monotonic() - started < 90
        for client in clients:
            await client.ask("ping")
        await web.get(f"{hubs.a.url}/v1/profile", headers=bearer(somebody.token))
        async with in_tenant(pool, tenant.id) as connection:
            versions.add(await connection.fetchval("select xmin::text from sessions where id = $1", somebody.session))
        if seen_at is None and len(versions) > 1:
            seen_at = time.monotonic()
        await asyncio.sleep(0.2)
    # As it was made, and as it was seen: by one of them, for both.
    assert len(versions) == 2
    (seen,) = await list_sessions(pool, tenant.id, somebody.person, By(somebody.person))
    assert time.time() - seen.last_seen_at.timestamp() < 30
    for client in clients:
        await client.connection.close()

"""Redis is a hint: flushed, killed or gone, payments go on and no event is missed."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest_asyncio
from redis.asyncio import Redis

from config.embedded import EmbeddedValkey
from core.people.opening import Tenant
from tests.conftest import Database
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.processes import HubProcess
from tests.hub.stranger import Stranger


class Restless(NamedTuple):
    """Two hubs with a Redis of their own, to be killed."""

    valkey: EmbeddedValkey
    hubs: Hubs


@pytest_asyncio.fixture
async def restless(database: Database, master_key_file: Path, tmp_path: Path) -> AsyncIterator[Restless]:
    valkey = EmbeddedValkey(tmp_path / "valkey")
    await asyncio.to_thread(valkey.start)
    apart = database._replace(redis_url=valkey.url())
    hubs = Hubs(*(HubProcess(apart, tmp_path, name, master_key_file=master_key_file) for name in ("c", "d")))
    try:
        for hub in hubs:
            await hub.start()
        yield Restless(valkey, hubs)
    finally:
        for hub in hubs:
            await hub.stop()
        await asyncio.to_thread(valkey.stop)


async def test_redis_may_be_flushed_killed_frozen_and_restarted_under_payments(
    restless: Restless, enter: Enter, join: Join, tenant: Tenant
) -> None:
    valkey, hubs = restless
    payer, payee = await enter(tenant, funds=100_000), await enter(tenant)
    here, there = await join(hubs.a, payer), await join(hubs.b, payee)
    await there.ask("follow", account=payee.account)
    paid: dict[str, float] = {}
    late: list[float] = []
    latest = 0.0
    heard = 0
    stop = asyncio.Event()

    async def pay(client: Stranger) -> None:
        while not stop.is_set():
            answer = await client.pay(payer.account, payee.account, 1)
            assert answer["status"] == "posted"
            paid[answer["payment"]] = time.monotonic()
            await asyncio.sleep(0.01)

    async def hear() -> None:
        nonlocal latest, heard
        while True:
            (event,) = await there.events(1, timeout_s=20)
            assert event["number"] == heard + 1
            heard += 1
            late.append(time.monotonic() - paid.get(event["payment"], time.monotonic()))
            latest = max(latest, late[-1])

    paying, hearing = asyncio.create_task(pay(here)), asyncio.create_task(hear())
    await asyncio.sleep(0.5)
    async with Redis.from_url(valkey.url()) as redis:
        await redis.flushall()
        await redis.client_kill_filter(_type="pubsub")
    await asyncio.sleep(0.5)
    os.kill(valkey.pid, signal.SIGKILL)
    await asyncio.sleep(2)
    assert (await hubs.a.metrics())["payhub_redis_connected"] == 0
    count_without = len(paid)
    await asyncio.sleep(1)
    assert len(paid) > count_without, "payments wait for Redis"
    await asyncio.to_thread(valkey.stop)
    await asyncio.to_thread(valkey.start)
    async with asyncio.timeout(10):
        while (await hubs.b.metrics())["payhub_redis_connected"] == 0:
            await asyncio.sleep(0.1)
    os.kill(valkey.pid, signal.SIGSTOP)
    await asyncio.sleep(1.5)
    os.kill(valkey.pid, signal.SIGCONT)
    await asyncio.sleep(1)
    late.clear()
    await asyncio.sleep(1)
    assert sorted(late)[len(late) // 2] < 0.5, "hints do not flow again"
    stop.set()
    await paying
    async with asyncio.timeout(15):
        while heard < len(paid) and not hearing.done():
            await asyncio.sleep(0.05)
    hearing.cancel()
    with suppress(asyncio.CancelledError):
        await hearing
    assert heard == len(paid)
    # Two or three seconds at worst; the rest is for a busy machine.
    assert latest < 10
    for hub in hubs:
        assert hub.bugs() == []

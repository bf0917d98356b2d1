"""A few seconds of malice against a live hub. The long run is `python -m tests.hub.fuzz`."""

import asyncio

from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Join, StartHub
from tests.hub.fuzz import Fuzzer

SEED = 20_260_301


async def test_nothing_that_is_thrown_at_a_hub_makes_it_fail_or_grow(
    start_hub: StartHub, enter: Enter, join: Join, tenant: Tenant
) -> None:
    hub = await start_hub("fuzzed")
    people = [await enter(tenant, Role.OPERATOR, funds=10**6) for _ in range(3)]
    # What a hub learns once (pools, caches, compiled things) is not growth.
    warming = [Fuzzer(hub, somebody, SEED + at) for at, somebody in enumerate(people)]
    await asyncio.gather(*(one.run(100_000, 3) for one in warming))
    rss = hub.rss_bytes()
    fuzzers = [Fuzzer(hub, somebody, SEED + 10 + at) for at, somebody in enumerate(people)]
    await asyncio.gather(*(one.run(100_000, 6) for one in fuzzers))
    assert sum(one.frames for one in fuzzers) > 500
    assert hub.bugs() == []
    # A password that is being hashed holds 64 MiB on purpose, and gives them back.
    async with asyncio.timeout(20):
        while hub.rss_bytes() - rss > 16 << 20:
            await asyncio.sleep(0.1)
    client = await join(hub, people[0])
    assert (await client.ask("ping"))["type"] == "pong"
    await client.connection.close()
    # Every door was found, and the metrics still count right: nobody is left inside.
    heard = sum((one.heard for one in fuzzers), fuzzers[0].heard.__class__())
    assert {"payment", "invalid_field", "malformed", "pong", "resumed"} <= heard.keys()
    async with asyncio.timeout(15):
        while (await hub.metrics())["payhub_connections"] > 0:
            await asyncio.sleep(0.1)

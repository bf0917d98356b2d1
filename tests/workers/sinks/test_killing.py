"""A worker is killed between a sink's answer and writing it down: told again under the same ids, and nothing lost."""

import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path

from core.database import acquire
from core.ledger.posting import post_payments
from tests.conftest import Database
from tests.core.webhooks.receiver import Answer, Heard
from tests.hub.processes import ROOT
from tests.workers.sinks.conftest import Desk, events_of, moved, numbers, once, tell_all
from workers.sinks.choices import read_sinks

KILLS = 3
BATCHES, PER_BATCH = 10, 180
PATIENCE_S = 20


def start(database: Database, file: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.workers.sinks.worker_process", database.app_url, str(file)]
    return subprocess.Popen(command, cwd=ROOT)


async def test_killed_workers_lose_nothing_and_keep_the_order(desk: Desk, database: Database, tmp_path: Path) -> None:
    slug, file = desk.books.tenant.slug, tmp_path / "sinks.json"
    names = [desk.http().name, desk.stream().name]
    rows = [
        {"name": names[0], "kind": "http", "url": desk.receiver.url(), "tenants": [slug]},
        {"name": names[1], "kind": "redis", "url": desk.redis_url, "stream": "events:{tenant}", "tenants": [slug]},
    ]
    file.write_text(json.dumps(rows))
    sinks = read_sinks(file, desk.outside)
    rest = await desk.begin(*sinks)
    for _ in range(BATCHES):
        async with acquire(desk.pool) as connection:
            batch = [desk.books.payment(at % 4, (at + 1) % 4, 1) for at in range(PER_BATCH)]
            await post_payments(connection, batch)
    await desk.seal()
    dice = random.Random(7)
    may_kill = asyncio.Event()

    async def slowly(_: Heard) -> Answer:
        # The answer leaves with the kill: whether it was heard, nobody will know.
        may_kill.set()
        await asyncio.sleep(0.002)
        return 204, {}, b""

    desk.receiver.reply = slowly
    for _ in range(KILLS):
        may_kill.clear()
        worker = start(database, file)
        try:
            await asyncio.wait_for(may_kill.wait(), PATIENCE_S)
            await asyncio.sleep(dice.random() * 0.03)
        finally:
            worker.kill()
            worker.wait()
        # Its claims run out by themselves; the test does not wait for that.
        async with acquire(desk.admin) as connection:
            await connection.execute(
                "update payhub.sink_cursors set leased_until = now() - interval '1 second' where lease is not null"
            )
    assert not desk.is_told(await desk.progress(sinks[0]))
    desk.clock.move(seconds=time.time() - desk.clock.ticks() + 1)
    await tell_all(rest)
    for sink, events in ((sinks[0], events_of(desk.receiver.heard)), (sinks[1], await desk.streamed())):
        assert desk.is_told(await desk.progress(sink))
        first = once(events)
        for at in range(4):
            of_account = numbers(first, desk.books.account(at))
            assert of_account == list(range(of_account[0], of_account[0] + len(of_account)))
        assert len(moved(first)) == 2 * BATCHES * PER_BATCH
        # At most what was under way is told twice, for each kill, and it is the same.
        assert len(events) - len(first) <= KILLS * 500
        assert all(one in first for one in events[-1000:])

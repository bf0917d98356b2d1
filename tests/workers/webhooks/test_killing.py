"""A worker is killed between a receiver's answer and writing it down: told again under the same id, and nothing lost."""

import asyncio
import random
import subprocess
import sys
import time

from core.outside import Outside
from tests.conftest import Database
from tests.core.webhooks.receiver import Answer, Heard, Receiver
from tests.hub.processes import ROOT
from tests.workers.webhooks.conftest import EAGER, LOOPBACK, Clock, Shop, bring_all
from workers.webhooks.bringing import Bringing

KILLS = 3
EVENTS = 60
PATIENCE_S = 20


def start(database: Database) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.workers.webhooks.worker_process"]
    arguments = [database.app_url, database.keys_url, str(database.master_key_file)]
    return subprocess.Popen([*command, *arguments], cwd=ROOT)


async def test_killed_workers_lose_nothing_and_keep_the_order(
    shop: Shop, receiver: Receiver, database: Database, clock: Clock
) -> None:
    await shop.hook(receiver.url())
    await shop.pay(*range(1, EVENTS + 1))
    dice = random.Random(7)
    may_kill = asyncio.Event()
    left = 0

    async def slowly(_: Heard) -> Answer:
        nonlocal left
        left -= 1
        if left <= 0:
            # The answer leaves with the kill: whether it was heard, nobody will know.
            may_kill.set()
        await asyncio.sleep(0.002)
        return 204, {}, b""

    receiver.reply = slowly
    for _ in range(KILLS):
        may_kill.clear()
        left = dice.randrange(3, 15)
        worker = start(database)
        try:
            await asyncio.wait_for(may_kill.wait(), PATIENCE_S)
            await asyncio.sleep(dice.random() * 0.006)
        finally:
            worker.kill()
            worker.wait()
        # Its claim runs out by itself; the test does not wait for that.
        await shop.expire_claims()
    rest = Bringing(shop.pool, shop.keys, Outside(LOOPBACK), now=clock, share_max=EAGER)
    clock.move(seconds=time.time() - clock().timestamp() + 1)
    await bring_all(rest)
    told = [one.place[1] for one in receiver.taken]
    assert list(dict.fromkeys(told)) == list(range(1, EVENTS + 1))
    # At most the one that was under way is told twice, for each kill.
    assert len(told) <= EVENTS + KILLS
    ids = {one.place[1]: set[str]() for one in receiver.taken}
    for one in receiver.taken:
        ids[one.place[1]].add(one.headers["webhook-id"])
    assert all(len(found) == 1 for found in ids.values())
    (row,) = await shop.rows("select number, due_at, lease from webhook_cursors")
    assert tuple(row.values()) == (EVENTS, None, None)

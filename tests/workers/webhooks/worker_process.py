"""A worker that brings webhooks and nothing else, to be killed: `python -m tests.workers.webhooks.worker_process`.

Arguments: the database's URL, that of the keys, and the master key's file.
"""

import asyncio
import sys
from pathlib import Path

from core.database import open_pool
from core.keys.choosing import Choice, open_safe
from core.outside import Outside
from workers.rounds import go_round
from workers.webhooks.bringing import Bringing
from workers.work import webhook_rounds


async def _main(url: str, keys_url: str, master_key_file: str) -> None:
    pool = await open_pool(url, size_max=4, name="payhub-tests-webhooks")
    keys = await open_safe(Choice(keys_url, "local", Path(master_key_file)), name="payhub-tests-webhooks")
    bringing = Bringing(pool, keys, Outside(["127.0.0.0/8"]))
    await asyncio.gather(*(go_round(round_) for round_ in webhook_rounds(bringing)))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))

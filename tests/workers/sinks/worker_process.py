"""A worker that tells sinks and nothing else, to be killed: `python -m tests.workers.sinks.worker_process`.

Arguments: the database's URL and the file of sinks.
"""

import asyncio
import sys
from pathlib import Path

from core.database import open_pool
from core.outside import Outside
from tests.workers.sinks.conftest import SOURCE
from workers.rounds import go_round
from workers.sinks.choices import read_sinks
from workers.sinks.telling import Telling
from workers.work import sink_rounds


async def _main(url: str, file: str) -> None:
    pool = await open_pool(url, size_max=4, name="payhub-tests-sinks")
    telling = Telling(pool, read_sinks(Path(file), Outside(["127.0.0.0/8"])), SOURCE)
    await asyncio.gather(*(go_round(round_) for round_ in sink_rounds(telling)))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))

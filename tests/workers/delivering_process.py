"""A worker's road in a process of its own, to be killed: it writes down each id that its other side was given."""

import asyncio
import sys
from datetime import timedelta

from core.database import open_pool
from core.notices.deliveries import Claimed, Road
from tests.workers.test_delivering import compose
from workers.delivering import Delivering
from workers.outcome import Delivered, Later, Outcome


class File:
    """The other side: a file that has what it was given, whatever becomes of us."""

    def __init__(self, path: str, tenant_id: int) -> None:
        self._file, self._tenant_id = open(path, "a", buffering=1), tenant_id  # noqa: SIM115

    def service_of(self, message: Claimed) -> str:
        return "file"

    async def send(self, message: Claimed) -> Outcome:
        if message.tenant_id != self._tenant_id:
            return Later("anothers", 3_600.0)
        self._file.write(message.id + "\n")
        await asyncio.sleep(0.05)
        return Delivered()

    async def close(self) -> None:
        self._file.close()


async def main(url: str, tenant_id: int, path: str) -> None:
    pool = await open_pool(url, size_max=2, name="delivering-process")
    print("ready", flush=True)  # noqa: T201
    road = Delivering(pool, Road.APPLE, compose, File(path, tenant_id), places=6, lease=timedelta(seconds=0.3))
    await road.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))

"""Hears from PostgreSQL that there is something to do, on a connection of its own.

It is a hint: whoever waits looks every now and then anyway, so a lost notification costs half a second.
"""

import asyncio
import logging
from collections.abc import Sequence

from core.database import connect
from core.errors import Unavailable
from core.notices.deliveries import CHANNEL

log = logging.getLogger(__name__)

# A connection that broke is made again after so long.
RECONNECT_S = 5.0
# A proxy forgets a connection that says nothing; and one that is dead is noticed by this.
CHECK_S = 30.0


async def wake(url: str, sleepers: Sequence[asyncio.Event]) -> None:
    """Wake them whenever deliveries were made, until cancelled."""

    def heard(*_: object) -> None:
        for one in sleepers:
            one.set()

    while True:
        try:
            connection = await connect(url, name="payhub-worker-listener")
        except Unavailable:
            await asyncio.sleep(RECONNECT_S)
            continue
        try:
            await connection.add_listener(CHANNEL, heard)
            heard()
            while not connection.is_closed():
                await asyncio.sleep(CHECK_S)
                await connection.execute("select 1", timeout=CHECK_S)
        except Exception as error:
            log.warning("listener_lost", extra={"error": type(error).__name__})
        finally:
            connection.terminate()
        await asyncio.sleep(RECONNECT_S)

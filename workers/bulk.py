"""Posts approved bulks, chunk by chunk, all tenants' in turn.

Each chunk is one transaction and one worker's. A race with other payments is tried again at once; a worker that is
killed leaves nothing half done, and another one, or the next, goes on from where the books stand.
"""

import asyncio
import logging
import random

from core.bulk.posting import Ahead, post_some
from core.database import Pool, is_race
from core.keys.safe import Safe

log = logging.getLogger(__name__)

TRIES_MAX = 5


async def post_bulks(pool: Pool, keys: Safe, ahead: Ahead) -> int:
    """Post what is next; how many lines were judged. A full round: there may be more."""
    for tried in range(1, TRIES_MAX):
        try:
            return await post_some(pool, keys, ahead=ahead)
        except Exception as error:
            if not is_race(error):
                raise
            log.info("bulk_raced", extra={"tried": tried})
            await asyncio.sleep(random.uniform(0, 0.005 * 2**tried))  # noqa: S311
    return await post_some(pool, keys, ahead=ahead)

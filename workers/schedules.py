"""Pays schedules that are due. What a killed worker began is rolled back, and another one does it."""

import logging

from core.database import Pool
from core.keys.safe import Safe
from core.payments.schedules import pay_due

log = logging.getLogger(__name__)

# One batch of the ledger, in one commit.
SCHEDULES_PER_ROUND = 256


async def pay_schedules(pool: Pool, keys: Safe) -> int:
    """Attempt schedules that are due; how many were."""
    done = await pay_due(pool, keys, SCHEDULES_PER_ROUND)
    for schedule in done.put_off:
        log.error("schedule_put_off", extra={"schedule": schedule})
    return done.attempted

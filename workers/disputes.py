"""Keeps the clocks of disputes, and collects what is owed from what comes in.

Each dispute is one transaction and one worker's: two that meet go past each other, and one that fails rests a while,
so that it holds up nobody.
"""

import logging

from core.database import Pool
from core.payments.dispute_case import tend_dispute
from core.payments.disputes import find_due_disputes, rest_dispute

log = logging.getLogger(__name__)

DISPUTES_PER_ROUND = 200


async def tend_disputes(pool: Pool) -> int:
    """Do what is due with disputes; how many were looked at."""
    found = await find_due_disputes(pool, DISPUTES_PER_ROUND)
    for tenant_id, dispute_id in found:
        try:
            await tend_dispute(pool, tenant_id, dispute_id)
        except Exception as error:
            log.warning("dispute_failed", extra={"dispute": dispute_id, "error": type(error).__name__})
            await rest_dispute(pool, tenant_id, dispute_id)
    return len(found)

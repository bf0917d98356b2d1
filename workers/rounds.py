"""A worker's rounds: work that is done again and again, and what it does when something is in the way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from prometheus_client import Counter, Gauge

log = logging.getLogger(__name__)

# After a failure a round waits this long, doubling up to the maximum.
RETRY_S_MIN = 0.5
RETRY_S_MAX = 30.0

rounds_done = Counter("payhub_worker_rounds", "Rounds done, by work and outcome.", ["work", "outcome"])
things_done = Counter("payhub_worker_things", "Things worked off, by work.", ["work"])
outbox_batches = Gauge("payhub_outbox_batches", "Batches in the outbox.")
outbox_oldest_seconds = Gauge("payhub_outbox_oldest_seconds", "Age of the oldest batch in the outbox.")
notices_waiting = Gauge("payhub_notices_waiting", "Notices nobody has acknowledged.")
log_waiting = Gauge("payhub_log_waiting", "Batches and audit entries that no tenant's log has yet.")
log_oldest_seconds = Gauge("payhub_log_oldest_seconds", "Age of the oldest of them. Sealed within a second, or so.")
tenants_unbalanced = Gauge("payhub_tenants_unbalanced", "Tenants whose accounts do not sum to zero. Must be 0.")


class Round(NamedTuple):
    """Work to repeat: `work()` returns how many things it did; a full round is repeated at once."""

    name: str
    every_s: float
    work: Callable[[], Awaitable[int]]
    full: int = 1_000_000_000


async def go_round(round_: Round) -> None:
    """Repeat for ever. A failure is logged and waited out; it never ends the worker."""
    retry_s = RETRY_S_MIN
    while True:
        try:
            done = await round_.work()
        except Exception as error:
            log.warning("round_failed", extra={"work": round_.name, "error": type(error).__name__})
            rounds_done.labels(round_.name, "failed").inc()
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_S_MAX)
            continue
        retry_s = RETRY_S_MIN
        rounds_done.labels(round_.name, "done").inc()
        things_done.labels(round_.name).inc(done)
        await asyncio.sleep(0 if done >= round_.full else round_.every_s)

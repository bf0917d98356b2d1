"""Makes what people asked to be told, removes what nobody is obliged to keep any more, and watches the law's clocks.

An export's step is one commit, and an erasure is finished wherever it was left: a worker that is killed leaves nothing
half done that another one does not see.
"""

import logging

from prometheus_client import Gauge

from core.database import Pool
from core.keys.safe import Safe
from core.privacy.incidents import count_untold
from core.privacy.making import make_some
from core.privacy.requests import count_due
from core.privacy.retention import run_retention

log = logging.getLogger(__name__)

# Of erasures, exports and texts each.
RETAINED_PER_ROUND = 200

requests_due = Gauge("payhub_privacy_requests_due", "Requests of people that are due within five days.")
requests_late = Gauge("payhub_privacy_requests_late", "Requests of people that are late. Should be 0.")
incidents_open = Gauge("payhub_incidents_untold", "Incidents that nobody was told of yet, in time.")
incidents_late = Gauge("payhub_incidents_late", "Incidents that nobody was told of in time. Should be 0.")
erasures_obstructed = Gauge("payhub_erasures_obstructed", "Erasures that something came in the way of, last looked at.")


async def make_exports(pool: Pool, keys: Safe) -> int:
    """Take the next step of an export; how many there were to take."""
    return await make_some(pool, keys)


async def retain(pool: Pool, keys: Safe) -> int:
    """Do what retention has to do now; how many things."""
    report = await run_retention(pool, keys, RETAINED_PER_ROUND)
    erasures_obstructed.set(len(report.obstructed))
    for tenant_id, person in (*report.obstructed, *report.failed):
        log.error("erasure_stuck", extra={"tenant_id": tenant_id, "person": person})
    if report.done:
        counts = {"erased": len(report.erased), "exports": report.exports_removed, "texts": report.texts_emptied}
        log.info("retained", extra=counts)
    return report.done


async def watch_clocks(pool: Pool) -> int:
    """Bring the gauges up to date, and say what is late: how much."""
    due, untold = await count_due(pool), await count_untold(pool)
    requests_due.set(sum(one.soon for one in due))
    requests_late.set(sum(one.late for one in due))
    incidents_open.set(sum(one.open for one in untold))
    incidents_late.set(sum(one.late for one in untold))
    late = 0
    for tenant_id, count in [(one.tenant_id, one.late) for one in due if one.late]:
        log.error("privacy_requests_late", extra={"tenant_id": tenant_id, "count": count})
        late += count
    for tenant_id, count in [(one.tenant_id, one.late) for one in untold if one.late]:
        log.error("incidents_untold", extra={"tenant_id": tenant_id, "count": count})
        late += count
    return late

"""What is kept for a time, after it: files of exports, erasures whose day has come, old requests' texts. With a report.

Nothing here decides how long: the register and the law's duties do. A rehearsal tells what would be done.
"""

import json
import logging
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.database import Pool, acquire, in_tenant
from core.errors import Refusal
from core.keys.safe import Safe
from core.privacy.classes import RIGHTS_PROOF
from core.privacy.erasures import REST, find_due, finish, put_off
from core.privacy.exports import remove_expired
from core.privacy.states import ErasureStatus

log = logging.getLogger(__name__)

NOW: Final = "select coalesce($1::timestamptz, clock_timestamp())"
FIND_TENANTS: Final = "select tenant_id from find_old_requests($1, $2)"
EMPTY_REQUESTS: Final = """
update privacy_requests set text_sealed = null, answer_sealed = null
 where ctid = any (array(
     select one.ctid from privacy_requests as one
      where one.tenant_id = $1 and one.asked_at < $2 and num_nonnulls(one.text_sealed, one.answer_sealed) > 0
      limit $3
 ))
"""
INSERT_RUN: Final = "insert into retention_runs (tenant_id, removed, erased) values ($1, $2::jsonb, $3)"
LIST_RUNS: Final = """
select at, removed::text, erased from retention_runs where tenant_id = $1 order by at desc limit $2
"""


class Report(NamedTuple):
    """What a run did, or would do. Persons by (tenant, person)."""

    erased: list[tuple[int, str]]
    waiting: list[tuple[int, str]]  # only what nobody is obliged to keep was removed
    obstructed: list[tuple[int, str]]
    failed: list[tuple[int, str]]
    exports_removed: int
    texts_emptied: int

    @property
    def done(self) -> int:
        """How many things."""
        return len(self.erased) + len(self.waiting) + self.exports_removed + self.texts_emptied


class Run(NamedTuple):
    """A run as it was written down, of one tenant."""

    at: datetime
    removed: dict[str, int]
    erased: int


async def run_retention(pool: Pool, keys: Safe, limit: int, at: datetime | None = None) -> Report:
    """Do everything whose time has come, of all tenants, up to a number of each. Any number may run at once."""
    async with acquire(pool) as connection:
        now: datetime = await connection.fetchval(NOW, at)
    report = Report([], [], [], [], await remove_expired(pool, limit), 0)
    for tenant_id, person_id in await find_due(pool, limit, at):
        try:
            erasure = await finish(pool, keys, tenant_id, person_id, at)
        except Refusal:
            report.obstructed.append((tenant_id, person_id))
            await put_off(pool, tenant_id, person_id, now + REST)
        except Exception as error:
            log.warning("erasure_failed", extra={"error": type(error).__name__})
            report.failed.append((tenant_id, person_id))
            await put_off(pool, tenant_id, person_id, now + REST)
        else:
            is_erased = erasure.status is ErasureStatus.ERASED
            (report.erased if is_erased else report.waiting).append((tenant_id, person_id))
    emptied = await _empty_requests(pool, now, limit)
    for tenant_id in {tenant for tenant, _ in report.erased} | emptied.keys():
        count = sum(tenant == tenant_id for tenant, _ in report.erased)
        removed = {"privacy_requests": emptied.get(tenant_id, 0)}
        async with in_tenant(pool, tenant_id) as connection:
            await connection.execute(INSERT_RUN, tenant_id, json.dumps(removed), count)
    return report._replace(texts_emptied=sum(emptied.values()))


async def list_runs(pool: Pool, tenant_id: int, limit: int) -> list[Run]:
    """What was done for a tenant, the latest first."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_RUNS, tenant_id, limit)
    return [Run(at, json.loads(removed), erased) for at, removed, erased in rows]


async def _empty_requests(pool: Pool, now: datetime, limit: int) -> dict[int, int]:
    """Empty the texts of requests that nobody has to prove any more: how many, by tenant."""
    before = now - timedelta(days=366 * RIGHTS_PROOF.years)
    async with acquire(pool) as connection:
        tenants = [row[0] for row in await connection.fetch(FIND_TENANTS, before, limit)]
    found = {}
    for tenant_id in tenants:
        async with in_tenant(pool, tenant_id) as connection:
            status = await connection.execute(EMPTY_REQUESTS, tenant_id, before, limit)
        found[tenant_id] = int(status.split()[-1])
    return found

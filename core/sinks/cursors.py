"""How far each tenant's log has been told at each sink: begun, claimed, settled, set back.

A claim is a worker's for a while. Whoever is killed with one loses it, and what they had sent and not settled is sent
again by the next worker, under the same ids.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.database import Pool, acquire
from core.errors import NotFound

# Longer than the slowest answer that is waited for, and what is done before and after it.
LEASE: Final = timedelta(seconds=40)

BEGIN: Final = "select begin_sink($1, $2)"
CLAIM: Final = """
select tenant_id, slug, currency, lease::text, number, taken, fails, failing_since
  from claim_sink($1, $2, $3, $4, $5, $6)
"""
SETTLE: Final = "select settle_sink($1, $2, $3, $4, $5, $6, $7, $8, $9)"
READ: Final = """
select sink, slug, number, behind, waits_since, last_taken_at, fails, failing_since, code from payhub.read_sinks()
"""
REPLAY: Final = "select number, leaves from payhub.replay_sink($1, $2, $3)"
FORGET: Final = "select payhub.forget_sink($1)"


class Claim(NamedTuple):
    """A tenant's log with something to tell: from leaf `number` on, of which `taken` events were taken."""

    sink: str
    tenant_id: int
    slug: str
    currency: str
    lease: str
    number: int
    taken: int
    fails: int
    failing_since: datetime | None

    @property
    def place(self) -> tuple[int, int]:
        """Where it is."""
        return self.number, self.taken


class Progress(NamedTuple):
    """How far a sink is with a tenant's log. `behind`: leaves, of which the first is from `waits_since`."""

    sink: str
    slug: str
    number: int
    behind: int
    waits_since: datetime | None
    last_taken_at: datetime | None
    fails: int
    failing_since: datetime | None
    code: str | None


class Replayed(NamedTuple):
    """From which leaf on a log is told again, and how many there are."""

    number: int
    leaves: int


async def begin(pool: Pool, sink: str, slugs: Sequence[str] | None) -> int:
    """Follow the logs that this sink does not follow yet, of these tenants, or of all; how many."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval(BEGIN, sink, slugs)
    return count


async def claim(
    pool: Pool, sink: str, slugs: Sequence[str] | None, at: datetime, limit: int, out_max: int
) -> list[Claim]:
    """Logs with something to tell there, the longest waiting first."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(CLAIM, sink, slugs, at, limit, out_max, LEASE)
    return [Claim(sink, *row) for row in rows]


async def settle_taken(pool: Pool, claim: Claim, at: datetime, number: int, taken: int) -> bool:
    """It was told so far, and the claim goes on. False: it is somebody else's, or none any more."""
    return await _settle(pool, claim, at, number, taken, LEASE, None, None)


async def give_back(pool: Pool, claim: Claim, at: datetime) -> bool:
    """It was told so far; again when there is more."""
    return await _settle(pool, claim, at, claim.number, claim.taken, None, at, None)


async def settle_failed(pool: Pool, claim: Claim, at: datetime, code: str, due_at: datetime) -> bool:
    """What comes next was not taken: again at `due_at`."""
    return await _settle(pool, claim, at, claim.number, claim.taken, None, due_at, code)


async def read_progress(admin: Pool) -> list[Progress]:
    """How far all sinks are with all logs, those too that no file names any more."""
    async with acquire(admin) as connection:
        return [Progress(*row) for row in await connection.fetch(READ)]


async def replay(admin: Pool, sink: str, slug: str, since: datetime) -> Replayed:
    """Tell a tenant's log again from a moment on. Raises NotFound."""
    async with acquire(admin) as connection:
        row = await connection.fetchrow(REPLAY, sink, slug, since)
    if row is None or row["number"] is None:
        raise NotFound(f"{sink} follows no tenant {slug}.")
    return Replayed(*row)


async def forget(admin: Pool, sink: str) -> int:
    """Forget how far a sink was told; how many logs it followed."""
    async with acquire(admin) as connection:
        count: int = await connection.fetchval(FORGET, sink)
    return count


async def _settle(
    pool: Pool,
    claim: Claim,
    at: datetime,
    number: int,
    taken: int,
    keeps: timedelta | None,
    due_at: datetime | None,
    code: str | None,
) -> bool:
    async with acquire(pool) as connection:
        is_done: bool = await connection.fetchval(
            SETTLE, claim.tenant_id, claim.sink, claim.lease, at, number, taken, keeps, due_at, code
        )
    return is_done

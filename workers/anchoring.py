"""A worker's round for each place outside the database: bring it the heads it does not have, say how far behind it is.

A place that is away, slow or wrong costs the others nothing, and payments nothing at all.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from prometheus_client import Counter, Gauge

from core.database import Pool
from core.errors import NotFound
from core.proof.anchors import Anchored, Refused, Waiting, find_shortened, find_unanchored, note_anchors, note_refusal
from core.proof.proving import prove_between, read_head
from workers.anchors.places import Outcome, Place, PlaceAway

log = logging.getLogger(__name__)

# A head waits at most for a round moment (core.proof.anchors.STRIDE) and for a look: well within a minute.
LOOK_S: Final = 10.0
HEADS_PER_LOOK: Final = 1_000
# A head that waits for longer is told to people. It is also what the alert on payhub_anchor_lag_seconds goes by.
LATE_S: Final = 120.0
# Said again this often, as long as it is so.
TELL_AGAIN_S: Final = 60.0

anchor_lag_seconds = Gauge(
    "payhub_anchor_lag_seconds", "For how long the oldest head that a place does not cover has waited.", ["place"]
)
anchored_timestamp_seconds = Gauge(
    "payhub_anchored_timestamp_seconds", "When a place took a head last, seconds since the epoch.", ["place"]
)
anchored_heads = Counter("payhub_anchored_heads", "Heads that a place took.", ["place"])
anchor_refused_logs = Gauge(
    "payhub_anchor_refused_logs", "Logs that a place says are not what it saw, or are shorter. Must be 0.", ["place"]
)
anchor_place_up = Gauge("payhub_anchor_place_up", "1 if the place could take heads at the last look.", ["place"])


class DatabaseLogs:
    """The logs as they are in this database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def prove(self, tenant_id: int, old_size: int, size: int) -> bytes:
        """That the log of `size` leaves begins with the one of `old_size`. Raises LookupError."""
        return await prove_between(self._pool, tenant_id, old_size, size)

    async def size(self, tenant_id: int) -> int:
        """How many leaves the log has."""
        try:
            return (await read_head(self._pool, tenant_id)).size
        except NotFound:
            return 0


class Anchoring:
    """Brings heads to one place, look after look."""

    def __init__(self, pool: Pool, place: Place) -> None:
        self._pool = pool
        self._place = place
        self._told_at: dict[str, float] = {}
        self._up = True

    @property
    def name(self) -> str:
        """The place's."""
        return self._place.name

    async def look(self, until: datetime | None = None) -> int:
        """Bring it what it does not have. How many it took. `until`: see core.proof.anchors.find_unanchored."""
        name = self._place.name
        waiting = await find_unanchored(self._pool, name, HEADS_PER_LOOK, until)
        left = {one.head.tenant_id: one for one in waiting}
        refused: set[int] = set()
        code = ""
        try:
            if waiting:
                async for outcomes in self._place.take(waiting):
                    await self._note(outcomes, left, refused)
        except PlaceAway as away:
            code = away.code
        count = len(waiting) - len(left)
        refused |= await self._find_shortened()
        self._tell(count, list(left.values()), refused, code)
        return count

    async def close(self) -> None:
        """Let go of the place."""
        await self._place.close()

    async def _note(self, outcomes: Sequence[Outcome], left: dict[int, Waiting], refused: set[int]) -> None:
        taken = [one for one in outcomes if isinstance(one, Anchored)]
        await note_anchors(self._pool, self.name, taken)
        for one in taken:
            left.pop(one.head.tenant_id, None)
        for other in outcomes:
            if isinstance(other, Refused):
                refused.add(other.head.tenant_id)
                await self._note_refusal(other)

    async def _note_refusal(self, refused: Refused) -> None:
        is_news = await note_refusal(self._pool, self.name, refused)
        if is_news or self._is_time(f"refused {refused.head.tenant_id}"):
            log.error(
                "anchor_refused",
                extra={
                    "place": self.name,
                    "tenant_id": refused.head.tenant_id,
                    "size": refused.head.size,
                    "kept_size": refused.kept.size,
                },
            )

    async def _find_shortened(self) -> set[int]:
        shortened = await find_shortened(self._pool, self.name)
        for one in shortened:
            if self._is_time(f"shortened {one.tenant_id}"):
                log.error(
                    "log_shortened",
                    extra={
                        "place": self.name,
                        "tenant_id": one.tenant_id,
                        "size": one.size,
                        "kept_size": one.anchored_size,
                    },
                )
        return {one.tenant_id for one in shortened}

    def _tell(self, count: int, left: Sequence[Waiting], refused: set[int], code: str) -> None:
        name, now = self.name, datetime.now(UTC)
        lag_s = max(((now - one.since).total_seconds() for one in left), default=0.0)
        anchor_lag_seconds.labels(name).set(lag_s)
        anchor_refused_logs.labels(name).set(len(refused))
        anchor_place_up.labels(name).set(not code)
        if count:
            anchored_timestamp_seconds.labels(name).set_to_current_time()
            anchored_heads.labels(name).inc(count)
        if code and self._up:
            log.warning("anchor_place_away", extra={"place": name, "code": code})
        elif not code and not self._up:
            log.info("anchor_place_back", extra={"place": name})
        self._up = not code
        if lag_s > LATE_S and self._is_time("late"):
            log.error("anchor_late", extra={"place": name, "seconds": round(lag_s), "count": len(left), "code": code})

    def _is_time(self, what: str) -> bool:
        """Whether this was not said lately."""
        now = time.monotonic()
        if now - self._told_at.get(what, -TELL_AGAIN_S) < TELL_AGAIN_S:
            return False
        self._told_at[what] = now
        return True

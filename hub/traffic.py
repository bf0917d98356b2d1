"""How many payments each tenant makes a second and how long they take, for two minutes. Pure: it is told the time.

A batch costs one count, whatever its size: what is added up is (tenant, status) pairs, counted by the interpreter's own
code. Nothing here waits, is written, or grows with the number of payments.
"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final, NamedTuple

# What is kept: a little more than is shown, for the second that is still running.
KEPT_S: Final = 125
SHOWN_S: Final = 120
# Upper ends of the buckets in microseconds, each a quarter above the one before: a percentile is that right.
BOUNDS_US: Final = tuple(int(200 * 1.25**step) for step in range(54))
# Tenants that are kept count of; beyond, those that were quiet the longest are forgotten.
TENANTS_MAX: Final = 10_000


class Second(NamedTuple):
    """One second of one tenant: payments by status, and by how long they took. As hubs tell it to each other, too."""

    at: int
    counts: dict[int, int]
    took: dict[int, int]


class Traffic:
    """One hub's payments, by tenant and second."""

    def __init__(self) -> None:
        self._tenants: dict[int, deque[Second]] = {}

    def count(self, pairs: Mapping[tuple[int, int], int], took_s: float, now: float) -> None:
        """A batch was committed: how many payments of each (tenant, status), and how long its slowest waited."""
        bucket = bisect_left(BOUNDS_US, took_s * 1_000_000)
        at = int(now)
        for (tenant_id, status), count in pairs.items():
            second = self._second(tenant_id, at)
            second.counts[status] = second.counts.get(status, 0) + count
            second.took[bucket] = second.took.get(bucket, 0) + count

    def past(self, tenant_id: int, now: float, length_s: int = SHOWN_S) -> list[Second]:
        """The tenant's seconds that are over, oldest first; those in which nothing happened are left out."""
        end = int(now)
        return [one for one in self._tenants.get(tenant_id, ()) if end - length_s <= one.at < end]

    def _second(self, tenant_id: int, at: int) -> Second:
        seconds = self._tenants.get(tenant_id)
        if seconds is None:
            if len(self._tenants) >= TENANTS_MAX:
                self._forget(at)
            seconds = self._tenants[tenant_id] = deque()
        if not seconds or seconds[-1].at < at:
            while seconds and seconds[0].at <= at - KEPT_S:
                seconds.popleft()
            seconds.append(Second(at, {}, {}))
        # A clock that was set back counts into the second that it had reached.
        return seconds[-1]

    def _forget(self, at: int) -> None:
        """Make room: whoever was quiet goes, or else whoever came first."""
        quiet = [tenant for tenant, seconds in self._tenants.items() if seconds[-1].at <= at - KEPT_S]
        for tenant_id in quiet or [next(iter(self._tenants))]:
            del self._tenants[tenant_id]


def count_pairs(tenants: Iterable[int], statuses: Iterable[int]) -> Counter[tuple[int, int]]:
    """How many payments of a batch each (tenant, status) has."""
    return Counter(zip(tenants, statuses, strict=True))


def merge(seconds: Iterable[Second]) -> list[Second]:
    """The same seconds of several hubs as one, oldest first."""
    merged: dict[int, Second] = {}
    for one in seconds:
        into = merged.setdefault(one.at, Second(one.at, {}, {}))
        for told, kept in ((one.counts, into.counts), (one.took, into.took)):
            for key, count in told.items():
                kept[key] = kept.get(key, 0) + count
    return [merged[at] for at in sorted(merged)]


def percentile_us(took: Mapping[int, int], share: float) -> int | None:
    """How long this share of them took at most; None: there were none."""
    if not took:
        return None
    buckets = sorted(took)
    wanted = share * sum(took.values())
    for bucket, reached in zip(buckets, accumulate(took[one] for one in buckets), strict=True):
        if reached >= wanted:
            return BOUNDS_US[min(bucket, len(BOUNDS_US) - 1)]
    return BOUNDS_US[-1]

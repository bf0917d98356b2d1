"""Who is connected to this hub, and who left it lately and why: what an operator's inspector shows. In memory alone.

It holds ids and cut networks and no name. What is forgotten at a restart was never promised.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

# Of one tenant: one that loses many connections does not push out what is known of another.
DEPARTURES_MAX: Final = 200
TENANTS_MAX: Final = 2_000


class Present(NamedTuple):
    """An open connection. Times are seconds since the epoch; `seen_at` 0: it has said nothing yet."""

    person_id: str
    role: str
    session_id: str
    door: str
    network: str | None
    since: float
    seen_at: float
    in_flight: int
    following: int
    is_behind: bool


class Departure(NamedTuple):
    """A connection that ended. `by_hub`: the hub closed it, and not the client or the line."""

    person_id: str
    role: str
    session_id: str
    door: str
    network: str | None
    since: float
    at: float
    code: int
    by_hub: bool


class Departures:
    """The latest departures of each tenant."""

    def __init__(self) -> None:
        self._tenants: dict[int, deque[Departure]] = {}

    def note(self, tenant_id: int, departure: Departure) -> None:
        """Somebody left."""
        latest = self._tenants.pop(tenant_id, None) or deque(maxlen=DEPARTURES_MAX)
        latest.append(departure)
        # The last one to lose somebody stands at the end: whoever has not for the longest is forgotten first.
        self._tenants[tenant_id] = latest
        if len(self._tenants) > TENANTS_MAX:
            del self._tenants[next(iter(self._tenants))]

    def latest(self, tenant_id: int, person_id: str | None, limit: int) -> list[Departure]:
        """A tenant's, or one person's, newest first."""
        found: Iterable[Departure] = reversed(self._tenants.get(tenant_id, ()))
        return [one for one in found if person_id in {None, one.person_id}][:limit]

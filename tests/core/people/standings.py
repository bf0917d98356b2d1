"""Somebody stands otherwise, for tests that look at what follows from it."""

from core.audit.trail import NOBODY
from core.database import Pool
from core.people.persons import PersonStatus
from core.people.standing import Reason, Set, set_status

REASONS = {
    PersonStatus.PENDING: Reason.NOT_IDENTIFIED,
    PersonStatus.ACTIVE: Reason.CLEARED,
    PersonStatus.BLOCKED: Reason.UNDER_REVIEW,
    PersonStatus.CLOSED: Reason.OWN_WISH,
}


async def stand(pool: Pool, tenant_id: int, person_id: str, status: PersonStatus) -> Set:
    """Let a person stand so, by the installation itself."""
    return await set_status(pool, tenant_id, person_id, status, REASONS[status], NOBODY)

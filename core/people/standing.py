"""How somebody stands with the tenant: pending, active, blocked or closed; since when, by whom, and why.

What a status lets its person do is said here once, for the hub; the ledger's accounts follow in the same commit, so
that money obeys at once whoever asks. It never tells anybody: that is the hub's.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, NoReturn

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant
from core.errors import NotFound, Refusal
from core.people.fields import FIELDS, Kind
from core.people.persons import PersonStatus

SET = "select outcome, before, field, ended from set_person_status($1, $2, $3, $4, $5)"
FIND_RESTOOD = "select tenant_id, person_id::text, status, is_paid, pays from find_restood($1, $2, $3, $4, $5)"


class Reason(StrEnum):
    """Why somebody stands as they do: a closed list, because the trail keeps it for good. Stored as it is."""

    IDENTIFIED = "identified"
    CLEARED = "cleared"
    NOT_IDENTIFIED = "not_identified"
    OWN_WISH = "own_wish"
    ACCESS_LOST = "access_lost"
    SUSPECTED_FRAUD = "suspected_fraud"
    UNDER_REVIEW = "under_review"
    COURT_ORDER = "court_order"
    TERMS_BROKEN = "terms_broken"
    DUPLICATE = "duplicate"
    DECEASED = "deceased"


REASONS: Final[dict[PersonStatus, frozenset[Reason]]] = {
    PersonStatus.PENDING: frozenset({Reason.NOT_IDENTIFIED, Reason.UNDER_REVIEW}),
    PersonStatus.ACTIVE: frozenset({Reason.IDENTIFIED, Reason.CLEARED, Reason.OWN_WISH, Reason.COURT_ORDER}),
    PersonStatus.BLOCKED: frozenset(
        {
            Reason.OWN_WISH,
            Reason.ACCESS_LOST,
            Reason.SUSPECTED_FRAUD,
            Reason.UNDER_REVIEW,
            Reason.COURT_ORDER,
            Reason.TERMS_BROKEN,
            Reason.DECEASED,
        }
    ),
    PersonStatus.CLOSED: frozenset(
        {
            Reason.OWN_WISH,
            Reason.NOT_IDENTIFIED,
            Reason.SUSPECTED_FRAUD,
            Reason.COURT_ORDER,
            Reason.TERMS_BROKEN,
            Reason.DUPLICATE,
            Reason.DECEASED,
        }
    ),
}


class Standing(NamedTuple):
    """How somebody stands, and whether they may be paid and pay."""

    status: PersonStatus
    is_paid: bool
    pays: bool


ACTIVE: Final = Standing(PersonStatus.ACTIVE, True, True)


class Set(NamedTuple):
    """What came of it: how the person stood before, and which sessions are over by it, machines' among them."""

    before: PersonStatus
    ended: list[str]


async def set_status(
    pool: Pool,
    tenant_id: int,
    person_id: str,
    status: PersonStatus,
    reason: Reason,
    by: By,
    case: str | None = None,
) -> Set:
    """Say how somebody stands from now on, and their accounts. `case`: a case's number, never words about a person.

    Raises NotFound, or Refusal with a code that says what to do first.
    """
    if reason not in REASONS[status]:
        raise Refusal("reason_does_not_fit", field="reason")
    if person_id == by.person_id:
        raise Refusal("not_on_yourself", field="person")
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(SET, tenant_id, person_id, int(status), reason.value, by.person_id)
        assert row is not None
        if row["outcome"] != "set":
            _refuse(row["outcome"], row["field"])
        before = PersonStatus(row["before"])
        details = {"before": before.name.lower(), "after": status.name.lower(), "reason": reason.value}
        await note(connection, tenant_id, by, Act.PERSON_STATUS_SET, person_id, case, details)
    return Set(before, [str(session) for session in row["ended"] or ()])


async def read_standings(pool: Pool, pairs: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Standing]:
    """How each of these (tenant id, person id) stands; who is not there is left out."""
    return await find_restood(pool, dict.fromkeys(pairs))


async def find_restood(pool: Pool, known: Mapping[tuple[int, str], Standing | None]) -> dict[tuple[int, str], Standing]:
    """Those who stand otherwise than is known of them, in one call for all tenants."""
    if not known:
        return {}
    tenants, persons = zip(*known, strict=True)
    stands = [(None, None, None) if one is None else (int(one.status), one.is_paid, one.pays) for one in known.values()]
    async with acquire(pool) as connection:
        rows = await connection.fetch(FIND_RESTOOD, tenants, persons, *zip(*stands, strict=True))
    return {
        (tenant_id, person_id): Standing(PersonStatus(status), is_paid, pays)
        for tenant_id, person_id, status, is_paid, pays in rows
    }


def _refuse(outcome: str, field: int | None) -> NoReturn:
    if outcome == "not_found":
        raise NotFound
    raise Refusal(outcome, field=None if field is None else FIELDS[Kind(field)].name)

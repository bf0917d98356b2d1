"""Who works for the tenant: roles given and taken away, by one operator or by two.

What a role may do is the hub's table (hub/commands/rights.py). Nobody changes their own role, and there is always an
operator left.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal
from core.people.persons import Role

SET = "select outcome, before, first::text, ended from set_person_role($1, $2, $3, $4)"
LIST_REQUESTS = """
select person_id::text, role, asked_by::text, asked_at
  from role_requests
 where tenant_id = $1 and asked_at > clock_timestamp() - $2::interval
 order by asked_at, person_id
 limit $3
"""
# As long, set_person_role waits for the second operator.
REQUEST_LASTS: Final = timedelta(days=7)
REQUESTS_MAX: Final = 200


class Given(NamedTuple):
    """What came of it. `waits`: another operator has to ask for the same. `ended`: the sessions of the role before."""

    before: Role
    waits: bool
    ended: list[str]


class Request(NamedTuple):
    """A role that waits for its second operator."""

    person_id: str
    role: Role
    asked_by: str
    asked_at: datetime


async def set_role(pool: Pool, tenant_id: int, person_id: str, role: Role, by: By, case: str | None = None) -> Given:
    """Give somebody a role. A new role is a new session. Raises NotFound, Refusal.

    If the tenant wants two operators to agree on staff, the first call asks and another operator's does it.
    """
    if by.person_id is None or person_id == by.person_id:
        raise Refusal("not_on_yourself", field="person")
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(SET, tenant_id, person_id, int(role), by.person_id)
        assert row is not None
        if row["outcome"] == "not_found":
            raise NotFound
        if row["outcome"] not in {"set", "asked"}:
            raise Refusal(row["outcome"], field="person")
        before, waits = Role(row["before"]), row["outcome"] == "asked"
        if before is not role:
            details = {"before": before.name.lower(), "after": role.name.lower()}
            if row["first"] is not None:
                details["asked_by"] = row["first"]
            act = Act.PERSON_ROLE_ASKED if waits else Act.PERSON_ROLE_SET
            await note(connection, tenant_id, by, act, person_id, case, details)
    return Given(before, waits, [str(session) for session in row["ended"] or ()])


async def list_requests(pool: Pool, tenant_id: int) -> list[Request]:
    """Roles that wait for a second operator, oldest first."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_REQUESTS, tenant_id, REQUEST_LASTS, REQUESTS_MAX)
    return [Request(person, Role(role), asked_by, asked_at) for person, role, asked_by, asked_at in rows]

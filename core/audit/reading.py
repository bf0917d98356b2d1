"""The audit trail read back: the whole of a tenant's by whoever oversees it, or what is a person's own.

Whoever reads the tenant's leaves an entry in the same commit, like whoever reads personal data (PCI DSS 4.0.1,
10.2.1.3: all access to audit logs). A person who reads their own leaves none.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, Entry, note
from core.database import Pool, in_tenant

COLUMNS: Final = "id::text, at, what, who::text, about, why, session_id::text, network, details::text"
# What is asked of one side at a time has an index; both together are two short walks.
WHERE: Final = """
   and ($2::timestamptz is null or (at, id) < ($2, coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')::uuid))
   and ($4::timestamptz is null or at >= $4)
   and ($5::text is null or what = $5)
   and ($6::uuid is null or who = $6)
   and ($7::text is null or about = $7)
 order by at desc, id desc
 limit $8
"""
READ_WHOLE: Final = f"select {COLUMNS} from audit_entries where tenant_id = $1 {WHERE}"  # noqa: S608  # constants
READ_OWN: Final = f"""
select {COLUMNS}
  from (
      (select * from audit_entries where tenant_id = $1 and who = $9 and what <> $11 {WHERE})
      union
      (select * from audit_entries
        where tenant_id = $1 and about = $9::text and split_part(what, '.', 1) = any ($10) {WHERE})
      union
      (select * from audit_entries
        where tenant_id = $1
          and about in (select id::text from seats where tenant_id = $1 and (person_id = $9 or holder = $9))
          and what like 'seat.%' and what <> $12 {WHERE})
  ) as own
 order by at desc, id desc
 limit $8
"""  # noqa: S608  # constants
# What was done to somebody that they may know of. Not who looked at them: whoever is looked into is not to hear of it
# (Lei 9.613/1998, art. 11, II).
TOLD: Final = (
    "person",
    "profile",
    "contact",
    "session",
    "device",
    "factor",
    "password",
    "passkey",
    "recovery_codes",
    "api_key",
    "terminal",
    "external_identity",
)
# Whether anybody was there to decline is not the merchant's to know; whoever declined reads it as their own act.
UNTOLD: Final = Act.SEAT_DECLINED.value
# What stands for an `about` that no entry that was read has.
NOT_THERE: Final = "(nothing)"
# What somebody did and is not to hear of: it would say that there is another person, and who.
HIDDEN: Final = Act.PROFILE_CLAIMED.value


class Filter(NamedTuple):
    """Which entries: those that fit all that is given. Before a moment and, of that moment, before an entry."""

    what: str | None = None
    who: str | None = None
    about: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    before_entry: str | None = None

    @property
    def arguments(self) -> tuple[Any, ...]:
        """As the queries take them, from $2 on."""
        return self.before, self.before_entry, self.since, self.what, self.who, self.about


async def read_whole_trail(pool: Pool, tenant_id: int, wanted: Filter, limit: int, by: By) -> list[Entry]:
    """Entries of the tenant's, newest first. That they were read, and by what they were chosen, is one more."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_WHOLE, tenant_id, *wanted.arguments, limit)
        # What nobody has written here is not written by looking for it: somebody may look for a person by their CPF.
        about = wanted.about if rows or wanted.about is None else NOT_THERE
        asked = {"what": wanted.what, "who": wanted.who, "about": about}
        details = {"read": len(rows), **{name: value for name, value in asked.items() if value is not None}}
        await note(connection, tenant_id, by, Act.TRAIL_READ, details=details)
    return _to_entries(rows)


async def read_own_trail(pool: Pool, tenant_id: int, person_id: str, wanted: Filter, limit: int) -> list[Entry]:
    """What somebody did, what was done to them that they may know of, and in their seats, newest first."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_OWN, tenant_id, *wanted.arguments, limit, person_id, TOLD, HIDDEN, UNTOLD)
    return _to_entries(rows)


def _to_entries(rows: Sequence[Any]) -> list[Entry]:
    return [Entry(*row)._replace(details=json.loads(row["details"] or "null")) for row in rows]

"""What the law obliges to keep of a person who leaves, by which rule, and until when (LGPD art. 16, I).

A duty is one of the register's Keepings that name a law; it holds for the tables that are kept by it. The day is the
first on which nothing obliges any more.
"""

from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from core.database import Connection
from core.privacy.classes import CLAIM, IDENTITY, OPERATION, Keeping, Since
from core.privacy.tables import LEDGER

# The rules that keep a person's key alive: what is sealed is kept by one of them, or goes at once.
KEEPINGS: Final = (IDENTITY, OPERATION, CLAIM)
# Of this article of the LGPD all of them are cases.
ARTICLE: Final = "art. 16, I"
# The last entry of each of the person's accounts is at its version; a dispute keeps its texts from its closing on.
READ_PAST: Final = """
select (select max(entries.judged_at)
          from accounts
          cross join lateral (
              select entries.judged_at from entries
               where entries.tenant_id = $1 and entries.account_id = accounts.id and entries.number = accounts.version
          ) as entries
         where accounts.tenant_id = $1 and accounts.person_id = $2 and accounts.version > 0) as last_operation,
       (select max(coalesce(disputes.closed_at, clock_timestamp()))
          from disputes
          join accounts on accounts.tenant_id = $1 and accounts.id in (disputes.payer, disputes.payee)
         where disputes.tenant_id = $1 and accounts.person_id = $2) as last_dispute
"""


class Past(NamedTuple):
    """What a person's duties are counted from: their last operation, and the closing of their last dispute."""

    last_operation: datetime | None
    last_dispute: datetime | None


class Duty(NamedTuple):
    """Why something is kept. `tables`: what. `until`: the first day on which it is not kept for this reason."""

    code: str
    tables: list[str]
    law: str
    until: date


async def read_past(connection: Connection, tenant_id: int, person_id: str) -> Past:
    """What there was of a person, in the connection's transaction, which names the tenant."""
    row = await connection.fetchrow(READ_PAST, tenant_id, person_id)
    assert row is not None
    return Past(*row)


def duties_of(past: Past, ended_at: datetime, time_zone: str, *, keeps_all_identities: bool = False) -> list[Duty]:
    """What is kept of somebody whose relationship ended then, the longest first.

    Without any operation nobody became a customer in the rules' sense, and nothing is kept of who they are: unless the
    institution says otherwise (`keeps_all_identities`).
    """
    found = []
    for keeping, moment in (
        (IDENTITY, ended_at if past.last_operation is not None or keeps_all_identities else None),
        (OPERATION, past.last_operation),
        (CLAIM, past.last_dispute),
    ):
        if moment is not None:
            assert keeping.law is not None
            tables = [table for table in LEDGER.values() if table.personal and table.keeping == keeping]
            day = moment.astimezone(ZoneInfo(time_zone)).date()
            found.append(Duty(keeping.code, [table.name for table in tables], keeping.law, until(keeping, day)))
    return sorted(found, key=lambda duty: duty.until, reverse=True)


def until(keeping: Keeping, day: date) -> date:
    """The first day after a time that is counted from `day`, or from the first day of the year after it."""
    if keeping.since in {Since.YEAR_AFTER_EVENT, Since.YEAR_AFTER_END}:
        return date(day.year + 1 + keeping.years, 1, 1)
    year = day.year + keeping.years
    # Of 29 February, the day after the 28th.
    return date(year, 3, 1) if (day.month, day.day) == (2, 29) and not _is_leap(year) else day.replace(year=year)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)

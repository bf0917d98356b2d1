"""What people allowed, and took back again (LGPD art. 8): by purpose, for a version of its text, with time and place.

A purpose's text never changes: a new one is a new version, which may ask everybody again. Whatever rests on consent
alone asks `is_given` in its own transaction; taking consent back empties, in the same commit, the columns that rest on
it (classes.Column.consent). It knows no consent but an explicit one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Refusal
from core.notices.kinds import NoticeKind
from core.privacy.tables import LEDGER

# Where somebody can say so: hub.doors.Door, over HTTP whoever it is, and by the link of a mail.
DOORS: Final = frozenset({"web", "native", "http", "mail"})
# Whoever gives and takes back for ever fills a table: a person who changes their mind daily for ten years does not.
CHANGES_MAX: Final = 4_000
# More than anybody reads before agreeing.
PURPOSES_MAX: Final = 50

# The version of each purpose that holds, with what one person says to it. What was given counts from the last version
# that asked again on.
COLUMNS: Final = """
select held.purpose, held.version, held.title_pt, held.text_pt, held.title_en, held.text_en, held.set_at, said.version,
       said.at, said.is_given is true and said.version >= held.counts_from
  from (
      select distinct on (purpose) consent_purposes.*,
             max(version) filter (where asks_again or not is_open or version = 1) over (partition by purpose)
                 as counts_from
        from consent_purposes
       where tenant_id = $1 and ($3::text is null or purpose = $3)
       order by purpose, version desc
  ) as held
  left join lateral (
      select consents.version, consents.at, consents.is_given
        from consents
       where consents.tenant_id = $1 and consents.person_id = $2::uuid and consents.purpose = held.purpose
       order by consents.number desc
       limit 1
  ) as said on true
 where held.is_open
 order by held.purpose
"""
NEXT_VERSION: Final = "select coalesce(max(version), 0) + 1 from consent_purposes where tenant_id = $1 and purpose = $2"
COUNT_PURPOSES: Final = "select count(distinct purpose) from consent_purposes where tenant_id = $1 and purpose <> $2"
INSERT_PURPOSE: Final = """
insert into consent_purposes (
    tenant_id, purpose, version, title_pt, text_pt, title_en, text_en, asks_again, is_open, set_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
STOP_NEWS: Final = "select stop_news($1, $2, $3, $4)"
LOCK: Final = "select pg_advisory_xact_lock($1, hashtext($2))"
LAST: Final = """
select number, version, is_given from consents
 where tenant_id = $1 and person_id = $2 and purpose = $3
 order by number desc limit 1
"""
INSERT: Final = """
insert into consents (tenant_id, person_id, purpose, number, version, is_given, session_id, door, network)
select $1, persons.id, $3, $4, $5, $6, $7, $8, $9
  from persons where persons.tenant_id = $1 and persons.id = $2
returning at
"""
HISTORY: Final = """
select purpose, number, version, is_given, at, session_id::text, door
  from consents
 where tenant_id = $1 and person_id = $2
   and ($3::timestamptz is null or (at, purpose, number) < ($3, $4, $5))
 order by at desc, purpose desc, number desc
 limit $6
"""


class Text(NamedTuple):
    """What is asked, in both languages. `asks_again`: whoever agreed to an earlier text has to agree anew."""

    title_pt: str
    text_pt: str
    title_en: str
    text_en: str
    asks_again: bool = False
    is_open: bool = True


class Asked(NamedTuple):
    """A purpose in the version that holds, and what the person says to it.

    `answered_version` and `answered_at`: of their last word. `is_given`: it counts now.
    """

    purpose: str
    version: int
    title_pt: str
    text_pt: str
    title_en: str
    text_en: str
    set_at: datetime
    answered_version: int | None
    answered_at: datetime | None
    is_given: bool


class Change(NamedTuple):
    """One word of a person's. `session_id` and `door`: where it was said; None after an erasure."""

    purpose: str
    number: int
    version: int
    is_given: bool
    at: datetime
    session_id: str | None
    door: str | None


async def set_purpose(pool: Pool, tenant_id: int, purpose: str, text: Text, by: By) -> int:
    """Ask for consent in these words from now on: the version. Raises Refusal when there are too many purposes."""
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(LOCK, tenant_id, f"purpose {purpose}")
        if await connection.fetchval(COUNT_PURPOSES, tenant_id, purpose) >= PURPOSES_MAX:
            raise Refusal("too_many_purposes", field="purpose")
        version: int = await connection.fetchval(NEXT_VERSION, tenant_id, purpose)
        await connection.execute(INSERT_PURPOSE, tenant_id, purpose, version, *text, by.person_id)
        await note(connection, tenant_id, by, Act.PRIVACY_SET, f"purpose {purpose}", details={"version": version})
    return version


async def list_purposes(pool: Pool, tenant_id: int, person_id: str | None = None) -> list[Asked]:
    """What the tenant asks consent for now, and what this person says to it."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Asked(*row) for row in await connection.fetch(COLUMNS, tenant_id, person_id, None)]


async def give(pool: Pool, tenant_id: int, person_id: str, purpose: str, version: int, by: By, door: str) -> Asked:
    """Agree to a version of a purpose's text. Again it changes nothing.

    Raises NotFound, Refusal `consent_text_changed` for a version that no longer holds.
    """
    return await _say(pool, tenant_id, person_id, purpose, version, by, door)


async def revoke(pool: Pool, tenant_id: int, person_id: str, purpose: str, by: By, door: str) -> Asked:
    """Take consent back, whatever version it was given to. Again it changes nothing. Raises NotFound."""
    return await _say(pool, tenant_id, person_id, purpose, None, by, door)


async def is_given(connection: Connection, tenant_id: int, person_id: str, purpose: str) -> bool:
    """Whether this person's consent for this purpose counts now, as the transaction sees it."""
    rows = await connection.fetch(COLUMNS, tenant_id, person_id, purpose)
    return bool(rows) and Asked(*rows[0]).is_given


async def require(connection: Connection, tenant_id: int, person_id: str, purpose: str) -> None:
    """Raise Refusal `consent_missing` unless it is given; nobody takes it back before the transaction ends."""
    await connection.execute(LOCK, tenant_id, f"consent {person_id} {purpose}")
    if not await is_given(connection, tenant_id, person_id, purpose):
        raise Refusal("consent_missing")


async def list_changes(
    pool: Pool, tenant_id: int, person_id: str, limit: int, before: tuple[datetime, str, int] | None = None
) -> list[Change]:
    """Everything that a person ever said, newest first, before one of them (its time, purpose and number)."""
    at, purpose, number = before or (None, None, None)
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(HISTORY, tenant_id, person_id, at, purpose, number, limit)
    return [Change(*row) for row in rows]


async def _say(
    pool: Pool, tenant_id: int, person_id: str, purpose: str, version: int | None, by: By, door: str
) -> Asked:
    """`version` None: no more."""
    assert door in DOORS, door
    async with in_tenant(pool, tenant_id) as connection:
        # One word at a time, so that each has its number, and none is said while somebody acts on it.
        await connection.execute(LOCK, tenant_id, f"consent {person_id} {purpose}")
        held = await _read(connection, tenant_id, person_id, purpose)
        if version is not None and version != held.version:
            raise Refusal("consent_text_changed", field="version")
        last = await connection.fetchrow(LAST, tenant_id, person_id, purpose)
        if version is None:
            is_said = last is None or not last["is_given"]
        else:
            is_said = held.is_given and held.answered_version == version
        if is_said:
            return held
        number = 1 if last is None else last["number"] + 1
        if number > CHANGES_MAX:
            raise Refusal("too_many_changes")
        said = held.version if last is None else version or last["version"]
        where = (by.session_id, door, by.network)
        is_given_now = version is not None
        if not await connection.fetchval(INSERT, tenant_id, person_id, purpose, number, said, is_given_now, *where):
            raise NotFound
        emptied = 0 if is_given_now else await _stop(connection, tenant_id, person_id, purpose)
        act = Act.CONSENT_GIVEN if is_given_now else Act.CONSENT_REVOKED
        details = {"purpose": purpose, "version": said, "emptied": emptied}
        await note(connection, tenant_id, by, act, person_id, details=details)
        return await _read(connection, tenant_id, person_id, purpose)


async def _read(connection: Connection, tenant_id: int, person_id: str, purpose: str) -> Asked:
    row = await connection.fetchrow(COLUMNS, tenant_id, person_id, purpose)
    if row is None:
        raise NotFound
    return Asked(*row)


async def _stop(connection: Connection, tenant_id: int, person_id: str, purpose: str) -> int:
    """Empty what is kept on this consent alone: how many values. Nor is any news told that waits."""
    await connection.execute(STOP_NEWS, tenant_id, person_id, purpose, NoticeKind.NEWS)
    count = 0
    for table, column in resting_on(purpose):
        owner = LEDGER[table].owners[0].column
        # Names out of the register, which are constants of ours.
        query = f"update {table} set {column} = null where tenant_id = $1 and {owner} = $2 and {column} is not null"  # noqa: S608
        count += int((await connection.execute(query, tenant_id, person_id)).split()[-1])
    return count


def resting_on(purpose: str) -> Sequence[tuple[str, str]]:
    """The columns that are kept for a purpose of consent alone: (table, column) each."""
    return [
        (table.name, name)
        for table in LEDGER.values()
        for name, column in table.personal.items()
        if column.consent == purpose
    ]

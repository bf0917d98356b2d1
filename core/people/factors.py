"""A person's second factors: which there are, what they are called, how they go.

How one proves anything is its own room's: core/people/totp.py, passkeys.py, recovery.py. Every enrolment and every
removal is written down in its own commit.
"""

import datetime
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Refusal
from core.notices.kinds import NoticeKind
from core.notices.leaving import warn
from core.people.recovery import count_codes, draw_codes, forget_codes
from core.people.sessions import Ending, revoke_others

# An authenticator app, and a passkey for each device and each key on a key ring.
FACTORS_PER_PERSON_MAX = 20

LOCK = "select true from persons where tenant_id = $1 and id = $2 and status <> 2 for no key update"
COUNT = "select count(*) from factors where tenant_id = $1 and person_id = $2 and confirmed_at is not null"
LIST = """
select id::text, kind, name, made_at, last_used_at, coalesce(is_synced, false), copied_at
  from factors
 where tenant_id = $1 and person_id = $2 and confirmed_at is not null
 order by made_at, id
"""
OFFER = """
select coalesce(bool_or(kind = 1), false) as has_totp,
       coalesce(array_agg(credential_id order by made_at) filter (where kind = 2), '{}') as credentials,
       coalesce(
           array_agg(coalesce(array_to_string(transports, ' '), '') order by made_at) filter (where kind = 2), '{}'
       ) as transports
  from factors
 where tenant_id = $1 and person_id = $2 and confirmed_at is not null
"""
HAS = "select exists (select from factors where tenant_id = $1 and person_id = $2 and confirmed_at is not null)"
NAME = """
update factors set name = $4 where tenant_id = $1 and person_id = $2 and id = $3 and confirmed_at is not null
returning true
"""
REMOVE = """
delete from factors where tenant_id = $1 and person_id = $2 and id = $3 and confirmed_at is not null
returning kind, name
"""
REMOVE_ALL = "delete from factors where tenant_id = $1 and person_id = $2 returning id::text, kind"


class Kind(IntEnum):
    """What a factor is. Stored in factors.kind."""

    TOTP = 1
    PASSKEY = 2


class Factor(NamedTuple):
    """A factor as its owner sees it. `copied_at`: when there last seemed to be two of it."""

    id: str
    kind: Kind
    name: str
    made_at: datetime.datetime
    last_used_at: datetime.datetime | None
    is_synced: bool
    copied_at: datetime.datetime | None


class Credential(NamedTuple):
    """A passkey as a browser is told of it."""

    id: bytes
    transports: tuple[str, ...]


class Offer(NamedTuple):
    """What a person can prove themselves by."""

    has_totp: bool
    passkeys: tuple[Credential, ...]
    recovery_codes: int

    @property
    def is_empty(self) -> bool:
        """Whether there is no second factor. Recovery codes alone are none: they recover one."""
        return not self.has_totp and not self.passkeys


async def lock_person(connection: Connection, tenant_id: int, person_id: str) -> None:
    """Changes of one person's factors wait for one another. Raises NotFound for who is not active."""
    if not await connection.fetchval(LOCK, tenant_id, person_id):
        raise NotFound


async def make_room(connection: Connection, tenant_id: int, person_id: str) -> None:
    """Raises Refusal when the person has as many factors as there may be."""
    if await connection.fetchval(COUNT, tenant_id, person_id) >= FACTORS_PER_PERSON_MAX:
        raise Refusal("too_many_factors")


async def list_factors(pool: Pool, tenant_id: int, person_id: str) -> tuple[list[Factor], int]:
    """The person's factors, oldest first, and how many recovery codes are left."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST, tenant_id, person_id)
        left = await count_codes(connection, tenant_id, person_id)
    return [Factor(*row)._replace(kind=Kind(row["kind"])) for row in rows], left


async def read_factor(connection: Connection, tenant_id: int, person_id: str, factor_id: str) -> Factor:
    """One of them. Raises NotFound."""
    for row in await connection.fetch(LIST, tenant_id, person_id):
        if row["id"] == factor_id:
            return Factor(*row)._replace(kind=Kind(row["kind"]))
    raise NotFound


async def has_factor(pool: Pool, tenant_id: int, person_id: str) -> bool:
    """Whether the person has a second factor."""
    async with in_tenant(pool, tenant_id) as connection:
        found: bool = await connection.fetchval(HAS, tenant_id, person_id)
    return found


async def read_offer(pool: Pool, tenant_id: int, person_id: str) -> Offer:
    """What the person can prove themselves by."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(OFFER, tenant_id, person_id)
        left = await count_codes(connection, tenant_id, person_id)
    assert row is not None
    passkeys = (
        Credential(id_, tuple(transports.split()))
        for id_, transports in zip(row["credentials"], row["transports"], strict=True)
    )
    return Offer(row["has_totp"], tuple(passkeys), left)


async def note_enrolment(
    connection: Connection,
    tenant_id: int,
    person_id: str,
    by: By,
    factor_id: str,
    details: Mapping[str, Any],
) -> list[str]:
    """Write down a new factor, in the connection's transaction. Gives recovery codes if the person has none left."""
    await note(connection, tenant_id, by, Act.FACTOR_ENROLLED, factor_id, details=details)
    await warn(connection, tenant_id, NoticeKind.FACTOR_ENROLLED, person_id, by, details["kind"])
    if await count_codes(connection, tenant_id, person_id):
        return []
    return await draw_codes(connection, tenant_id, person_id)


async def name_factor(pool: Pool, tenant_id: int, person_id: str, factor_id: str, name: str) -> None:
    """Give a factor another name. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(NAME, tenant_id, person_id, factor_id, name):
            raise NotFound


async def remove_factor(
    pool: Pool, tenant_id: int, person_id: str, factor_id: str, by: By, *, keeps_one: bool = False
) -> str:
    """Remove one of the person's factors, and give its name; with the last one go the recovery codes.

    Raises NotFound, and with `keeps_one` Refusal when it is the last.
    """
    async with in_tenant(pool, tenant_id) as connection:
        await lock_person(connection, tenant_id, person_id)
        row = await connection.fetchrow(REMOVE, tenant_id, person_id, factor_id)
        if row is None:
            raise NotFound
        details = {"kind": Kind(row["kind"]).name.lower()}
        await note(connection, tenant_id, by, Act.FACTOR_REMOVED, factor_id, details=details)
        await warn(connection, tenant_id, NoticeKind.FACTOR_REMOVED, person_id, by, details["kind"])
        if not await connection.fetchval(HAS, tenant_id, person_id):
            if keeps_one:
                raise Refusal("second_factor_required")
            await forget_codes(connection, tenant_id, person_id)
    return str(row["name"])


async def reset_factors(pool: Pool, tenant_id: int, person_id: str, by: By, why: str) -> tuple[int, list[str]]:
    """Remove all of somebody's factors and codes, and end their sessions. Raises NotFound.

    Gives how many factors there were, and which sessions.
    """
    async with in_tenant(pool, tenant_id) as connection:
        await lock_person(connection, tenant_id, person_id)
        rows = await connection.fetch(REMOVE_ALL, tenant_id, person_id)
        for row in rows:
            details = {"kind": Kind(row["kind"]).name.lower(), "person": person_id}
            await note(connection, tenant_id, by, Act.FACTOR_REMOVED, row["id"], why, details)
        if rows:
            await warn(connection, tenant_id, NoticeKind.FACTOR_REMOVED, person_id, by)
        await forget_codes(connection, tenant_id, person_id)
        ended = await revoke_others(connection, tenant_id, person_id, by, Ending.FACTORS_RESET, why)
    return len(rows), ended


async def renew_codes(pool: Pool, tenant_id: int, person_id: str, by: By) -> list[str]:
    """Ten new recovery codes; those of before are void. Raises Refusal for who has no factor to recover."""
    async with in_tenant(pool, tenant_id) as connection:
        await lock_person(connection, tenant_id, person_id)
        if not await connection.fetchval(HAS, tenant_id, person_id):
            raise Refusal("second_factor_required")
        await note(connection, tenant_id, by, Act.RECOVERY_CODES_DRAWN, person_id)
        return await draw_codes(connection, tenant_id, person_id)

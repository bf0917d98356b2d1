"""Who somebody is: a role, a status, and the name others see.

The ledger knows only a person's id; the name is personal data, kept in profiles and never in a log.
"""

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from core.database import Pool, in_tenant
from core.errors import NotFound

DISPLAY_NAME_LENGTH_MAX = 100
# A payee's name is what a payer trusts before paying. Control characters, lone surrogates and line
# separators break logs and screens; bidirectional overrides make a name read as another one.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
REFUSED_CHARACTERS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

READ_PERSON = """
select persons.id, persons.role, persons.status, profiles.display_name
  from persons
  left join profiles on profiles.tenant_id = persons.tenant_id and profiles.person_id = persons.id
 where persons.tenant_id = $1 and persons.id = $2
"""

READ_PAYEE_NAMES = """
select accounts.id, profiles.display_name
  from accounts
  join profiles on profiles.tenant_id = accounts.tenant_id and profiles.person_id = accounts.person_id
 where accounts.tenant_id = $1 and accounts.id = any ($2)
"""

SET_STATUS = "update persons set status = $3 where tenant_id = $1 and id = $2 returning true"


class Role(IntEnum):
    """What a person is to the tenant. Stored in persons.role."""

    CUSTOMER = 0
    MERCHANT = 1
    OPERATOR = 2


class PersonStatus(IntEnum):
    """Whether a person may log in and stay logged in. Stored in persons.status."""

    ACTIVE = 0
    BLOCKED = 1
    CLOSED = 2


class Person(NamedTuple):
    """A person of one tenant. `display_name` is None once the profile has been erased."""

    id: str
    role: Role
    status: PersonStatus
    display_name: str | None


async def read_person(pool: Pool, tenant_id: int, person_id: str) -> Person:
    """The person with this id. Raises NotFound, also for another tenant's person."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_PERSON, tenant_id, person_id)
    if row is None:
        raise NotFound
    return Person(str(row["id"]), Role(row["role"]), PersonStatus(row["status"]), row["display_name"])


async def read_payee_name(pool: Pool, tenant_id: int, account_id: int) -> str:
    """The display name of the account's owner. Raises NotFound, also for the tenant's own books."""
    names = await read_payee_names(pool, tenant_id, [account_id])
    if account_id not in names:
        raise NotFound
    return names[account_id]


async def read_payee_names(pool: Pool, tenant_id: int, account_ids: Sequence[int]) -> dict[int, str]:
    """Display names by account number; accounts without an owner, or without a profile, are left out."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_PAYEE_NAMES, tenant_id, account_ids)
    return {row["id"]: row["display_name"] for row in rows}


async def set_status(pool: Pool, tenant_id: int, person_id: str, status: PersonStatus) -> None:
    """Block, close or reactivate a person. Live sessions end at the next sweep. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(SET_STATUS, tenant_id, person_id, int(status)):
            raise NotFound


def normalise_display_name(name: str) -> str:
    """The name as it is stored: NFC, single spaces, 1 to 100 characters. Raises ValueError."""
    plain = " ".join(part for part in unicodedata.normalize("NFC", name).split(" ") if part)
    if not 1 <= len(plain) <= DISPLAY_NAME_LENGTH_MAX:
        raise ValueError(f"A display name has 1 to {DISPLAY_NAME_LENGTH_MAX} characters.")
    if any(unicodedata.category(mark) in REFUSED_CATEGORIES or mark in REFUSED_CHARACTERS for mark in plain):
        raise ValueError("A display name has no control characters and no direction overrides.")
    return plain

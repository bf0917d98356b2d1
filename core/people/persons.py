"""Who somebody is: a role, a status, and the name others see.

The ledger knows only a person's id; the name is personal data, sealed under the person's key and never in a log.
"""

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from core.database import Connection, Pool, in_tenant
from core.errors import NotFound
from core.keys.cipher import Cipher
from core.keys.places import DISPLAY_NAME
from core.keys.safe import Safe

DISPLAY_NAME_LENGTH_MAX = 100
# A payee's name is what a payer trusts before paying. Control characters, lone surrogates and line
# separators break logs and screens; bidirectional overrides make a name read as another one.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
REFUSED_CHARACTERS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

READ_PERSON = """
select persons.id::text, persons.role, persons.status, profiles.display_name, profiles.display_name_sealed
  from persons
  left join profiles on profiles.tenant_id = persons.tenant_id and profiles.person_id = persons.id
 where persons.tenant_id = $1 and persons.id = $2
"""

READ_PAYEE_NAMES = """
select accounts.id, profiles.person_id::text, profiles.display_name, profiles.display_name_sealed
  from accounts
  join profiles on profiles.tenant_id = accounts.tenant_id and profiles.person_id = accounts.person_id
 where accounts.tenant_id = $1 and accounts.id = any ($2)
"""
READ_NAMES = """
select person_id::text, display_name, display_name_sealed
  from profiles
 where tenant_id = $1 and person_id = any ($2::uuid[])
"""
RENAME = """
update profiles set display_name = null, display_name_sealed = $3, updated_at = now()
 where tenant_id = $1 and person_id = $2
"""


class Role(IntEnum):
    """What a person is to the tenant. Stored in persons.role."""

    CUSTOMER = 0
    MERCHANT = 1
    OPERATOR = 2
    AUDITOR = 3  # sees all of the money and the trail, and changes nothing
    SUPPORT = 4  # sees people, masked, and no money without a case


# Who works for the tenant.
STAFF: Final = frozenset({Role.OPERATOR, Role.AUDITOR, Role.SUPPORT})


class PersonStatus(IntEnum):
    """How a person stands (core.people.standing). Stored in persons.status."""

    ACTIVE = 0
    BLOCKED = 1  # logs in and reads, and neither pays nor is paid
    CLOSED = 2  # logs in no more, for good
    PENDING = 3  # the tenant has not looked at them yet


class Person(NamedTuple):
    """A person of one tenant. `display_name` is None once the person has been erased."""

    id: str
    role: Role
    status: PersonStatus
    display_name: str | None


class Name(NamedTuple):
    """A name as it is stored: sealed, or plain because nobody has sealed it yet; or neither."""

    person_id: str
    plain: str | None
    sealed: bytes | None


async def read_person(pool: Pool, keys: Safe, tenant_id: int, person_id: str) -> Person:
    """The person with this id. Raises NotFound, also for another tenant's person; KeysUnavailable."""
    person, name = await _read_person(pool, tenant_id, person_id)
    return person._replace(display_name=(await open_names(keys, tenant_id, [name]))[0])


async def read_nameless(pool: Pool, tenant_id: int, person_id: str) -> Person:
    """As `read_person`, but for the name, which is None: for this, no key is needed."""
    return (await _read_person(pool, tenant_id, person_id))[0]


async def read_payee_name(pool: Pool, keys: Safe, tenant_id: int, account_id: int) -> str:
    """The display name of the account's owner. Raises NotFound, also for the tenant's own books."""
    names = await read_payee_names(pool, keys, tenant_id, [account_id])
    if account_id not in names:
        raise NotFound
    return names[account_id]


async def read_payee_names(pool: Pool, keys: Safe, tenant_id: int, account_ids: Sequence[int]) -> dict[int, str]:
    """Display names by account number; accounts without an owner, or of somebody who was erased, are left out."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_PAYEE_NAMES, tenant_id, account_ids)
    names = await open_names(keys, tenant_id, [Name(*row[1:]) for row in rows])
    return {row["id"]: name for row, name in zip(rows, names, strict=True) if name is not None}


async def open_names(keys: Safe, tenant_id: int, names: Sequence[Name]) -> list[str | None]:
    """Names as people read them, in order. None: there is none, or the person was erased."""
    ciphers = await keys.of(tenant_id, {name.person_id for name in names if name.sealed is not None})
    return [name.plain if name.sealed is None else open_name(ciphers[name.person_id], name) for name in names]


def open_name(cipher: Cipher, name: Name) -> str | None:
    """A name by its person's key. None: there is none, or the person was erased."""
    return name.plain if name.sealed is None else cipher.open(*DISPLAY_NAME.at(name.person_id), name.sealed)


async def _read_person(pool: Pool, tenant_id: int, person_id: str) -> tuple[Person, Name]:
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_PERSON, tenant_id, person_id)
    if row is None:
        raise NotFound
    id_, role, status, *name = row
    return Person(id_, Role(role), PersonStatus(status), None), Name(id_, *name)


async def read_names(connection: Connection, tenant_id: int, person_ids: Sequence[str]) -> list[Name]:
    """The names of these persons as they are stored, in no order; in a transaction of the tenant's."""
    return [Name(*row) for row in await connection.fetch(READ_NAMES, tenant_id, person_ids)]


async def rename(connection: Connection, tenant_id: int, cipher: Cipher, name: str) -> None:
    """Let others see the cipher's person under this name, in the connection's transaction."""
    sealed = cipher.seal(*DISPLAY_NAME.at(cipher.person_id), name)
    await connection.execute(RENAME, tenant_id, cipher.person_id, sealed)


def fold_name(name: str) -> str:
    """The name as people look for it: without capitals, accents and doubled spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(mark for mark in plain if not unicodedata.combining(mark)).split())


def normalise_display_name(name: str) -> str:
    """The name as it is stored: NFC, single spaces, 1 to 100 characters. Raises ValueError."""
    plain = " ".join(part for part in unicodedata.normalize("NFC", name).split(" ") if part)
    if not 1 <= len(plain) <= DISPLAY_NAME_LENGTH_MAX:
        raise ValueError(f"A display name has 1 to {DISPLAY_NAME_LENGTH_MAX} characters.")
    if any(unicodedata.category(mark) in REFUSED_CATEGORIES or mark in REFUSED_CHARACTERS for mark in plain):
        raise ValueError("A display name has no control characters and no direction overrides.")
    return plain

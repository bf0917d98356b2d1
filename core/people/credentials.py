"""Logins and passwords: argon2id, at a bounded cost, and an answer that never says what was wrong.

A login is sealed under its person's key and found by a keyed hash: the table alone tells nobody's.
It never limits how often somebody may try; that is the hub's part. No password or login enters a
log line or an exception.
"""

import asyncio
import base64
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from core.database import Connection, Pool, in_tenant
from core.errors import CredentialsRefused, Overloaded, ProofRefused
from core.keys.cipher import Cipher
from core.keys.places import LOGIN as LOGIN_PLACE
from core.keys.safe import Safe
from core.people.persons import PersonStatus

# Twelve: PCI DSS 4.0.1, 8.3.6. The upper end leaves room for any passphrase (at least 64: OWASP ASVS
# 5.0, 6.2.9) and bounds what an unknown caller can make the server normalise and hash.
PASSWORD_LENGTH_MIN = 12
PASSWORD_LENGTH_MAX = 128
LOGIN_LENGTH_MAX = 100
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,99}")  # credentials.login_is_plain

# Each hash fills 64 MiB of memory on purpose. Two at once are 128 MiB and leave the other cores to payments.
HASHES_AT_ONCE_MAX = 2
# About three seconds of waiting. Whoever comes after that is told to come back, not kept.
HASHES_WAITING_MAX = 64

HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

# $2 is the hash; $3 the login as it stands where nobody has sealed it yet.
READ_CREDENTIALS = """
select credentials.person_id::text, credentials.password_hash, persons.status
  from credentials
  join persons on persons.tenant_id = credentials.tenant_id and persons.id = credentials.person_id
 where credentials.tenant_id = $1 and (credentials.login_index = $2 or credentials.login = $3)
"""
READ_OWN = "select login, login_sealed, password_hash from credentials where tenant_id = $1 and person_id = $2"
# Only over the hash that was verified: a password changed meanwhile stays changed.
REPLACE_HASH = """
update credentials set password_hash = $4, updated_at = now()
 where tenant_id = $1 and person_id = $2 and password_hash = $3
"""
# The field of the keyed hash (core.keys.places.LOGIN).
LOGIN_FIELD: Final = "login"

T = TypeVar("T")


class PasswordRefused(CredentialsRefused):
    """The name or the password is wrong.

    To the caller it reads like any refusal. `person_id`: whose login was named, for the audit trail alone.
    """

    def __init__(self, person_id: str | None) -> None:
        super().__init__(CredentialsRefused.__doc__)
        self.person_id = person_id


def _hash_of_nothing() -> str:
    """An argon2id hash that no password has, at the cost of a real one."""
    salt, tag = (base64.b64encode(bytes(size)).decode().rstrip("=") for size in (HASHER.salt_len, HASHER.hash_len))
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tag}"


# What is compared with a stored hash in place of what cannot be a password.
NO_PASSWORD = "\0"  # noqa: S105
# What the password is compared with when nobody has the login.
NOBODYS_HASH = _hash_of_nothing()


class _Hashing:
    """Runs the hashes in a few threads of their own and refuses to queue without end."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE_MAX, thread_name_prefix="argon2")
        self._under_way = 0

    async def run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._under_way >= HASHES_AT_ONCE_MAX + HASHES_WAITING_MAX:
            raise Overloaded("Too many logins are waiting. Try again.")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._under_way -= 1


_hashing = _Hashing()


async def hash_password(password: str) -> str:
    """The argon2id hash of a new password (12 to 128 characters after NFC), parameters inside.

    Raises ValueError when its length is out of bounds, Overloaded when too many are waiting.
    """
    return await _hashing.run(HASHER.hash, check_length(password))


def check_length(password: str) -> str:
    """A new password as it is hashed: NFC. Raises ValueError when its length is out of bounds."""
    plain = _normalise_password(password)
    if plain is None or len(plain) < PASSWORD_LENGTH_MIN:
        raise ValueError(f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters.")
    return plain


async def check_password(pool: Pool, keys: Safe, tenant_id: int, login: str, password: str) -> str:
    """The id of the person with this login and password, who is not closed.

    Raises PasswordRefused for whatever is wrong; an unknown login costs as much time as a wrong
    password. Raises Overloaded when too many logins are waiting, KeysUnavailable.
    """
    candidate = _normalise_password(password)
    try:
        plain = normalise_login(login)
    except ValueError:
        plain = None
    row = None
    if plain is not None:
        index = await keys.index(tenant_id, LOGIN_FIELD, plain)
        async with in_tenant(pool, tenant_id) as connection:
            row = await connection.fetchrow(READ_CREDENTIALS, tenant_id, index, plain)
    stored = NOBODYS_HASH if row is None else row["password_hash"]
    # What cannot be a password costs as much as one that is wrong.
    is_right = await _hashing.run(_verify, stored, candidate or NO_PASSWORD) and candidate is not None
    if row is None or not is_right or row["status"] == PersonStatus.CLOSED:
        raise PasswordRefused(None if row is None else str(row["person_id"]))
    assert candidate is not None
    if HASHER.check_needs_rehash(stored):
        fresh = await _hashing.run(HASHER.hash, candidate)
        async with in_tenant(pool, tenant_id) as connection:
            await connection.execute(REPLACE_HASH, tenant_id, row["person_id"], stored, fresh)
    person_id: str = row["person_id"]
    return person_id


async def check_own_password(pool: Pool, tenant_id: int, person_id: str, password: str) -> None:
    """Whether this is the password of somebody who is logged in. Raises ProofRefused, whatever is wrong."""
    candidate = _normalise_password(password)
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_OWN, tenant_id, person_id)
    stored = NOBODYS_HASH if row is None else row["password_hash"]
    is_right = await _hashing.run(_verify, stored, candidate or NO_PASSWORD)
    if row is None or candidate is None or not is_right:
        raise ProofRefused("password_wrong")


async def read_login(pool: Pool, keys: Safe, tenant_id: int, person_id: str) -> str | None:
    """What the person logs in by; None: somebody else logs them in. Raises KeysUnavailable."""
    cipher = await keys.one(tenant_id, person_id)
    async with in_tenant(pool, tenant_id) as connection:
        return await open_login(connection, tenant_id, cipher)


async def open_login(connection: Connection, tenant_id: int, cipher: Cipher) -> str | None:
    """What the cipher's person logs in by, in a transaction of the tenant's. None: nothing, or they were erased."""
    row = await connection.fetchrow(READ_OWN, tenant_id, cipher.person_id)
    if row is None:
        return None
    if row["login_sealed"] is None:
        return None if row["login"] is None else str(row["login"])
    return cipher.open(*LOGIN_PLACE.at(cipher.person_id), row["login_sealed"])


def normalise_login(login: str) -> str:
    """The login as it is stored: stripped, lower case, NFC, plain ASCII. Raises ValueError."""
    # Cut first: what follows may not cost more for a megabyte than for a name.
    plain = unicodedata.normalize("NFC", login[: 2 * LOGIN_LENGTH_MAX].strip().lower())
    if len(login) > 2 * LOGIN_LENGTH_MAX or LOGIN.fullmatch(plain) is None:
        raise ValueError("A login has 3 to 100 of the characters a-z 0-9 . _ @ + - and starts with a letter or digit.")
    return plain


def _normalise_password(password: str) -> str | None:
    """NFC, so that one key press is one password on every keyboard (RFC 8265, 4.2). None: cannot be one."""
    if len(password) > PASSWORD_LENGTH_MAX * 2:
        return None
    plain = unicodedata.normalize("NFC", password)
    if not 1 <= len(plain) <= PASSWORD_LENGTH_MAX or any("\ud800" <= mark <= "\udfff" for mark in plain):
        return None
    return plain


def _verify(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def find_person(pool: Pool, keys: Safe, tenant_id: int, login: str) -> str | None:
    """Who logs in by this name. For the administrator's own tools; never to be asked from outside."""
    plain = normalise_login(login)
    index = await keys.index(tenant_id, LOGIN_FIELD, plain)
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_CREDENTIALS, tenant_id, index, plain)
    return None if row is None else row["person_id"]


async def find_login(connection: Connection, keys: Safe, tenant_id: int, login: str) -> str | None:
    """Who logs in by this name, in a transaction of the tenant's. None: nobody, or it cannot be a login."""
    try:
        plain = normalise_login(login)
    except ValueError:
        return None
    index = await keys.index(tenant_id, LOGIN_FIELD, plain)
    row = await connection.fetchrow(READ_CREDENTIALS, tenant_id, index, plain)
    return None if row is None else row["person_id"]

"""Pairing a till: a merchant makes a code, a person types it, the till shows the key that it will speak with.

A code is short because it is typed: so it works once, for ten minutes, survives few mistakes, and is kept as a keyed
hash. Whose till it is, which account it serves and what it may do was said when the code was made: whoever types it
decides nothing.
"""

import datetime
import secrets
import uuid
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, acquire, in_tenant
from core.errors import Conflict, CoreError, CredentialsRefused, NotFound, Refusal, Unavailable
from core.keys.places import PAIRING_CODE_NAME, TERMINAL_NAME
from core.keys.safe import Safe
from core.machines.naming import sealer_of
from core.machines.terminals import TERMINALS_MAX, Terminal, read_terminal, to_terminal
from core.nonces import spend
from core.people.persons import PersonStatus, Role
from core.people.sessions import open_session

# No two of these are mistaken for each other on a bad screen or over the telephone: no 0 and O, 1, I and L, 2 and Z,
# 5 and S, 8 and B.
ALPHABET: Final = "34679ACDEFGHJKMNPQRTUVWXY"
LENGTH: Final = 8
LIFETIME: Final = datetime.timedelta(minutes=10)
# Tries that a right code survives without a till that proves its key.
ATTEMPTS_MAX: Final = 5
# A shop that sets up its tills in one morning.
OPEN_MAX: Final = 20
DRAWS_MAX: Final = 5
KIND: Final = "pairing code"

LOCK_MERCHANT: Final = "select role, status from persons where tenant_id = $1 and id = $2 for no key update"
OWNS: Final = "select exists (select from accounts where tenant_id = $1 and id = $2 and person_id = $3)"
COUNT_OPEN: Final = """
select count(*) from pairing_codes
 where tenant_id = $1 and person_id = $2 and used_at is null and expires_at > now()
"""
COUNT_TERMINALS: Final = """
select count(*) from terminals where tenant_id = $1 and person_id = $2 and revoked_at is null
"""
INSERT_CODE: Final = """
insert into pairing_codes (
    tenant_id, hash, person_id, account_id, terminal_id, name_sealed, may_refund, made_by, expires_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::interval)
    on conflict do nothing
returning expires_at
"""
FIND: Final = """
select pairing_codes.person_id::text, pairing_codes.account_id, pairing_codes.terminal_id::text,
       pairing_codes.name_sealed, pairing_codes.may_refund,
       pairing_codes.used_at is null and pairing_codes.expires_at > now() and pairing_codes.attempts < $3
       and persons.role = $4 and persons.status = $5 as lives
  from pairing_codes
  join persons on persons.tenant_id = pairing_codes.tenant_id and persons.id = pairing_codes.person_id
 where pairing_codes.tenant_id = $1 and pairing_codes.hash = $2
   for no key update of pairing_codes, persons
"""
COUNT_ATTEMPT: Final = "update pairing_codes set attempts = attempts + 1 where tenant_id = $1 and hash = $2"
USE: Final = "update pairing_codes set used_at = now() where tenant_id = $1 and hash = $2"
INSERT_TERMINAL: Final = """
insert into terminals (
    tenant_id, id, person_id, account_id, session_id, name_sealed, may_refund, algorithm, thumbprint
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (tenant_id, thumbprint) where revoked_at is null do nothing
returning true
"""


class Code(NamedTuple):
    """A pairing code, shown once."""

    code: str
    expires_at: datetime.datetime

    def __repr__(self) -> str:
        return f"Code(code=…, expires_at={self.expires_at})"


class Wanted(NamedTuple):
    """The till that a code is for."""

    account: int
    name: str
    may_refund: bool


class Proven(NamedTuple):
    """A key that a till has shown to be its own, and what it has used up in doing so.

    `things` are remembered until `until_s`, seconds since the epoch.
    """

    thumbprint: str
    algorithm: str
    things: Sequence[str]
    until_s: float


class Replayed(CoreError):
    """The proof, or its nonce, was used before."""


async def make_code(pool: Pool, keys: Safe, tenant_id: int, merchant: str, wanted: Wanted, by: By) -> Code:
    """A code for one till of this merchant.

    Raises Refusal: `not_found` with its field for somebody who is no merchant or an account that is not theirs,
    `too_many_terminals`.
    """
    # Before the transaction: a key service may take its time.
    try:
        cipher = await sealer_of(pool, keys, tenant_id, merchant)
    except NotFound:
        raise Refusal("not_found", field="person") from None
    terminal_id = str(uuid.uuid4())
    codes = {code: await keys.index(tenant_id, KIND, code) for code in _draw()}
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(LOCK_MERCHANT, tenant_id, merchant)
        if row is None or row["role"] != Role.MERCHANT or row["status"] != PersonStatus.ACTIVE:
            raise Refusal("not_found", field="person")
        if not await connection.fetchval(OWNS, tenant_id, wanted.account, merchant):
            raise Refusal("not_found", field="account")
        if await connection.fetchval(COUNT_OPEN, tenant_id, merchant) >= OPEN_MAX or await _has_enough(
            connection, tenant_id, merchant
        ):
            raise Refusal("too_many_terminals")
        while codes:
            code, digest = codes.popitem()
            expires_at = await connection.fetchval(
                INSERT_CODE,
                tenant_id,
                digest,
                merchant,
                wanted.account,
                terminal_id,
                cipher.seal(*PAIRING_CODE_NAME.at(terminal_id), wanted.name),
                wanted.may_refund,
                by.person_id,
                LIFETIME,
            )
            if expires_at is not None:
                details = {"account": wanted.account, "may_refund": wanted.may_refund}
                await note(connection, tenant_id, by, Act.PAIRING_CODE_MADE, merchant, details=details)
                return Code(code, expires_at)
    raise Unavailable("No free pairing code was found.")


def _draw() -> list[str]:
    return ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(DRAWS_MAX)]


def read_code(text: str) -> str | None:
    """A code as somebody typed it: small letters, spaces and dashes do not matter. None: it cannot be one."""
    code = "".join(mark for mark in text[:40].upper() if mark not in " -")
    return code if len(code) == LENGTH and {*code} <= {*ALPHABET} else None


async def pair_terminal(
    pool: Pool, keys: Safe, tenant_id: int, text: str, proven: Proven | None, network: str | None
) -> Terminal:
    """Take the till in that came with this code. `proven` None: it did not prove its key, which counts.

    Raises CredentialsRefused for whatever is wrong with the code, Replayed, Conflict if the key is a till's already,
    Refusal `too_many_terminals`. A code that was met and not used has one try less.
    """
    code = read_code(text)
    if code is None:
        raise CredentialsRefused
    digest = await keys.index(tenant_id, KIND, code)
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(*_find(tenant_id, digest))
    if row is None or not row["lives"]:
        raise CredentialsRefused
    # Whoever has the right code has the till's name sealed anew, in its own place. Before the transaction, as above.
    cipher = await keys.one(tenant_id, row["person_id"])
    name = cipher.open(*PAIRING_CODE_NAME.at(row["terminal_id"]), row["name_sealed"]) or ""
    sealed = cipher.seal(*TERMINAL_NAME.at(row["terminal_id"]), name)
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(*_find(tenant_id, digest))
        if row is None or not row["lives"]:
            raise CredentialsRefused
        refused = await _take_in(connection, tenant_id, digest, row, sealed, proven, network)
        if refused is None:
            return to_terminal(await read_terminal(connection, tenant_id, row["terminal_id"]), name)
        # Not raised in here: the attempt has to be committed.
        await connection.execute(COUNT_ATTEMPT, tenant_id, digest)
    raise refused


def _find(tenant_id: int, digest: bytes) -> tuple[Any, ...]:
    return FIND, tenant_id, digest, ATTEMPTS_MAX, int(Role.MERCHANT), int(PersonStatus.ACTIVE)


async def _take_in(
    connection: Connection,
    tenant_id: int,
    digest: bytes,
    row: Any,
    sealed: bytes,
    proven: Proven | None,
    network: str | None,
) -> CoreError | None:
    """Take the till in. Why it was not; None: it was."""
    person_id, account_id, terminal_id, _, may_refund, _ = row
    if proven is None:
        return CredentialsRefused()
    if not await spend(connection, tenant_id, proven.things, proven.until_s):
        return Replayed()
    if await _has_enough(connection, tenant_id, person_id):
        return Refusal("too_many_terminals")
    session_id = str(uuid.uuid4())
    key = proven.algorithm, proven.thumbprint
    if not await connection.fetchval(
        INSERT_TERMINAL, tenant_id, terminal_id, person_id, account_id, session_id, sealed, may_refund, *key
    ):
        return Conflict("The key is a terminal's already.")
    await open_session(connection, tenant_id, person_id, session_id, None)
    await connection.execute(USE, tenant_id, digest)
    details = {"account": account_id, "may_refund": may_refund, "algorithm": proven.algorithm}
    by = By(person_id, session_id, network)
    await note(connection, tenant_id, by, Act.TERMINAL_PAIRED, terminal_id, details=details)
    return None


async def _has_enough(connection: Connection, tenant_id: int, merchant: str) -> bool:
    count: int = await connection.fetchval(COUNT_TERMINALS, tenant_id, merchant)
    return count >= TERMINALS_MAX


async def forget_codes(pool: Pool, after: datetime.timedelta, limit: int) -> int:
    """Remove codes that were over longer than `after` ago. Returns how many."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval("select forget_pairing_codes($1, $2)", after, limit)
    return count

"""Codes that change every half minute (TOTP, RFC 6238): six digits, SHA-1, as every authenticator app knows them.

The secret is sealed under its person's key. A code works once: no half minute that was used, and none before it, ever
works again.
"""

import re
import uuid
from hmac import compare_digest
from typing import NamedTuple

import pyotp

from core.database import Connection
from core.errors import NotFound, ProofRefused
from core.keys.cipher import Cipher
from core.people.factors import Kind, lock_person

# One step to either side: clocks of phones, and the time it takes to type (RFC 6238, 5.2).
WINDOW = 1
STEP_S = 30
# 160 bits (RFC 4226, 4, R6).
SECRET_LENGTH = 32
CODE = re.compile(r"[0-9]{6}")
# A secret that nobody confirms within this was never scanned.
UNCONFIRMED_LIFETIME_S = 600
# Where it is sealed: core/keys/places.py.
PLACE = ("factors", "sealed")

FORGET_UNCONFIRMED = (
    "delete from factors where tenant_id = $1 and person_id = $2 and kind = $3 and confirmed_at is null"
)
INSERT = "insert into factors (tenant_id, id, person_id, kind, name, sealed) values ($1, $2, $3, $4, $5, $6)"
READ_UNCONFIRMED = """
select sealed from factors
 where tenant_id = $1 and person_id = $2 and id = $3 and kind = $4 and confirmed_at is null
   and made_at > now() - make_interval(secs => $5)
"""
FORGET_CONFIRMED = """
delete from factors where tenant_id = $1 and person_id = $2 and kind = $3 and confirmed_at is not null
returning id::text
"""
CONFIRM = (
    "update factors set confirmed_at = now(), last_used_at = now(), last_step = $3 where tenant_id = $1 and id = $2"
)
READ = """
select id::text, sealed, last_step from factors
 where tenant_id = $1 and person_id = $2 and kind = $3 and confirmed_at is not null
   for update
"""
USE = "update factors set last_step = $3, last_used_at = now() where tenant_id = $1 and id = $2"


class Begun(NamedTuple):
    """A secret that waits for its first code. `uri` is what the QR code for the app says (otpauth)."""

    factor_id: str
    secret: str
    uri: str

    def __repr__(self) -> str:
        return f"Begun(factor_id={self.factor_id!r}, secret=…)"


async def begin_totp(
    connection: Connection, cipher: Cipher, tenant_id: int, person_id: str, name: str, issuer: str, login: str
) -> Begun:
    """Draw a secret; one that waited before is forgotten. What was confirmed stays until this one is."""
    secret = pyotp.random_base32(SECRET_LENGTH)
    factor_id = str(uuid.uuid4())
    await lock_person(connection, tenant_id, person_id)
    await connection.execute(FORGET_UNCONFIRMED, tenant_id, person_id, Kind.TOTP)
    sealed = cipher.seal(*PLACE, factor_id, secret)
    await connection.execute(INSERT, tenant_id, factor_id, person_id, Kind.TOTP, name, sealed)
    uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)
    return Begun(factor_id, secret, uri)


async def confirm_totp(
    connection: Connection, cipher: Cipher, tenant_id: int, person_id: str, factor_id: str, code: str, now: float
) -> list[str]:
    """The first code: from now on it counts, in place of the one before. Gives the ids of what it replaces.

    Raises NotFound when nothing waits under this id, ProofRefused when the code is wrong.
    """
    await lock_person(connection, tenant_id, person_id)
    sealed = await connection.fetchval(
        READ_UNCONFIRMED, tenant_id, person_id, factor_id, Kind.TOTP, UNCONFIRMED_LIFETIME_S
    )
    if sealed is None:
        raise NotFound
    step = _match(cipher.open(*PLACE, factor_id, sealed), code, now)
    if step is None:
        raise ProofRefused("code_wrong", factor_id)
    replaced = await connection.fetch(FORGET_CONFIRMED, tenant_id, person_id, Kind.TOTP)
    await connection.execute(CONFIRM, tenant_id, factor_id, step)
    return [row["id"] for row in replaced]


async def use_totp(
    connection: Connection, cipher: Cipher, tenant_id: int, person_id: str, code: str, now: float
) -> str:
    """Take a code of the person's authenticator, once. Gives the factor's id. Raises ProofRefused."""
    row = await connection.fetchrow(READ, tenant_id, person_id, Kind.TOTP)
    if row is None:
        raise ProofRefused("no_such_factor")
    step = _match(cipher.open(*PLACE, row["id"], row["sealed"]), code, now)
    if step is None:
        raise ProofRefused("code_wrong", row["id"])
    if row["last_step"] is not None and step <= row["last_step"]:
        raise ProofRefused("code_used", row["id"])
    await connection.execute(USE, tenant_id, row["id"], step)
    return str(row["id"])


def _match(secret: str | None, code: str, now: float) -> int | None:
    """The step within the window that this is the code of; every one of them is looked at, always.

    Without a secret, none: its key was destroyed with everything else of its person's.
    """
    if secret is None:
        return None
    totp, current = pyotp.TOTP(secret, interval=STEP_S), int(now) // STEP_S
    is_code = CODE.fullmatch(code) is not None
    candidate = code.encode() if is_code else b""
    found = None
    for step in range(current - WINDOW, current + WINDOW + 1):
        if compare_digest(totp.generate_otp(step).encode(), candidate):
            found = step
    return found

"""Numbers used once: made by any hub, known by every other, and taken a single time by all of them together.

A nonce carries its end and is sealed with a key of the instance, so that nothing has to be kept of one that nobody
uses. That it was used is written into the database, where the unique key decides who was first. It never says who may
have one.
"""

import base64
import datetime
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from core.database import Connection, Pool, acquire

RANDOM_BYTES: Final = 16
SEAL_BYTES: Final = 16
END_BYTES: Final = 4
NONCE_LENGTH: Final = 48  # of 36 bytes in base64url


class Purpose(StrEnum):
    """What a nonce is for. One for a proof is worth nothing in a log-in."""

    PROOF = "proof"
    LOGIN = "login"


LIFETIME_S: Final = {
    # A proof is made by a machine, at once.
    Purpose.PROOF: 60,
    # In between, a person types a password at an identity provider, and looks for a phone.
    Purpose.LOGIN: 600,
}


class Minted(NamedTuple):
    """A fresh nonce and its end, in seconds since the epoch."""

    nonce: str
    expires_at: int


class Nonces:
    """Makes nonces and knows those of this instance. Times are seconds since the epoch.

    `secret` is the instance's, the same for all its hubs: 32 bytes that are for this alone.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = secret

    def mint(self, tenant_id: int, purpose: Purpose, now: float) -> Minted:
        """A nonce of this tenant."""
        expires_at = int(now) + LIFETIME_S[purpose]
        body = expires_at.to_bytes(END_BYTES, "big") + secrets.token_bytes(RANDOM_BYTES)
        return Minted(base64.urlsafe_b64encode(body + self._seal(tenant_id, purpose, body)).decode(), expires_at)

    def check(self, nonce: str, tenant_id: int, purpose: Purpose, now: float) -> bool:
        """Whether it is one of ours, of this tenant, for this purpose, and not over. Whether it was used: `spend`."""
        if len(nonce) != NONCE_LENGTH or not nonce.isascii():
            return False
        try:
            raw = base64.b64decode(nonce, altchars=b"-_", validate=True)
        except ValueError:
            return False
        body, seal = raw[:-SEAL_BYTES], raw[-SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(tenant_id, purpose, body)):
            return False
        return now < int.from_bytes(body[:END_BYTES], "big")

    def _seal(self, tenant_id: int, purpose: Purpose, body: bytes) -> bytes:
        text = f"{tenant_id}\n{purpose}\n".encode() + body
        return hashlib.blake2b(text, key=self._key, digest_size=SEAL_BYTES).digest()


async def spend(connection: Connection, tenant_id: int, things: Iterable[str], until_s: float) -> bool:
    """Use these up, in the connection's transaction. False: at least one of them was used before.

    They are remembered beyond `until_s` (seconds since the epoch), when they must be refused for their age.
    """
    hashes = [hashlib.sha256(thing.encode()).digest() for thing in things]
    until = datetime.datetime.fromtimestamp(until_s, datetime.UTC)
    is_first: bool = await connection.fetchval("select spend_nonces($1, $2, $3)", tenant_id, hashes, until)
    return is_first


async def spend_alone(pool: Pool, tenant_id: int, things: Iterable[str], until_s: float) -> bool:
    """The same in a transaction of its own."""
    async with acquire(pool) as connection:
        return await spend(connection, tenant_id, things, until_s)


async def forget_spent(pool: Pool, after: datetime.timedelta, limit: int) -> int:
    """Remove what was used and has been too old to be taken for longer than `after`. Returns how many."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval("select forget_spent($1, $2)", after, limit)
    return count

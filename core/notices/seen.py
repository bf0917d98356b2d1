"""What a push carries and a mail links to, by which its reader says that they have seen it, without logging in.

It names one delivery, is good for nothing else, and tells nothing to whoever finds it. It is keyed, so that made-up
ones cost no question to the database.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import uuid
from typing import Final

from core.database import Pool, acquire

# Tenant, delivery, and twelve bytes of HMAC-SHA256: nobody guesses one in the lifetime of a notice.
SHAPE: Final = struct.Struct(">I16s")
MAC_LENGTH: Final = 12
# In base64url.
TOKEN_LENGTH: Final = 43
SECRET: Final = "notices/seen"  # noqa: S105  # the name of one: core.keys.safe.Safe.secret
HEAR: Final = "select hear_delivery($1, $2)::text"


def seen_token(key: bytes, tenant_id: int, delivery_id: str) -> str:
    """The token of a delivery, in 43 letters of base64url."""
    told = SHAPE.pack(tenant_id, uuid.UUID(delivery_id).bytes)
    return base64.urlsafe_b64encode(told + _mac(key, told)).decode().rstrip("=")


def read_seen(key: bytes, token: str) -> tuple[int, str] | None:
    """The tenant and the delivery that a token names; None: we did not make it."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        told = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    named, mac = told[:-MAC_LENGTH], told[-MAC_LENGTH:]
    if not hmac.compare_digest(mac, _mac(key, named)):
        return None
    tenant_id, delivery = SHAPE.unpack(named)
    return tenant_id, str(uuid.UUID(bytes=delivery))


async def hear_delivery(pool: Pool, tenant_id: int, delivery_id: str) -> str | None:
    """Acknowledge what a delivery told; whose it was, None: it is not there any more."""
    async with acquire(pool) as connection:
        person_id: str | None = await connection.fetchval(HEAR, tenant_id, delivery_id)
    return person_id


def _mac(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, hashlib.sha256)[:MAC_LENGTH]

"""Signed tree heads: what a tenant's log was at a moment, in one hash. Pure.

Whoever keeps one can have it proved later that the log still begins with it.
"""

import re
from datetime import datetime
from struct import Struct, error
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature

from core.proof.leaves import to_us
from core.proof.receipts import PublicKeys

ROOT_SIZE = 32
KID = re.compile("[0-9a-f]{16}")
_STATEMENT = b"payhub head 1"
# tenant, size, microseconds since the epoch, root
_SIGNED = Struct(">IQQ32s")


class Head(NamedTuple):
    """A tree head: `size` leaves below `root`, signed by the key `kid` at `sealed_at`."""

    tenant_id: int
    size: int
    root: bytes
    sealed_at: datetime
    kid: str
    signature: bytes


def statement(tenant_id: int, size: int, root: bytes, sealed_at: datetime) -> bytes:
    """What is signed of a head."""
    return _STATEMENT + _SIGNED.pack(tenant_id, size, to_us(sealed_at), root)


def is_kid(text: str) -> bool:
    """Whether this may be a signing key's name: eight bytes as hexadecimal digits."""
    return KID.fullmatch(text) is not None


def is_signed(head: Head, keys: PublicKeys) -> bool:
    """Whether one of the institution's keys signed this head."""
    key = keys.get(head.kid)
    if key is None:
        return False
    try:
        key.verify(head.signature, statement(head.tenant_id, head.size, head.root, head.sealed_at))
    except (InvalidSignature, error):
        return False
    return True

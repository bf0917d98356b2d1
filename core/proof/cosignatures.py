"""Cosignatures: a witness's word that it saw a head, and that the log it saw before is the beginning of this one. Pure.

A witness is somebody else's process with a key of its own (witness/). What it signs names the institution's key and
the head, so that it means nothing beside another one.
"""

import hashlib
from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.proof.heads import Head
from core.proof.leaves import to_us

_STATEMENT = b"payhub cosignature 1"
# kid of the head's signature, tenant, size, microseconds of the head and of the witness, root
_SIGNED = Struct(">8sIQQQ32s")
KID_SIZE = 8


class Cosignature(NamedTuple):
    """`witness`: its key's kid. `seen_at_us`: when it took the head, by its own clock, microseconds since the epoch."""

    witness: str
    seen_at_us: int
    signature: bytes


def kid_of(key: Ed25519PublicKey) -> str:
    """What a witness's key is called: nobody can choose it."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KID_SIZE].hex()


def statement(head: Head, seen_at_us: int) -> bytes:
    """What a witness signs. Raises ValueError, struct.error for what is no head."""
    kid = bytes.fromhex(head.kid)
    if len(kid) != KID_SIZE:
        raise ValueError("A kid has eight bytes.")
    return _STATEMENT + _SIGNED.pack(kid, head.tenant_id, head.size, to_us(head.sealed_at), seen_at_us, head.root)


def cosign(head: Head, seen_at_us: int, key: Ed25519PrivateKey) -> Cosignature:
    """A witness's word for a head that it has looked at."""
    return Cosignature(kid_of(key.public_key()), seen_at_us, key.sign(statement(head, seen_at_us)))


def is_cosigned(head: Head, cosignature: Cosignature, witnesses: Mapping[str, Ed25519PublicKey]) -> bool:
    """Whether one of these witnesses said so of this head."""
    key = witnesses.get(cosignature.witness)
    if key is None:
        return False
    try:
        key.verify(cosignature.signature, statement(head, cosignature.seen_at_us))
    except (InvalidSignature, ValueError):
        return False
    return True

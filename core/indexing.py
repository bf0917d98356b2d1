"""Finding again what is not kept: a keyed hash of personal data and of short secrets.

Whoever has a copy of the database and not the key can neither read what was hashed nor try out what it might have
been: an external id, a code of eight letters (an unkeyed hash of either is guessed in no time). It never keeps what
it is given.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


def derive_index_key(master_key: bytes) -> bytes:
    """The instance's index key, out of its master key (HKDF, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"payhub index v1").derive(master_key)


def index_of(index_key: bytes, tenant_id: int, what: str, value: str) -> bytes:
    """What `value` is found by: HMAC-SHA-256, another one in each tenant and for each kind of thing.

    `what` is a plain word. What is personal has to be brought into one spelling first.
    """
    assert what.isascii() and what.isprintable(), "a kind is a plain word"
    message = f"{tenant_id}\n{what}\n".encode() + value.encode()
    return hmac.digest(index_key, message, hashlib.sha256)

"""Keeps secrets of people sealed at rest, and marks what is handed out so that it is known again.

Everything comes from the instance's master key, which is never in the database. What is sealed is bound to its tenant,
its person and its purpose: moved anywhere else, it does not open.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import CoreError

NONCE_BYTES = 12
MARK_BYTES = 32


class SealBroken(CoreError):
    """What was sealed does not open: another master key sealed it, or it was moved or changed."""


class Seals:
    """The keys of one instance. One object serves a whole process."""

    def __init__(self, master_key: bytes) -> None:
        # A key per use, so that nothing of one says anything about the other.
        self._cipher = AESGCM(hashlib.blake2b(b"payhub seals v1", key=master_key, digest_size=32).digest())
        self._marking = hashlib.blake2b(b"payhub marks v1", key=master_key, digest_size=32).digest()

    def seal(self, tenant_id: int, person_id: str, purpose: str, plain: bytes) -> bytes:
        """AES-256-GCM: the nonce, then the ciphertext with its tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, _context(tenant_id, person_id, purpose))

    def open(self, tenant_id: int, person_id: str, purpose: str, sealed: bytes) -> bytes:
        """What was sealed for this person and purpose. Raises SealBroken."""
        try:
            return self._cipher.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _context(tenant_id, person_id, purpose)
            )
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def mark(self, purpose: str, *parts: str | int | bytes) -> bytes:
        """What only this instance can say about these parts: HMAC-SHA-256, 32 bytes. The same parts, the same mark."""
        mark = hmac.new(self._marking, digestmod=hashlib.sha256)
        for part in (purpose, *parts):
            plain = part if isinstance(part, bytes) else str(part).encode(errors="surrogatepass")
            # Each with its length: "ab", "c" is not "a", "bc".
            mark.update(len(plain).to_bytes(4, "big") + plain)
        return mark.digest()


def _context(tenant_id: int, person_id: str, purpose: str) -> bytes:
    return f"payhub seal|{purpose}|{tenant_id}|{person_id}".encode()

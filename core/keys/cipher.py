"""A person's key, opened: it seals what is personal, and opens what it sealed, in the same place alone.

Sealed is: the format (1 byte), the key's version (2 bytes), a random nonce (12), the ciphertext with its tag (16 more
than the plain text). AES-256-GCM (NIST SP 800-38D); the additional data binds it to tenant, person, key version, table,
column and row, so that nothing opens that was copied elsewhere. Pure: no clock, no I/O.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Final, overload

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import PersonErased, SealBroken

FORMAT: Final = 1
VERSION_MAX: Final = 2**16 - 1
NONCE_BYTES: Final = 12
HEAD_BYTES: Final = 3 + NONCE_BYTES
# By so much is what is sealed longer than what was given.
OVERHEAD_BYTES: Final = HEAD_BYTES + 16


class Cipher:
    """The key of one person, in all versions that still open something; `version` is the one that seals."""

    __slots__ = ("_alike", "_keys", "_place", "person_id", "tenant_id", "version")

    def __init__(self, tenant_id: int, person_id: str, version: int, keys: Mapping[int, bytes]) -> None:
        self.tenant_id = tenant_id
        self.person_id = person_id
        self.version = version
        self._keys = {number: AESGCM(key) for number, key in keys.items()}
        # Never the key itself: what chooses nonces is a key of its own.
        self._alike = {number: hmac.digest(key, b"payhub nonces", hashlib.sha256) for number, key in keys.items()}
        self._place = f"payhub|{tenant_id}|{person_id}|"

    @overload
    def seal(self, table: str, column: str, row: str, plain: str | bytes) -> bytes: ...
    @overload
    def seal(self, table: str, column: str, row: str, plain: None) -> None: ...
    @overload
    def seal(self, table: str, column: str, row: str, plain: str | bytes | None) -> bytes | None: ...
    def seal(self, table: str, column: str, row: str, plain: str | bytes | None) -> bytes | None:
        """Seal a text or bytes for one place: a row's id, its column and table. Nothing stays nothing.

        Raises PersonErased when the key was destroyed.
        """
        if plain is None:
            return None
        version = self.version
        nonce = os.urandom(NONCE_BYTES)
        content = plain.encode() if isinstance(plain, str) else plain
        # Names of ours have no bar in them, and the row comes last: no two places are written alike.
        place = f"{self._place}{version}|{table}|{column}|{row}".encode()
        return b"\x01" + version.to_bytes(2, "big") + nonce + self._keys[version].encrypt(nonce, content, place)

    def seal_alike(self, table: str, column: str, row: str, plain: str) -> bytes:
        """As `seal`, but the same text for the same place gives the same bytes again, while the key is the same.

        The nonce is a keyed hash of place and text (as RFC 8452 does it): it is used twice for equal texts alone.
        Raises PersonErased when the key was destroyed.
        """
        version = self.version
        place = f"{self._place}{version}|{table}|{column}|{row}".encode()
        content = plain.encode()
        nonce = hmac.digest(self._alike[version], place + b"\x00" + content, hashlib.sha256)[:NONCE_BYTES]
        return b"\x01" + version.to_bytes(2, "big") + nonce + self._keys[version].encrypt(nonce, content, place)

    def open(self, table: str, column: str, row: str, sealed: bytes | None) -> str | None:
        """The text that was sealed for this place. None: there is none, or its key was destroyed or lost.

        Raises SealBroken for what was changed, or sealed for another place.
        """
        content = self.open_bytes(table, column, row, sealed)
        return None if content is None else content.decode()

    def open_bytes(self, table: str, column: str, row: str, sealed: bytes | None) -> bytes | None:
        """As `open`, for bytes."""
        if sealed is None:
            return None
        if len(sealed) < OVERHEAD_BYTES or sealed[0] != FORMAT:
            raise SealBroken
        version = int.from_bytes(sealed[1:3], "big")
        key = self._keys.get(version)
        if key is None:
            return None
        place = f"{self._place}{version}|{table}|{column}|{row}".encode()
        try:
            return key.decrypt(sealed[3:HEAD_BYTES], sealed[HEAD_BYTES:], place)
        except InvalidTag:
            raise SealBroken from None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(tenant_id={self.tenant_id}, person_id={self.person_id!r})"


class Erased(Cipher):
    """Nobody's key any more: what was sealed reads as nothing, and nothing can be sealed.

    `destroyed_at` None: there never was a key, or it was lost.
    """

    __slots__ = ("destroyed_at",)

    def __init__(self, tenant_id: int, person_id: str, destroyed_at: datetime | None) -> None:
        super().__init__(tenant_id, person_id, 0, {})
        self.destroyed_at = destroyed_at

    @overload
    def seal(self, table: str, column: str, row: str, plain: str | bytes) -> bytes: ...
    @overload
    def seal(self, table: str, column: str, row: str, plain: None) -> None: ...
    @overload
    def seal(self, table: str, column: str, row: str, plain: str | bytes | None) -> bytes | None: ...
    def seal(self, table: str, column: str, row: str, plain: str | bytes | None) -> bytes | None:
        """Raises PersonErased, unless there is nothing to seal."""
        if plain is None:
            return None
        raise PersonErased

    def seal_alike(self, table: str, column: str, row: str, plain: str) -> bytes:
        """Raises PersonErased."""
        raise PersonErased

    def open_bytes(self, table: str, column: str, row: str, sealed: bytes | None) -> bytes | None:
        """Nothing."""
        return None


def version_of(sealed: bytes) -> int:
    """The version of the key that sealed this."""
    return int.from_bytes(sealed[1:3], "big")

"""The master key in a file: for one machine, for trying Payhub, and for whoever keeps the file safe by other means.

The file holds one or more keys of 32 bytes, the newest last. Each is known by an id that follows from it, which stands
before everything it wrapped; so the file can be taken to another machine, and an old key can be dropped when nothing
is wrapped by it any more. A file that has grown is read again when a key is missing: nobody has to be restarted.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import KeysRefused, KeysUnavailable
from core.keys.services import bound

KEY_BYTES = 32
ID_BYTES = 8
NONCE_BYTES = 12
FORMAT = b"\x01"
HEAD_BYTES = len(FORMAT) + ID_BYTES + NONCE_BYTES
NAME = "local"


class LocalKeys:
    """A key service out of a file."""

    name = NAME

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[bytes, AESGCM] = {}
        self._newest = b""

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        """Wrap a key under the newest key of the file as it is now."""
        await self._read()
        nonce = secrets.token_bytes(NONCE_BYTES)
        return FORMAT + self._newest + nonce + self._keys[self._newest].encrypt(nonce, key, bound(context))

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Open a wrapped key."""
        named = wrapped[1 : 1 + ID_BYTES]
        if named not in self._keys:
            await self._read()
        cipher = self._keys.get(named)
        if wrapped[:1] != FORMAT or cipher is None:
            raise KeysRefused(f"The master key that wrapped this is not in {self._path}: put your copy of it there.")
        try:
            return cipher.decrypt(wrapped[1 + ID_BYTES : HEAD_BYTES], wrapped[HEAD_BYTES:], bound(context))
        except (InvalidTag, ValueError):
            raise KeysRefused("A wrapped key is damaged, or it is not where it was put.") from None

    async def unwrap_without_id(self, nonce: bytes, sealed: bytes, context: bytes) -> bytes:
        """Open what was wrapped before keys had ids. Raises KeysRefused."""
        await self._read()
        for cipher in self._keys.values():
            try:
                return cipher.decrypt(nonce, sealed, context)
            except (InvalidTag, ValueError):
                continue
        raise KeysRefused

    async def rotate(self) -> None:
        """Add a key to the file. Raises KeysRefused when it cannot be written."""
        try:
            await asyncio.to_thread(self._add)
        except OSError as error:
            raise KeysRefused(f"{self._path} cannot be written ({error.strerror}).") from None
        await self._read()

    async def is_newest(self, wrapped: bytes) -> bool:
        """Whether the newest key of the file wrapped this."""
        await self._read()
        return wrapped[1 : 1 + ID_BYTES] == self._newest

    async def forget_old(self) -> int:
        """Drop all keys of the file but the newest. How many."""
        dropped = await asyncio.to_thread(self._drop)
        await self._read()
        return dropped

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _read(self) -> None:
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise KeysUnavailable(
                f"The master key {self._path} cannot be read ({error.strerror}): put your copy there."
            ) from None
        keys = split(content)
        if not keys:
            raise KeysRefused(f"{self._path} is no master key: it holds {len(content)} bytes. Put your copy there.")
        self._keys = {id_of(key): AESGCM(key) for key in keys}
        self._newest = id_of(keys[-1])

    def _add(self) -> None:
        replace(self._path, self._path.read_bytes() + secrets.token_bytes(KEY_BYTES))

    def _drop(self) -> int:
        keys = split(self._path.read_bytes())
        if len(keys) > 1:
            replace(self._path, keys[-1])
        return max(len(keys) - 1, 0)


def split(content: bytes) -> list[bytes]:
    """The keys in a file's content, oldest first. None if it is no such file."""
    if len(content) % KEY_BYTES:
        return []
    return [content[at : at + KEY_BYTES] for at in range(0, len(content), KEY_BYTES)]


def id_of(key: bytes) -> bytes:
    """What a key is called. It tells nothing of the key."""
    return hmac.digest(key, b"payhub master key id", hashlib.sha256)[:ID_BYTES]


def replace(path: Path, content: bytes) -> None:
    """Put a file in another's place, for its owner only: whole, or not at all."""
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".master-key-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

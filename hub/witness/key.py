"""The witness's own key: 32 random bytes in a file that its owner alone may read, made once."""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES: Final = 32
NAME: Final = "witness.key"


class KeyRefused(Exception):
    """The key's file cannot be used: one sentence."""


def open_key(folder: Path) -> Ed25519PrivateKey:
    """The key in this folder, made if there is none. Raises KeyRefused."""
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
        content = path.read_bytes()
    except OSError as error:
        raise KeyRefused(f"{path} cannot be read or made ({error.strerror}).") from None
    if len(content) != KEY_BYTES:
        raise KeyRefused(f"{path} is no key: it has {len(content)} bytes.")
    return Ed25519PrivateKey.from_private_bytes(content)


def _make(path: Path) -> None:
    """Written aside and linked into place: two that start at once have one key, and none has half of one."""
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".witness-key-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        path.hardlink_to(aside)
    except FileExistsError:
        pass
    finally:
        Path(aside).unlink()

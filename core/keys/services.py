"""What a key service does: it holds the master key, and wraps and opens the tenants' keys with it.

There are three: a file (local.py), AWS KMS (aws.py) and HashiCorp Vault (vault.py). `context` says what a key is for;
a wrapped key opens with the same context alone. It is authenticated and not secret: ids, never personal data.
"""

import json
from collections.abc import Mapping
from typing import Protocol

# Longer than a service takes that is there, and short enough for whoever waits for a name.
TIMEOUT_S = 3.0


class KeyService(Protocol):
    """A holder of the master key. Raises core.errors.KeysUnavailable (ask again) and KeysRefused (do not)."""

    @property
    def name(self) -> str:
        """Which one it is: kept beside every key it wraps, so that another one is not asked to open it."""

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        """Wrap a key under the newest master key."""

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Open a wrapped key, of whichever master key it is."""

    async def rotate(self) -> None:
        """Make a new master key, which wraps from now on. Those before go on opening."""

    async def close(self) -> None:
        """Let go of connections."""


def bound(context: Mapping[str, str]) -> bytes:
    """A context as bytes: one form for one context."""
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()

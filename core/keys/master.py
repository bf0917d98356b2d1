"""The master key, whoever holds it: one service wraps, and those that did so before still open.

A service that is away is left alone for a moment, and whoever comes meanwhile is told at once.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

from core.errors import KeysRefused, KeysUnavailable
from core.keys.services import KeyService

AWAY_S: Final = 1.0


class Wrapped(NamedTuple):
    """A wrapped key, and the name of the service that opens it."""

    key: bytes
    by: str


class Master:
    """A key service with its predecessors."""

    def __init__(self, service: KeyService, formers: Sequence[KeyService] = ()) -> None:
        self.service = service
        self._services = {one.name: one for one in (*formers, service)}
        self._away_until: dict[str, float] = {}

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> Wrapped:
        """Wrap a key for one place. Raises KeysUnavailable, KeysRefused."""
        service = self.service
        return Wrapped(await self._ask(service.name, lambda: service.wrap(key, context)), service.name)

    async def unwrap(self, wrapped: Wrapped, context: Mapping[str, str]) -> bytes:
        """Open a wrapped key in its place. Raises KeysUnavailable, KeysRefused."""
        service = self.held_by(wrapped.by)
        return await self._ask(service.name, lambda: service.unwrap(wrapped.key, context))

    def held_by(self, name: str) -> KeyService:
        """The service of this name. Raises KeysRefused when it is not set up."""
        if name not in self._services:
            raise KeysRefused(f"A key was wrapped by {name}, and that key service is not set up here.")
        return self._services[name]

    async def close(self) -> None:
        """Let go of connections."""
        for service in self._services.values():
            await service.close()

    async def _ask(self, name: str, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        if time.monotonic() < self._away_until.get(name, 0.0):
            raise KeysUnavailable
        try:
            return await ask()
        except KeysUnavailable:
            self._away_until[name] = time.monotonic() + AWAY_S
            raise

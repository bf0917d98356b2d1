"""Key services and safes that tests can take away."""

import asyncio
import uuid
from collections.abc import Mapping

from core.errors import KeysUnavailable
from core.keys.services import KeyService


class Weathered:
    """A key service that can be taken away, and counts how often it was asked."""

    def __init__(self, inner: KeyService) -> None:
        self.inner = inner
        self.name = inner.name
        self.is_away = False
        self.asked = 0

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        await self._ask()
        return await self.inner.wrap(key, context)

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        await self._ask()
        return await self.inner.unwrap(wrapped, context)

    async def rotate(self) -> None:
        await self.inner.rotate()

    async def close(self) -> None:
        await self.inner.close()

    async def _ask(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise KeysUnavailable


def somebody() -> str:
    return str(uuid.uuid4())

"""The tenants as their people know them, for texts: looked up once in a while, because they hardly ever change."""

import time
from typing import Final
from zoneinfo import ZoneInfo

from core.database import Pool
from core.people.opening import Tenant, read_tenant
from workers.texts.given import House

# A tenant that takes another name is called by it within minutes.
KEPT_S: Final = 60.0


class Houses:
    """The houses of an installation. `public_url`: where people reach it."""

    def __init__(self, pool: Pool, public_url: str) -> None:
        self._pool, self._public_url = pool, public_url.rstrip("/")
        self._kept: dict[int, tuple[float, Tenant, House]] = {}

    async def of(self, tenant_id: int) -> tuple[Tenant, House]:
        """A tenant, and its house."""
        kept = self._kept.get(tenant_id)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1], kept[2]
        tenant = await read_tenant(self._pool, tenant_id)
        house = House(tenant.name, tenant.currency, ZoneInfo(tenant.time_zone), self._public_url)
        self._kept[tenant_id] = (time.monotonic() + KEPT_S, tenant, house)
        return tenant, house

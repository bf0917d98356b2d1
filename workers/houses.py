"""What every text needs that is made of a delivery: its person's key, and the tenant as its people know it."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from core.database import Pool
from core.keys.cipher import Cipher
from core.keys.safe import Safe
from core.notices.deliveries import Claimed
from core.people.opening import Tenant, read_tenant
from workers.texts.given import House

# A tenant that takes another name is called by it within minutes.
KEPT_S: Final = 60.0


class Occasion(NamedTuple):
    """For whom, and in whose name, a delivery is written."""

    claimed: Claimed
    cipher: Cipher
    tenant: Tenant
    house: House


class Houses:
    """The houses of an installation, looked up once in a while. `public_url`: where people reach it."""

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

    async def occasions(self, keys: Safe, claimed: Sequence[Claimed]) -> list[Occasion]:
        """What each of these needs, with one question for each tenant's keys. Raises when they cannot be had."""
        persons: dict[int, set[str]] = defaultdict(set)
        for one in claimed:
            persons[one.tenant_id].add(one.person_id)
        ciphers = {tenant_id: await keys.of(tenant_id, ids) for tenant_id, ids in persons.items()}
        houses = {tenant_id: await self.of(tenant_id) for tenant_id in persons}
        return [Occasion(one, ciphers[one.tenant_id][one.person_id], *houses[one.tenant_id]) for one in claimed]

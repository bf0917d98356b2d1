"""How many messages a second a tenant may send to the whole installation: set by its operator, kept by every hub."""

import json
from collections.abc import Sequence
from typing import Any, Final

from core.audit.trail import NOBODY, Act, note
from core.database import Pool, acquire, transaction
from core.errors import NotFound

# More than one hub answers; an installation that does not sell quotas never meets it.
DEFAULT_PER_SECOND: Final = 40_000
PER_SECOND_MAX: Final = 10_000_000

LIST = """
select slug, name, currency, time_zone,
       coalesce((settings ->> 'messages_per_second')::int, $1) as messages_per_second
  from payhub.tenants
 order by slug
"""
WRITE = """
update payhub.tenants set settings = settings || $2::jsonb where slug = $1
returning id, (select settings ->> 'messages_per_second' from payhub.tenants where slug = $1)::int as before
"""


async def read_quotas(pool: Pool, tenant_ids: Sequence[int]) -> dict[int, int]:
    """Messages per second of each of these tenants."""
    async with acquire(pool) as connection:
        rows = await connection.fetch("select * from read_quotas($1)", tenant_ids)
    found: dict[int, int] = dict(map(tuple, rows))
    return {tenant_id: found.get(tenant_id, DEFAULT_PER_SECOND) for tenant_id in tenant_ids}


async def list_tenants(admin: Pool) -> list[dict[str, Any]]:
    """Every tenant with its quota, by slug. For the administrator."""
    async with acquire(admin) as connection:
        return [dict(row) for row in await connection.fetch(LIST, DEFAULT_PER_SECOND)]


async def set_quota(admin: Pool, slug: str, per_second: int) -> None:
    """Give a tenant a quota; hubs keep it within seconds. For the administrator.

    Raises NotFound, ValueError for a number out of bounds.
    """
    if not 1 <= per_second <= PER_SECOND_MAX:
        raise ValueError(f"A quota is 1 to {PER_SECOND_MAX:,} messages per second.")
    async with acquire(admin) as connection, transaction(connection):
        row = await connection.fetchrow(WRITE, slug, json.dumps({"messages_per_second": per_second}))
        if row is None:
            raise NotFound("There is no such tenant.")
        details = {"after": per_second, "before": row["before"] or DEFAULT_PER_SECOND}
        await note(connection, row["id"], NOBODY, Act.QUOTA_SET, details=details)

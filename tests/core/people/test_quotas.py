"""What a tenant may ask of the installation is written down, with what it was, and bounded."""

import pytest

from core.audit.trail import Act, read_trail
from core.database import Pool
from core.errors import NotFound
from core.people.opening import Tenant
from core.people.quotas import DEFAULT_PER_SECOND, PER_SECOND_MAX, list_tenants, read_quotas, set_quota


async def test_a_quota_is_read_back_and_stands_in_the_trail(
    admin: Pool, pool: Pool, tenant: Tenant, other_tenant: Tenant
) -> None:
    await set_quota(admin, tenant.slug, 500)
    await set_quota(admin, tenant.slug, 700)
    assert await read_quotas(pool, [tenant.id, other_tenant.id]) == {
        tenant.id: 700,
        other_tenant.id: DEFAULT_PER_SECOND,
    }
    told = {row["slug"]: row["messages_per_second"] for row in await list_tenants(admin)}
    assert (told[tenant.slug], told[other_tenant.slug]) == (700, DEFAULT_PER_SECOND)
    entries = await read_trail(pool, tenant.id, 10, what=Act.QUOTA_SET)
    assert [entry.details for entry in entries] == [
        {"after": 700, "before": 500},
        {"after": 500, "before": DEFAULT_PER_SECOND},
    ]


@pytest.mark.parametrize("per_second", [0, -1, PER_SECOND_MAX + 1])
async def test_a_quota_has_bounds(admin: Pool, pool: Pool, tenant: Tenant, per_second: int) -> None:
    with pytest.raises(ValueError, match="messages per second"):
        await set_quota(admin, tenant.slug, per_second)
    assert await read_quotas(pool, [tenant.id]) == {tenant.id: DEFAULT_PER_SECOND}


async def test_nobody_gets_a_quota_who_is_not_there(admin: Pool) -> None:
    with pytest.raises(NotFound):
        await set_quota(admin, "nobody-here", 5)

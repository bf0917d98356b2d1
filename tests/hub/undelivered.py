"""Notices left, and deliveries that came to nothing."""

import uuid
from datetime import UTC, datetime

from core.database import Pool, in_tenant
from core.keys.safe import Safe
from core.notices.deliveries import Road, Settled, State, claim, settle
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.notices.phones import register_phone
from tests.core.notices.reaching import LEASE
from tests.hub.conftest import Somebody


async def warn(
    pool: Pool, somebody: Somebody, kind: NoticeKind = NoticeKind.NEW_DEVICE, session_id: str | None = None
) -> int:
    async with in_tenant(pool, somebody.tenant.id) as connection:
        number = await leave(
            connection,
            somebody.tenant.id,
            kind,
            somebody.person,
            Facts(at=datetime.now(UTC), network="192.0.2.0/24", code="totp"),
            session_id=session_id,
        )
    assert number is not None
    return number


async def set_aside(pool: Pool, keys: Safe, admin: Pool, somebody: Somebody) -> str:
    """A push that was refused for good; its id."""
    tenant = somebody.tenant.id
    await register_phone(
        pool, keys, tenant, somebody.person, somebody.session, Road.FIREBASE, uuid.uuid4().hex, "{}", "pt"
    )
    await warn(pool, somebody)
    await admin.execute("update notices set climbs_at = now() where tenant_id = $1", tenant)
    while True:
        await pool.fetchrow("select * from climb_notices(500, $1, $2, $3, $4, $5)", [30], [60], [True], [True], [False])
        mine = [one for one in await claim(pool, Road.FIREBASE, 100, LEASE) if one.tenant_id == tenant]
        if mine:
            break
    await settle(pool, [Settled(mine[0], State.DEAD, "INVALID_ARGUMENT")])
    return mine[0].id

"""Phones and browsers that take pushes: registered, listed, and forgotten.

An address (a token, a subscription) is one person's: whoever registers it has the phone now, and who had it before
hears nothing there any more. It is kept sealed under its person's key, found by a keyed hash, and lives no longer than
the session that registered it. What an address looks like, core/notices/targets.py says.
"""

import uuid
from datetime import datetime
from typing import Final, NamedTuple

from core.database import Pool, in_tenant
from core.errors import Refusal
from core.keys.places import PUSH_DEVICE
from core.keys.safe import Safe
from core.notices.deliveries import Road

# More than anybody carries; each notice is sent to all of them.
PHONES_PER_PERSON_MAX: Final = 20
REGISTERED_A_DAY_MAX: Final = 100
INDEX_FIELD: Final = "push_device"

# Of two who register one address at the same moment, the second waits here, and then has it.
LOCK_ADDRESS: Final = "select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))"
TAKE_OVER: Final = """
update push_devices set gone_at = clock_timestamp(), gone_code = 'moved'
 where tenant_id = $1 and mark = $2 and gone_at is null
"""
# An app registers at each start: what stands already stays as it is.
FIND_SAME: Final = """
select id::text from push_devices
 where tenant_id = $1 and mark = $2 and gone_at is null and person_id = $3 and session_id = $4 and language = $5
"""
INSERT: Final = """
insert into push_devices (tenant_id, id, person_id, session_id, provider, mark, sealed, language)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
LOCK_PERSON: Final = "select true from persons where tenant_id = $1 and id = $2 for no key update"
# Those that went stand for a while: so many may be registered in a day, whatever becomes of them.
COUNT_TODAY: Final = """
select count(*) from push_devices
 where tenant_id = $1 and person_id = $2 and registered_at > clock_timestamp() - interval '1 day'
"""
COUNT: Final = """
select count(*) from push_devices
  join sessions on sessions.tenant_id = push_devices.tenant_id and sessions.id = push_devices.session_id
 where push_devices.tenant_id = $1 and push_devices.person_id = $2 and push_devices.gone_at is null
   and sessions.revoked_at is null and sessions.expires_at > clock_timestamp()
"""
LIST: Final = """
select push_devices.id::text, push_devices.provider, push_devices.language, push_devices.registered_at,
       push_devices.session_id::text, sessions.name
  from push_devices
  join sessions on sessions.tenant_id = push_devices.tenant_id and sessions.id = push_devices.session_id
 where push_devices.tenant_id = $1 and push_devices.person_id = $2 and push_devices.gone_at is null
   and sessions.revoked_at is null and sessions.expires_at > clock_timestamp()
 order by push_devices.registered_at desc
"""
FORGET: Final = """
update push_devices set gone_at = clock_timestamp(), gone_code = 'asked'
 where tenant_id = $1 and person_id = $2 and id = $3 and gone_at is null
returning true
"""


class Registered(NamedTuple):
    """A phone as its person sees it. `name`: of the session that registered it."""

    id: str
    provider: Road
    language: str
    registered_at: datetime
    session_id: str
    name: str | None


async def register_phone(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    person_id: str,
    session_id: str,
    provider: Road,
    address: str,
    target: str,
    language: str,
) -> str:
    """Have a phone take a person's pushes from now on; its id.

    `address`: what makes it the same phone, `target`: all that is needed to reach it (core/notices/targets.py).

    The same again, in the same session, is the same phone. Raises Refusal (too_many_phones).
    """
    mark = await keys.index(tenant_id, INDEX_FIELD, f"{provider}/{address}")
    cipher = await keys.one(tenant_id, person_id, create=True)
    device_id = str(uuid.uuid4())
    async with in_tenant(pool, tenant_id) as connection:
        # One at a time of each person, so that the count is true.
        await connection.execute(LOCK_PERSON, tenant_id, person_id)
        await connection.execute(LOCK_ADDRESS, mark)
        same: str | None = await connection.fetchval(FIND_SAME, tenant_id, mark, person_id, session_id, language)
        if same is not None:
            return same
        if await connection.fetchval(COUNT_TODAY, tenant_id, person_id) >= REGISTERED_A_DAY_MAX:
            raise Refusal("too_many_phones", "Too many phones were registered today: come back tomorrow.")
        await connection.execute(TAKE_OVER, tenant_id, mark)
        if await connection.fetchval(COUNT, tenant_id, person_id) >= PHONES_PER_PERSON_MAX:
            raise Refusal("too_many_phones", f"Nobody has more than {PHONES_PER_PERSON_MAX}: forget one first.")
        sealed = cipher.seal(*PUSH_DEVICE.at(device_id), target)
        await connection.execute(INSERT, tenant_id, device_id, person_id, session_id, provider, mark, sealed, language)
    return device_id


async def list_phones(pool: Pool, tenant_id: int, person_id: str) -> list[Registered]:
    """A person's phones, newest first; those of sessions that are over are none."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST, tenant_id, person_id)
    return [Registered(id_, Road(provider), *rest) for id_, provider, *rest in rows]


async def forget_phone(pool: Pool, tenant_id: int, person_id: str, device_id: str) -> bool:
    """Send a phone nothing any more; whether there was one."""
    async with in_tenant(pool, tenant_id) as connection:
        return bool(await connection.fetchval(FORGET, tenant_id, person_id, device_id))

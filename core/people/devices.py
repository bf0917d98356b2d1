"""Devices that somebody has logged in from before, so that a log-in from another one is seen as what it is.

A device is known by a secret that was given to it at its first log-in, stored by its SHA-256 alone. To know a device
proves nobody's identity: it lets nobody in, it only makes a log-in less surprising.
"""

import hashlib
import re
import secrets
import uuid
from typing import NamedTuple

from core.database import Connection, Pool, in_tenant
from core.keys.safe import Safe
from core.people.credentials import LOGIN_FIELD

# The prefix lets secret scanners find a leaked one, and keeps it from passing for a refresh token.
DEVICE_SECRET_PREFIX = "phd_"  # noqa: S105
DEVICE_SECRET = re.compile(r"phd_[A-Za-z0-9_-]{43}")
# Phones, browsers and tills that one person uses; of more, those not seen for longest are forgotten. A client that
# never brings its secret is a new device each time.
DEVICES_PER_PERSON_MAX = 50

FIND_BY_LOGIN = """
select devices.id::text
  from devices
  join credentials on credentials.tenant_id = devices.tenant_id and credentials.person_id = devices.person_id
 where devices.tenant_id = $1 and devices.secret_hash = $2
   and (credentials.login_index = $3 or credentials.login = $4)
"""
SEE_AGAIN = """
update devices set last_seen_at = coalesce($4, now())
 where tenant_id = $1 and secret_hash = $2 and person_id = $3
returning id::text
"""
INSERT = """
insert into devices (tenant_id, id, person_id, secret_hash, first_seen_at, last_seen_at)
select $1, $2, $3, $4, clock.now, clock.now from (select coalesce($5::timestamptz, now()) as now) as clock
"""
FORGET_OLDEST = """
delete from devices
 where tenant_id = $1 and id in (
       select id from devices where tenant_id = $1 and person_id = $2 order by last_seen_at desc offset $3
 )
"""
FORGET = "delete from devices where tenant_id = $1 and id = any ($2::uuid[])"


class Device(NamedTuple):
    """The device of a log-in. `secret`: shown to it now, and never again; None: it has it."""

    id: str
    secret: str | None

    def __repr__(self) -> str:
        return f"Device(id={self.id!r}, secret=…)"

    @property
    def is_new(self) -> bool:
        """Whether this is its first log-in."""
        return self.secret is not None


async def find_device(pool: Pool, keys: Safe, tenant_id: int, login: str, secret: str) -> str | None:
    """The id of the device with this secret, if whoever has this login (normalised) has logged in from it."""
    if DEVICE_SECRET.fullmatch(secret) is None:
        return None
    index = await keys.index(tenant_id, LOGIN_FIELD, login)
    async with in_tenant(pool, tenant_id) as connection:
        found: str | None = await connection.fetchval(FIND_BY_LOGIN, tenant_id, _hash(secret), index, login)
    return found


async def meet_device(
    connection: Connection, tenant_id: int, person_id: str, secret: str | None, now: object = None
) -> Device:
    """The device that this person logs in from, in the connection's transaction.

    A secret that is not one of this person's devices' makes a new device, like none.
    """
    if secret is not None and DEVICE_SECRET.fullmatch(secret) is not None:
        known = await connection.fetchval(SEE_AGAIN, tenant_id, _hash(secret), person_id, now)
        if known is not None:
            return Device(known, None)
    fresh = Device(str(uuid.uuid4()), DEVICE_SECRET_PREFIX + secrets.token_urlsafe(32))
    assert fresh.secret is not None
    await connection.execute(INSERT, tenant_id, fresh.id, person_id, _hash(fresh.secret), now)
    await connection.execute(FORGET_OLDEST, tenant_id, person_id, DEVICES_PER_PERSON_MAX)
    return fresh


async def forget_devices(connection: Connection, tenant_id: int, device_ids: list[str]) -> None:
    """Know them no longer: their next log-in is a new device's."""
    await connection.execute(FORGET, tenant_id, device_ids)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()

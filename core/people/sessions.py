"""Logins that last: a session per device, and refresh tokens that work once each (RFC 9700, 4.14.2).

It never stores a refresh token, only its SHA-256: 256 random bits need no slow hash. It never issues
access tokens; those are the hub's.
"""

import datetime
import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from core.database import Pool, acquire, in_tenant
from core.errors import CredentialsRefused, NotFound
from core.people.persons import Role

# From login to the next password, however often the token is rotated.
SESSION_LIFETIME = datetime.timedelta(days=30)
# An answer can be lost on a bad network: for so long a used token is taken again.
REFRESH_GRACE = datetime.timedelta(seconds=10)
# The prefix lets secret scanners find a leaked token, and keeps it from passing for anything else.
REFRESH_TOKEN_PREFIX = "phr_"  # noqa: S105
REFRESH_TOKEN = re.compile(r"phr_[A-Za-z0-9_-]{43}")

START_SESSION = """
with started as (
    insert into sessions (tenant_id, id, person_id, created_at, expires_at)
    select persons.tenant_id, $3, persons.id, clock.now, clock.now + $5
      from persons, (select coalesce($6, now()) as now) as clock
     where persons.tenant_id = $1 and persons.id = $2 and persons.status <> 2
    returning tenant_id, id, created_at
)
insert into refresh_tokens (tenant_id, hash, session_id, issued_at)
select tenant_id, $4, id, created_at from started
returning true
"""
ROTATE = """
select outcome, session_id, person_id, role from rotate_refresh_token($1, $2, $3, $4, $5)
"""
REVOKE = """
update sessions set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and id = $2 returning true
"""


class Started(NamedTuple):
    """A new session and its first refresh token."""

    session_id: str
    refresh_token: str

    def __repr__(self) -> str:
        return f"Started(session_id={self.session_id!r}, refresh_token=…)"


class Rotated(NamedTuple):
    """The session a refresh token belongs to, its person as they are now, and the token's successor."""

    session_id: str
    person_id: str
    role: Role
    refresh_token: str

    def __repr__(self) -> str:
        return f"Rotated(session_id={self.session_id!r}, refresh_token=…)"


class RefreshTokenReused(CredentialsRefused):
    """A used refresh token came back after its grace: somebody has a copy. The session is now revoked.

    To the caller it reads like any refusal; `tenant_id`, `session_id` and `person_id` tell the hub
    which sockets to close.
    """

    def __init__(self, tenant_id: int, session_id: str, person_id: str) -> None:
        super().__init__(CredentialsRefused.__doc__)
        self.tenant_id = tenant_id
        self.session_id = session_id
        self.person_id = person_id


async def start_session(pool: Pool, tenant_id: int, person_id: str, *, now: datetime.datetime | None = None) -> Started:
    """Start a session of 30 days for a person who is not closed. Raises CredentialsRefused for anybody else.

    `now` (here and below): None is the database's clock, which all hubs share.
    """
    session_id, token = str(uuid.uuid4()), _draw_token()
    async with in_tenant(pool, tenant_id) as connection:
        started = await connection.fetchval(
            START_SESSION, tenant_id, person_id, session_id, _hash(token), SESSION_LIFETIME, now
        )
    if not started:
        raise CredentialsRefused
    return Started(session_id, token)


async def rotate(pool: Pool, tenant_id: int, refresh_token: str, *, now: datetime.datetime | None = None) -> Rotated:
    """Take a refresh token for a fresh one. The role is read anew, so that a change reaches its owner.

    Raises CredentialsRefused; its subclass RefreshTokenReused says that this call revoked the session.
    """
    if REFRESH_TOKEN.fullmatch(refresh_token) is None:
        raise CredentialsRefused
    successor = _draw_token()
    async with acquire(pool) as connection:
        row = await connection.fetchrow(ROTATE, tenant_id, _hash(refresh_token), _hash(successor), REFRESH_GRACE, now)
    assert row is not None
    if row["outcome"] == "refused":
        raise CredentialsRefused
    if row["outcome"] == "reused":
        raise RefreshTokenReused(tenant_id, str(row["session_id"]), str(row["person_id"]))
    return Rotated(str(row["session_id"]), str(row["person_id"]), Role(row["role"]), successor)


async def revoke(pool: Pool, tenant_id: int, session_id: str) -> None:
    """End a session. Once more is the same. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(REVOKE, tenant_id, session_id):
            raise NotFound


async def find_revoked(
    pool: Pool, pairs: Sequence[tuple[int, str]], *, now: datetime.datetime | None = None
) -> list[tuple[int, str]]:
    """Which of these (tenant id, session id) pairs have ended, in one call for all tenants.

    Ended: revoked, expired, unknown, or of a person who is closed.
    """
    if not pairs:
        return []
    tenants, sessions = zip(*pairs, strict=True)
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            "select tenant_id, session_id from find_revoked($1, $2, $3)", tenants, sessions, now
        )
    return [(tenant_id, str(session_id)) for tenant_id, session_id in rows]


def _draw_token() -> str:
    return REFRESH_TOKEN_PREFIX + secrets.token_urlsafe(32)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def forget_ended(pool: Pool, after: datetime.timedelta, limit: int) -> int:
    """Remove sessions that ended longer than `after` ago. Returns how many."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval("select forget_sessions($1, $2)", after, limit)
    return count


async def read_session_start(pool: Pool, tenant_id: int, session_id: str) -> int | None:
    """When the session began, seconds since the epoch; None if there is no such session."""
    async with acquire(pool) as connection:
        began_at: int | None = await connection.fetchval("select read_session_start($1, $2)", tenant_id, session_id)
    return began_at

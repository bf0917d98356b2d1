"""Logins that last: a session per device, and refresh tokens that work once each (RFC 9700, 4.14.2).

It never stores a refresh token, only its SHA-256: 256 random bits need no slow hash. It never issues
access tokens; those are the hub's. Every beginning and every end is written down in its own commit.
"""

import datetime
import hashlib
import re
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import asyncpg

from core.audit.trail import NOBODY, Act, By, note
from core.database import Connection, Pool, acquire, in_tenant
from core.errors import CredentialsRefused, NotFound
from core.notices.kinds import NoticeKind
from core.notices.leaving import warn
from core.people.devices import Device, forget_devices, meet_device
from core.people.persons import Role

# From login to the next password, however often the token is rotated.
SESSION_LIFETIME = datetime.timedelta(days=30)
# An answer can be lost on a bad network: for so long a used token is taken again.
REFRESH_GRACE = datetime.timedelta(seconds=10)
# The prefix lets secret scanners find a leaked token, and keeps it from passing for anything else.
REFRESH_TOKEN_PREFIX = "phr_"  # noqa: S105
REFRESH_TOKEN = re.compile(r"phr_[A-Za-z0-9_-]{43}")

IS_ACTIVE = "select true from persons where tenant_id = $1 and id = $2 and status <> 2 for key share"
START_SESSION = """
with started as (
    insert into sessions (
        tenant_id, id, person_id, created_at, expires_at, device_id, name, door, network, last_seen_at, proved_at,
        proofs
    )
    select persons.tenant_id, $3, persons.id, clock.now, clock.now + $5, $7, $8, $9, $10,
           clock.now, case when cardinality($11::text[]) > 0 then clock.now end, $11::text[]
      from persons, (select coalesce($6, now()) as now) as clock
     where persons.tenant_id = $1 and persons.id = $2 and persons.status <> 2
    returning tenant_id, id, created_at
)
insert into refresh_tokens (tenant_id, hash, session_id, issued_at)
select tenant_id, $4, id, created_at from started
returning true
"""
# A machine's: it has no refresh token, and lasts as long as what it speaks with.
OPEN = """
insert into sessions (tenant_id, id, person_id, expires_at, is_machines)
values ($1, $3, $2, coalesce($4::timestamptz, 'infinity'), true)
"""
SHORTEN = "update sessions set expires_at = least(expires_at, $3) where tenant_id = $1 and id = $2"
ROTATE = """
select outcome, session_id, person_id, role from rotate_refresh_token($1, $2, $3, $4, $5)
"""
KEEP_UP = """
update sessions
   set last_seen_at = coalesce($3, now()), network = coalesce($4, network)
 where tenant_id = $1 and id = $2
returning floor(extract(epoch from proved_at))::bigint as proved_at, proofs
"""
PROVE = """
update sessions set proved_at = now(), proofs = $3::text[]
 where tenant_id = $1 and id = $2 and revoked_at is null
returning floor(extract(epoch from proved_at))::bigint
"""
# One that has ended stays as it is, and is told apart by its earlier end.
END = """
update sessions set revoked_at = now()
  from (select tenant_id, id, revoked_at from sessions
         where tenant_id = $1 and id = $2 and ($3::uuid is null or person_id = $3) for update) as was
 where sessions.tenant_id = was.tenant_id and sessions.id = was.id and was.revoked_at is null
returning sessions.person_id::text, sessions.device_id::text
"""
IS_THERE = "select true from sessions where tenant_id = $1 and id = $2 and ($3::uuid is null or person_id = $3)"
END_OTHERS = """
update sessions set revoked_at = now()
 where tenant_id = $1 and person_id = $2 and id is distinct from $3 and revoked_at is null and expires_at > now()
returning id::text, device_id::text
"""
READ_DEVICE = "select device_id::text from sessions where tenant_id = $1 and id = $2"
HAS_PERSON = "select true from persons where tenant_id = $1 and id = $2"


class Ending(StrEnum):
    """How a session came to its end. In the audit trail."""

    LOGGED_OUT = "logged_out"
    BY_ITS_PERSON = "by_its_person"
    BY_AN_OPERATOR = "by_an_operator"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # a reason, no password
    FACTORS_RESET = "factors_reset"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105  # a reason, no token
    PERSON_ERASED = "person_erased"


class Arrival(NamedTuple):
    """How somebody comes in.

    `door`: hub.doors.Door's value. `device`: the secret that the client brought, if any. `proofs`: what was proved, in
    RFC 8176's words. `network`: the address, cut to what names no single person. `is_registering`: whoever is new has
    no device that is not.
    """

    door: str
    network: str | None = None
    device: str | None = None
    name: str | None = None
    proofs: tuple[str, ...] = ()
    is_registering: bool = False

    def __repr__(self) -> str:
        return f"Arrival(door={self.door!r}, network={self.network!r}, device=…, proofs={self.proofs!r})"


class Started(NamedTuple):
    """A new session and its first refresh token. `device`: None where the installation itself opened it."""

    session_id: str
    refresh_token: str
    device: Device | None = None

    def __repr__(self) -> str:
        return f"Started(session_id={self.session_id!r}, refresh_token=…)"


class Rotated(NamedTuple):
    """The session a refresh token belongs to, its person as they are now, and the token's successor.

    `proved_at` (seconds since the epoch; None: never) and `proofs`: when and how its person last proved who they are.
    """

    session_id: str
    person_id: str
    role: Role
    refresh_token: str
    proved_at: int | None = None
    proofs: tuple[str, ...] = ()

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


async def start_session(
    pool: Pool,
    tenant_id: int,
    person_id: str,
    arrival: Arrival | None = None,
    *,
    now: datetime.datetime | None = None,
) -> Started:
    """Start a session of 30 days for a person who is not closed. Raises CredentialsRefused for anybody else.

    Without an arrival the installation opens it: nobody has proved anything and no device is known. `now` (here and
    below): None is the database's clock, which all hubs share.
    """
    async with in_tenant(pool, tenant_id) as connection:
        return await begin_session(connection, tenant_id, person_id, arrival, now=now)


async def begin_session(
    connection: Connection,
    tenant_id: int,
    person_id: str,
    arrival: Arrival | None = None,
    *,
    now: datetime.datetime | None = None,
    details: Mapping[str, Any] | None = None,
) -> Started:
    """The same in the connection's transaction, which is in the tenant. `details` are added to what is written down."""
    session_id, token = str(uuid.uuid4()), _draw_token()
    device = None
    if arrival is not None:
        if not await connection.fetchval(IS_ACTIVE, tenant_id, person_id):
            raise CredentialsRefused
        device = await meet_device(connection, tenant_id, person_id, arrival.device, now)
    started = await connection.fetchval(
        START_SESSION,
        tenant_id,
        person_id,
        session_id,
        _hash(token),
        SESSION_LIFETIME,
        now,
        None if device is None else device.id,
        None if arrival is None else arrival.name,
        None if arrival is None else arrival.door,
        None if arrival is None else arrival.network,
        [] if arrival is None else list(arrival.proofs),
    )
    if not started:
        raise CredentialsRefused
    if arrival is None or device is None:
        await note(connection, tenant_id, NOBODY, Act.SESSION_STARTED, session_id, details={"person": person_id})
        return Started(session_id, token)
    by = By(person_id, session_id, arrival.network)
    about = {"door": arrival.door, "proofs": arrival.proofs, "device": device.id, **(details or {})}
    await note(connection, tenant_id, by, Act.SESSION_STARTED, session_id, details=about)
    if device.is_new:
        await note(connection, tenant_id, by, Act.DEVICE_FIRST_SEEN, device.id)
        if not arrival.is_registering:
            await warn(connection, tenant_id, NoticeKind.NEW_DEVICE, person_id, by)
    return Started(session_id, token, device)


async def note_refusal(
    pool: Pool, tenant_id: int, network: str | None, person_id: str | None, details: Mapping[str, Any]
) -> None:
    """Write down that somebody was not let in. `person_id`: whom they named, if there is such a person."""
    async with in_tenant(pool, tenant_id) as connection:
        await note(connection, tenant_id, By(network=network), Act.SESSION_REFUSED, person_id, details=details)


async def open_session(
    connection: Connection, tenant_id: int, person_id: str, session_id: str, expires_at: datetime.datetime | None
) -> None:
    """Start a machine's session in the connection's transaction; None: it lasts until it is ended."""
    await connection.execute(OPEN, tenant_id, person_id, session_id, expires_at)


async def shorten_session(
    connection: Connection, tenant_id: int, session_id: str, expires_at: datetime.datetime
) -> None:
    """Let a session end by then, in the connection's transaction."""
    await connection.execute(SHORTEN, tenant_id, session_id, expires_at)


async def end_session(connection: Connection, tenant_id: int, session_id: str) -> None:
    """End a session in the connection's transaction, if it is still there."""
    await connection.execute(END, tenant_id, session_id, None)


async def rotate(
    pool: Pool,
    tenant_id: int,
    refresh_token: str,
    *,
    network: str | None = None,
    now: datetime.datetime | None = None,
) -> Rotated:
    """Take a refresh token for a fresh one. The role is read anew, so that a change reaches its owner.

    Raises CredentialsRefused; its subclass RefreshTokenReused says that this call revoked the session, and forgot its
    device: whoever copied the one may have copied the other.
    """
    if REFRESH_TOKEN.fullmatch(refresh_token) is None:
        raise CredentialsRefused
    successor = _draw_token()
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(ROTATE, tenant_id, _hash(refresh_token), _hash(successor), REFRESH_GRACE, now)
        assert row is not None
        if row["outcome"] == "rotated":
            proved_at, proofs = await _one(connection, KEEP_UP, tenant_id, row["session_id"], now, network)
        elif row["outcome"] == "reused":
            await _note_reuse(connection, tenant_id, str(row["session_id"]), network)
    if row["outcome"] == "refused":
        raise CredentialsRefused
    if row["outcome"] == "reused":
        raise RefreshTokenReused(tenant_id, str(row["session_id"]), str(row["person_id"]))
    return Rotated(
        str(row["session_id"]), str(row["person_id"]), Role(row["role"]), successor, proved_at, tuple(proofs)
    )


async def renew_proof(connection: Connection, tenant_id: int, session_id: str, proofs: Iterable[str]) -> int:
    """The session's person has just proved who they are. Gives the moment, seconds since the epoch.

    Raises CredentialsRefused when the session has ended meanwhile.
    """
    proved_at: int | None = await connection.fetchval(PROVE, tenant_id, session_id, list(proofs))
    if proved_at is None:
        raise CredentialsRefused
    return proved_at


async def revoke(
    pool: Pool,
    tenant_id: int,
    session_id: str,
    by: By = NOBODY,
    how: Ending = Ending.LOGGED_OUT,
    *,
    of: str | None = None,
    why: str | None = None,
) -> None:
    """End a session, if it is `of` this person (None: whoever's). Once more is the same. Raises NotFound.

    Ended from elsewhere, its device is forgotten as well: it may be in somebody else's hands.
    """
    async with in_tenant(pool, tenant_id) as connection:
        ended = await connection.fetchrow(END, tenant_id, session_id, of)
        if ended is None:
            if not await connection.fetchval(IS_THERE, tenant_id, session_id, of):
                raise NotFound
            return
        await _note_end(connection, tenant_id, session_id, by, how, why)
        if by.session_id != session_id and ended["device_id"] is not None:
            await forget_devices(connection, tenant_id, [ended["device_id"]])


async def revoke_others(
    connection: Connection, tenant_id: int, person_id: str, by: By, how: Ending, why: str | None = None
) -> list[str]:
    """End all of the person's sessions but the one that asks, in the connection's transaction. Gives their ids."""
    rows = await connection.fetch(END_OTHERS, tenant_id, person_id, by.session_id)
    for row in rows:
        await _note_end(connection, tenant_id, row["id"], by, how, why)
    await forget_devices(connection, tenant_id, await _elsewhere(connection, tenant_id, by, rows))
    return [row["id"] for row in rows]


async def end_sessions(
    pool: Pool, tenant_id: int, person_id: str, by: By, how: Ending, why: str | None = None
) -> list[str]:
    """The same in a transaction of its own. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(HAS_PERSON, tenant_id, person_id):
            raise NotFound
        return await revoke_others(connection, tenant_id, person_id, by, how, why)


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


async def read_device(pool: Pool, tenant_id: int, session_id: str) -> str | None:
    """The id of the device that the session is on, if it is known."""
    async with in_tenant(pool, tenant_id) as connection:
        found: str | None = await connection.fetchval(READ_DEVICE, tenant_id, session_id)
    return found


async def read_session_start(pool: Pool, tenant_id: int, session_id: str) -> int | None:
    """Since when the session's device is known to its person, seconds since the epoch; None: no such session.

    A device that is not known is as old as its session.
    """
    async with acquire(pool) as connection:
        began_at: int | None = await connection.fetchval("select read_session_start($1, $2)", tenant_id, session_id)
    return began_at


async def _note_end(
    connection: Connection, tenant_id: int, session_id: str, by: By, how: Ending, why: str | None = None
) -> None:
    await note(connection, tenant_id, by, Act.SESSION_ENDED, session_id, why, {"how": how.value})


async def _note_reuse(connection: Connection, tenant_id: int, session_id: str, network: str | None) -> None:
    await _note_end(connection, tenant_id, session_id, By(network=network), Ending.REFRESH_TOKEN_REUSED)
    device = await connection.fetchval(READ_DEVICE, tenant_id, session_id)
    if device is not None:
        await forget_devices(connection, tenant_id, [device])


async def _elsewhere(connection: Connection, tenant_id: int, by: By, rows: Sequence[asyncpg.Record]) -> list[str]:
    """The devices of ended sessions, without the one that the asking session is on."""
    own = await connection.fetchval(READ_DEVICE, tenant_id, by.session_id)
    return list({row["device_id"] for row in rows} - {own, None})


async def _one(connection: Connection, query: str, *arguments: object) -> asyncpg.Record:
    row = await connection.fetchrow(query, *arguments)
    assert row is not None
    return row

"""Guessing made slow, and slower with every wrong guess, without a word about whose login exists.

An attempt is counted before it is looked at, and taken back when it was right: a thousand at once are a thousand.
Whoever comes from a device that its person is known to use has a count of their own, which nobody else can spend: a
stranger's guesses keep strangers waiting, and not the person. What is typed is never kept: a count stands under a mark.
"""

import datetime
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from core.database import Connection, Pool, acquire, in_tenant
from core.errors import CoreError
from core.people.marking import MARK_BYTES, Marks

FORGIVE = """
update throttles
   set level = greatest(level - 1, 0), blocked_until = case when round(level - 1) >= asked.free then blocked_until end
  from unnest($2::smallint[], $3::bytea[], $4::float8[]) as asked (kind, key, free)
 where throttles.tenant_id = $1 and throttles.kind = asked.kind and throttles.key = asked.key
"""
# Longer than any count takes to be forgotten.
QUIET = datetime.timedelta(days=3)


class Kind(IntEnum):
    """What attempts are counted by. Stored in throttles.kind."""

    LOGIN = 1
    DEVICE = 2
    ADDRESS = 3
    NETWORK = 4
    TENANT = 5
    PROOF = 6


class Pace(NamedTuple):
    """`free` wrong attempts at once; one is forgotten every `forget_s`; then waits that double, up to `max_s`."""

    free: int
    forget_s: float
    first_s: float
    max_s: float


HOUR_S: Final = 3_600.0
# Ten tries for who mistypes, then at most one an hour: a guesser has thirty-odd on the first day and 24 a day after,
# from wherever they come (NIST SP 800-63B-4, 3.2.2, allows 100 in a row).
PACES: Final[dict[Kind, Pace]] = {
    Kind.LOGIN: Pace(10, HOUR_S, 30, HOUR_S),
    # The person's own device, whoever holds it now. Shorter waits: its count is spent by nobody else.
    Kind.DEVICE: Pace(10, HOUR_S, 5, 900),
    # A household, an office behind one router.
    Kind.ADDRESS: Pace(30, 60, 2, 300),
    # A few hundred neighbours of a carrier (IPv4 /24, IPv6 /48).
    Kind.NETWORK: Pace(200, 10, 1, 120),
    # Every stranger to a tenant together: a botnet that tries a password per address. It settles at five a second.
    Kind.TENANT: Pace(1_000, 0.2, 0.05, 10),
    # Codes of six digits, and the password of who is logged in already.
    Kind.PROOF: Pace(10, HOUR_S, 30, HOUR_S),
}


class Throttled(CoreError):
    """Too many attempts. Nothing was looked at; wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


class Count(NamedTuple):
    """What one attempt is counted by."""

    tenant_id: int
    kinds: tuple[Kind, ...]
    keys: tuple[bytes, ...]


def count_log_in(
    marks: Marks, tenant_id: int, login: str, device_id: str | None, address: str, network: str | None
) -> Count:
    """A log-in: by the known device it comes from, or by everything that strangers are counted by.

    `login` is what was typed, whether or not anybody has it.
    """
    if device_id is not None:
        return _count(marks, tenant_id, ((Kind.DEVICE, device_id),))
    typed = login.strip().lower()
    strangers = ((Kind.LOGIN, typed), (Kind.ADDRESS, address), (Kind.NETWORK, network or address), (Kind.TENANT, ""))
    return _count(marks, tenant_id, strangers)


def count_stranger(marks: Marks, tenant_id: int, address: str, network: str | None) -> Count:
    """A registration, which names a login that has to be free: it may be asked no oftener than a log-in."""
    asked = ((Kind.ADDRESS, address), (Kind.NETWORK, network or address), (Kind.TENANT, ""))
    return _count(marks, tenant_id, asked)


def count_proof(marks: Marks, tenant_id: int, person_id: str, device_id: str | None) -> Count:
    """A second factor, or a password asked for again: by person, and apart for each device that is known."""
    return _count(marks, tenant_id, ((Kind.PROOF, f"{person_id} {device_id or ''}"),))


async def count_attempt(pool: Pool, count: Count, *, now: datetime.datetime | None = None) -> None:
    """Count an attempt as failed before it is looked at. Raises Throttled; then it is neither looked at nor counted.

    `now`: None is the database's clock, which all hubs share.
    """
    paces = [PACES[kind] for kind in count.kinds]
    async with acquire(pool) as connection:
        wait_s: float = await connection.fetchval(
            "select count_attempt($1, $2, $3, $4, $5, $6, $7, $8)",
            count.tenant_id,
            count.kinds,
            count.keys,
            *(list(map(float, column)) for column in zip(*paces, strict=True)),
            now,
        )
    if wait_s > 0:
        raise Throttled(wait_s)


async def forgive(pool: Pool, count: Count) -> None:
    """It was right: take this one attempt back. Others' stay, or it could be seen that somebody was let in."""
    async with in_tenant(pool, count.tenant_id) as connection:
        await forgive_in(connection, count)


async def forgive_in(connection: Connection, count: Count) -> None:
    """The same in the connection's transaction."""
    free = [float(PACES[kind].free) for kind in count.kinds]
    await connection.execute(FORGIVE, count.tenant_id, count.kinds, count.keys, free)


async def forget_counts(pool: Pool, limit: int) -> int:
    """Remove counts that have been quiet for days. Returns how many."""
    async with acquire(pool) as connection:
        gone: int = await connection.fetchval("select forget_throttles($1, $2)", QUIET, limit)
    return gone


def _count(marks: Marks, tenant_id: int, asked: Sequence[tuple[Kind, str]]) -> Count:
    keys = tuple(marks.of("throttle", tenant_id, int(kind), value)[: MARK_BYTES // 2] for kind, value in asked)
    return Count(tenant_id, tuple(kind for kind, _ in asked), keys)

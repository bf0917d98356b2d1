"""What is to be handed to phones and mailboxes: made when notices climb, claimed by workers, and settled.

A delivery is some notices of one kind to one place, under an id that the other side sees at every try. Whoever claims
one has it for a while and loses it then, so that a worker may be killed at any moment; what it had handed over by then
is handed over again under the same id. It knows no phone and no mail server.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

import msgspec

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.ladder import CAN_WAIT, LADDERS

# Notified in the commit that made deliveries; whoever does not listen looks every now and then anyway.
CHANNEL: Final = "payhub_deliveries"
# A message that failed so often by itself is set aside: it stands in nobody's way, and somebody looks at it.
TRIES_MAX: Final = 5
# What was told is kept for a while, for who asks whether it was.
TOLD_KEPT: Final = timedelta(days=90)
# A phone that was off for longer is told by mail, and sees the rest when it is opened.
PUSH_LASTS: Final = timedelta(days=1)

# As the table has it.
CODE_LENGTH_MAX: Final = 60

CLIMB: Final = "select climbed, made from climb_notices($1, $2, $3, $4, $5, $6)"
CLAIM: Final = "select * from claim_deliveries($1, $2, $3)"
SETTLE: Final = "select settle_deliveries($1, $2, $3, $4, $5, $6, $7)"
READ_STATE: Final = "select * from read_deliveries_state()"
READ_DEAD: Final = """
select id::text, road, kind, person_id::text, tries, code, made_at, ended_at
  from deliveries
 where tenant_id = $1 and state = 3 and ($2::timestamptz is null or (made_at, id) < ($2, $3::uuid))
 order by made_at desc, id desc
 limit $4
"""
BOUNCE: Final = "select bounce_delivery($1, $2, $3, $4)"
RETRY: Final = "select * from retry_deliveries($1, $2)"


class Road(IntEnum):
    """How somebody is reached. Stored in deliveries.road; the first three are push_devices.provider, too."""

    APPLE = 1
    FIREBASE = 2
    WEB = 3
    MAIL = 4


class State(IntEnum):
    """What became of a delivery. Stored in deliveries.state."""

    WAITING = 0
    TAKEN = 1  # the other side has it
    DROPPED = 2  # of no use any more when its turn came: acknowledged elsewhere, or nobody to send it to
    DEAD = 3  # set aside: refused for good, or too many tries
    GONE = 4  # nobody is behind that address any more


class Climbed(NamedTuple):
    """Notices that took their next rung, and deliveries made of them."""

    notices: int
    deliveries: int


class Contact(NamedTuple):
    """Where a mail goes: a row of person_fields, sealed under its person's key."""

    field: int
    number: int
    sealed: bytes


class Phone(NamedTuple):
    """Where a push goes: a row of push_devices, sealed likewise."""

    id: str
    sealed: bytes
    registered_at: datetime


class Claimed(NamedTuple):
    """A delivery in somebody's hands. `facts` None: a push that takes away what is shown of its kind.

    `notice_id`, `sealed`, `session_id`: of the newest of its notices. `badge`: what the phone's icon says. Of a mail:
    the person's name, plain or sealed, and that of the session.
    """

    tenant_id: int
    id: str
    road: Road
    kind: NoticeKind
    person_id: str
    tries: int
    made_at: datetime
    language: str
    phone: Phone | None
    contact: Contact | None
    notice_id: str | None
    sealed: bytes | None
    session_id: str | None
    facts: Facts | None
    expires_at: datetime | None
    badge: int
    name: str | None
    name_sealed: bytes | None
    session_name: str | None


class Settled(NamedTuple):
    """What came of one that was claimed. WAITING: again after `after_s`; `gives_back`: the try does not count."""

    claimed: Claimed
    state: State
    code: str | None = None
    after_s: float = 0.0
    gives_back: bool = False


class Dead(NamedTuple):
    """A delivery that was set aside, as operators see it."""

    id: str
    road: Road
    kind: NoticeKind
    person_id: str
    tries: int
    code: str | None
    made_at: datetime
    ended_at: datetime


class RoadState(NamedTuple):
    """How one road is doing, all tenants together. `late_s`: for how long the oldest that is due has waited."""

    road: Road
    waiting: int
    late_s: float
    dead: int


async def climb(pool: Pool, limit: int) -> Climbed:
    """Let notices whose time is over take their next rung."""
    kinds = list(LADDERS)
    _, pushes, has_push, has_mail = zip(*LADDERS.values(), strict=True)
    async with acquire(pool) as connection:
        row = await connection.fetchrow(
            CLIMB, limit, kinds, pushes, has_push, has_mail, [kind in CAN_WAIT for kind in kinds]
        )
    assert row is not None
    return Climbed(*row)


async def claim(pool: Pool, road: Road, limit: int, lease: timedelta) -> list[Claimed]:
    """Take some that are due, oldest first within each tenant, for as long as `lease`."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(CLAIM, road, limit, lease)
    return [_claimed(road, *row) for row in rows]


async def settle(pool: Pool, settled: Sequence[Settled]) -> int:
    """Write down what came of them; how many were still in the same hands."""
    if not settled:
        return 0
    columns = zip(
        *(
            (
                one.claimed.tenant_id,
                one.claimed.id,
                one.claimed.tries,
                one.state,
                None if one.code is None else _plain(one.code),
                one.after_s,
                one.gives_back,
            )
            for one in settled
        ),
        strict=True,
    )
    async with acquire(pool) as connection:
        count: int = await connection.fetchval(SETTLE, *columns)
    return count


async def bounce(pool: Pool, tenant_id: int, delivery_id: str, status: str, *, is_gone: bool) -> bool:
    """A mail came back for good, with this status (RFC 3463). `is_gone`: nobody has the address any more."""
    async with acquire(pool) as connection:
        return bool(await connection.fetchval(BOUNCE, tenant_id, delivery_id, status, is_gone))


async def forget_told(pool: Pool, limit: int) -> int:
    """Remove what was told long ago. Returns how many of the most numerous."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval("select forget_told($1, $2, $3)", TOLD_KEPT, PUSH_LASTS, limit)
    return count


async def read_states(pool: Pool) -> list[RoadState]:
    """For operators: all tenants together."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(READ_STATE)
    return [RoadState(Road(road), *rest) for road, *rest in rows]


async def read_dead(pool: Pool, tenant_id: int, limit: int, before: tuple[datetime, str] | None = None) -> list[Dead]:
    """A page of a tenant's deliveries that were set aside, newest first."""
    at, id_ = before or (None, None)
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_DEAD, tenant_id, at, id_, limit)
    return [Dead(id_, Road(road), NoticeKind(kind), *rest) for id_, road, kind, *rest in rows]


async def retry(pool: Pool, tenant_id: int, ids: Sequence[str] | None, by: By) -> list[str]:
    """Send again what was set aside: these, or all of the tenant's. Which it was."""
    async with in_tenant(pool, tenant_id) as connection:
        again = [str(row[0]) for row in await connection.fetch(RETRY, tenant_id, ids)]
        if again:
            about = again[0] if len(again) == 1 else None
            await note(connection, tenant_id, by, Act.DELIVERIES_RETRIED, about, details={"count": len(again)})
    return again


def _plain(code: str) -> str:
    """What can be kept of a word of somebody else's choosing: one that cannot be kept would hold up all beside it."""
    return "".join(mark for mark in code if mark.isascii() and mark.isprintable())[:CODE_LENGTH_MAX]


def _claimed(  # one argument for each column of claim_deliveries
    road: Road,
    tenant_id: int,
    id_: object,
    kind: int,
    person_id: object,
    tries: int,
    made_at: datetime,
    device_id: object,
    device_sealed: bytes | None,
    device_at: datetime | None,
    language: str,
    field: int | None,
    field_number: int | None,
    contact_sealed: bytes | None,
    notice_id: object,
    sealed: bytes | None,
    session_id: object,
    facts: str | None,
    amount: int | None,
    payment_id: object,
    happened_at: datetime | None,
    expires_at: datetime | None,
    count: int | None,
    total: int | None,
    badge: int,
    name: str | None,
    name_sealed: bytes | None,
    session_name: str | None,
) -> Claimed:
    phone = contact = told = None
    if device_id is not None:
        assert device_sealed is not None and device_at is not None
        phone = Phone(str(device_id), device_sealed, device_at)
    elif contact_sealed is not None:
        assert field is not None and field_number is not None
        contact = Contact(field, field_number, contact_sealed)
    if notice_id is not None:
        assert happened_at is not None and count is not None
        if facts is not None:
            told = msgspec.json.decode(facts, type=Facts)
        else:
            subject = None if payment_id is None else str(payment_id)
            told = Facts(at=happened_at, amount=amount, subject=subject)
        if count > 1:
            told = msgspec.structs.replace(told, count=count, total=total)
    return Claimed(
        tenant_id,
        str(id_),
        road,
        NoticeKind(kind),
        str(person_id),
        tries,
        made_at,
        language,
        phone,
        contact,
        None if notice_id is None else str(notice_id),
        sealed,
        None if session_id is None else str(session_id),
        told,
        expires_at,
        badge,
        name,
        name_sealed,
        session_name,
    )

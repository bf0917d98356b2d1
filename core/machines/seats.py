"""Seats: people who act for a merchant, by log-ins of their own and within scopes; invited, changed, ended by it.

Nobody learns from an invitation whether there is anybody: what names nobody is kept like any other, it reads the same,
and that somebody declined is not told either. An accepted seat says who sits there.
"""

import datetime
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import KeysRefused, KeysUnavailable, NotFound, Refusal
from core.keys.places import SEAT_NAME
from core.keys.safe import Safe
from core.machines.naming import open_names, sealer_of
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.people.credentials import find_login
from core.people.persons import PersonStatus, Role, read_names
from core.people.persons import open_names as open_display_names

# A restaurant with its waiters in two shifts; beyond that, each shop is a merchant.
SEATS_MAX: Final = 50
# Of those, invitations that nobody has accepted yet; and how many a day: each tells somebody something.
INVITATIONS_MAX: Final = 20
INVITATIONS_A_DAY_MAX: Final = 60
INVITATION_LASTS: Final = datetime.timedelta(days=7)
# Those that ended are kept for who asks what somebody could do; so many are shown.
LISTED_MAX: Final = 200
# Who may sit in one: nobody whom the tenant pays to look after its merchants.
SITTING: Final = (int(Role.CUSTOMER), int(Role.MERCHANT))

COLUMNS: Final = """
       id::text, person_id::text, holder::text, name_sealed, scopes,
       case when ended_at is not null then 'ended' when accepted_at is not null then 'active'
            when lapses_at <= now() then 'lapsed' else 'pending' end as state,
       invited_at, lapses_at, accepted_at, declined_at, ended_at, ended_by::text, last_used_on
"""
READ: Final = f"select {COLUMNS} from seats where tenant_id = $1 and id = $2 for no key update"  # noqa: S608
LIST: Final = f"""
select {COLUMNS}
  from seats
 where tenant_id = $1 and person_id = $2
 order by ended_at is not null, invited_at desc, id desc
 limit $3
"""  # noqa: S608  # the columns are ours
# The merchant's row is held, so that of two invitations made at once the later one counts the earlier.
LOCK_MERCHANT: Final = "select role, status from persons where tenant_id = $1 and id = $2 for no key update"
COUNT: Final = """
select count(*) filter (where ended_at is null and (accepted_at is not null or lapses_at > now())) as seats,
       count(*) filter (where ended_at is null and accepted_at is null and lapses_at > now()) as invitations,
       count(*) filter (where invited_at > now() - interval '1 day') as today
  from seats
 where tenant_id = $1 and person_id = $2
"""
FIND_OWNER: Final = "select person_id::text from accounts where tenant_id = $1 and id = $2"
INSERT: Final = """
insert into seats (tenant_id, id, person_id, holder, name_sealed, scopes, invited_by, lapses_at)
values ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval)
"""
CHANGE: Final = "update seats set name_sealed = $3, scopes = $4 where tenant_id = $1 and id = $2"
END: Final = "update seats set ended_at = now(), ended_by = $3 where tenant_id = $1 and id = $2"
END_SESSIONS: Final = """
update sessions set revoked_at = now()
 where tenant_id = $1 and seat_id = $2 and revoked_at is null and expires_at > now()
returning id::text
"""
FIND_ASKERS: Final = """
select payments.id::text, payments.asked_by::text
  from payments
 where payments.tenant_id = $1 and payments.id = any ($3::uuid[])
   and exists (
       select from seats
        where seats.tenant_id = $1 and seats.person_id = $2 and seats.holder = payments.asked_by
          and seats.accepted_at is not null
   )
"""
# Once, however often the same person is invited; and nobody who could not accept.
FIND_TOLD: Final = """
select seats.holder::text, seats.lapses_at
  from seats
  join persons on persons.tenant_id = seats.tenant_id and persons.id = seats.holder
 where seats.tenant_id = $1 and seats.id = $2 and persons.status = $3 and persons.role = any ($4)
   and not exists (
       select from seats as others
        where others.tenant_id = seats.tenant_id and others.holder = seats.holder
          and others.person_id = seats.person_id and others.id <> seats.id
          and others.ended_at is null and (others.accepted_at is not null or others.lapses_at > now())
   )
"""


class Seat(NamedTuple):
    """A seat as it stands. `state`: pending, active, lapsed or ended. `name` None: it cannot be read now.

    `holder`: who was invited, which is for nobody to see before it is accepted.
    """

    id: str
    person_id: str
    holder: str | None
    name: str | None
    scopes: Sequence[str]
    state: str
    invited_at: datetime.datetime
    lapses_at: datetime.datetime
    accepted_at: datetime.datetime | None
    declined_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    ended_by: str | None
    last_used_on: datetime.date | None


class Offer(NamedTuple):
    """What a seat is to be, and for whom: one of a login and an account's number."""

    name: str
    scopes: Sequence[str]
    login: str | None = None
    account: int | None = None


async def invite(pool: Pool, keys: Safe, tenant_id: int, merchant: str, offer: Offer, by: By) -> Seat:
    """Offer a seat, for seven days. It is the same whether or not anybody is there; `tell_invited` tells who is.

    Raises NotFound for anybody who is no active merchant; Refusal `too_many_seats`, `too_many_invitations`, and
    `invalid_field` for the merchant themselves; KeysUnavailable.
    """
    cipher = await sealer_of(pool, keys, tenant_id, merchant)
    seat_id = str(uuid.uuid4())
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(LOCK_MERCHANT, tenant_id, merchant)
        if row is None or row["role"] != Role.MERCHANT or row["status"] != PersonStatus.ACTIVE:
            raise NotFound
        seats, invitations, today = await connection.fetchrow(COUNT, tenant_id, merchant) or (0, 0, 0)
        if seats >= SEATS_MAX:
            raise Refusal("too_many_seats")
        if invitations >= INVITATIONS_MAX or today >= INVITATIONS_A_DAY_MAX:
            raise Refusal("too_many_invitations")
        if offer.login is not None:
            holder = await find_login(connection, keys, tenant_id, offer.login)
        else:
            holder = await connection.fetchval(FIND_OWNER, tenant_id, offer.account)
        if holder == merchant:
            raise Refusal("invalid_field", "That is the merchant.", field="account" if offer.login is None else "login")
        sealed = cipher.seal(*SEAT_NAME.at(seat_id), offer.name)
        await connection.execute(
            INSERT, tenant_id, seat_id, merchant, holder, sealed, offer.scopes, by.person_id, INVITATION_LASTS
        )
        # Not who: the merchant reads this, too.
        await note(connection, tenant_id, by, Act.SEAT_OFFERED, seat_id, details={"scopes": [*offer.scopes]})
        made = await read_seat(connection, tenant_id, seat_id)
    return to_seat(made, offer.name)


async def tell_invited(pool: Pool, tenant_id: int, seat_id: str) -> None:
    """Leave a notice for whoever was invited, if there is anybody. After the answer: its time would tell."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(FIND_TOLD, tenant_id, seat_id, int(PersonStatus.ACTIVE), SITTING)
        if row is not None:
            facts = Facts(at=datetime.datetime.now(datetime.UTC), subject=seat_id, ends_at=row["lapses_at"])
            await leave(connection, tenant_id, NoticeKind.SEAT_OFFERED, row["holder"], facts, notice_id=seat_id)


async def list_seats(
    pool: Pool, keys: Safe, tenant_id: int, merchant: str, by: By
) -> tuple[list[Seat], dict[str, str | None]]:
    """A merchant's seats, those that ended last, each group newest first; and the names of who sits there.

    What somebody else than the merchant is shown is written down.
    """
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST, tenant_id, merchant, LISTED_MAX)
        if rows and by.person_id != merchant:
            await note(connection, tenant_id, by, Act.PERSONAL_DATA_READ, merchant, details={"seats": len(rows)})
    return await _named(keys, tenant_id, merchant, rows), await read_holders(pool, keys, tenant_id, rows)


async def read_holders(pool: Pool, keys: Safe, tenant_id: int, rows: Sequence[asyncpg.Record]) -> dict[str, str | None]:
    """The display names of who accepted these seats, by their ids. None: it cannot be read, now or any more."""
    return await read_display_names(
        pool, keys, tenant_id, {row["holder"] for row in rows if row["accepted_at"] is not None}
    )


async def read_display_names(pool: Pool, keys: Safe, tenant_id: int, persons: set[str]) -> dict[str, str | None]:
    """The names that others see of these persons. None: it cannot be read, now or any more."""
    if not persons:
        return {}
    async with in_tenant(pool, tenant_id) as connection:
        names = await read_names(connection, tenant_id, list(persons))
    try:
        opened = await open_display_names(keys, tenant_id, names)
    except (KeysUnavailable, KeysRefused):
        return dict.fromkeys(persons)
    return {one.person_id: name for one, name in zip(names, opened, strict=True)}


async def read_askers(
    pool: Pool, keys: Safe, tenant_id: int, merchant: str, payments: Sequence[str]
) -> tuple[dict[str, str], dict[str, str | None]]:
    """Which of these payments were asked for by who sits, or sat, in a seat of the merchant's; and their names.

    The payments are to be those that the merchant's side asked for: who sits there also pays by themselves.
    """
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(FIND_ASKERS, tenant_id, merchant, list(payments))
    found = {row["id"]: row["asked_by"] for row in rows}
    return found, await read_display_names(pool, keys, tenant_id, {*found.values()})


async def change_seat(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    seat_id: str,
    name: str | None,
    scopes: Sequence[str] | None,
    by: By,
    *,
    whose: str | None = None,
) -> tuple[Seat, dict[str, str | None], list[str]]:
    """Call a seat something else, or give it other scopes; None leaves it as it is.

    Returns it with the name of who sits there and the sessions that have ended by other scopes. `whose`: only this
    merchant's. Raises NotFound, also for one that has ended, and KeysUnavailable, for a name alone.
    """
    sealed = None
    if name is not None:
        async with in_tenant(pool, tenant_id) as connection:
            merchant = (await read_seat(connection, tenant_id, seat_id, whose))["person_id"]
        sealed = (await sealer_of(pool, keys, tenant_id, merchant)).seal(*SEAT_NAME.at(seat_id), name)
    ended: list[str] = []
    async with in_tenant(pool, tenant_id) as connection:
        row = await read_seat(connection, tenant_id, seat_id, whose)
        if row["state"] in {"ended", "lapsed"}:
            raise NotFound
        wanted = row["scopes"] if scopes is None else list(scopes)
        is_other = set(wanted) != set(row["scopes"])
        if is_other:
            # What was opened within the old ones does not last.
            ended = await end_sessions(connection, tenant_id, seat_id)
        if sealed is not None or is_other:
            await connection.execute(CHANGE, tenant_id, seat_id, sealed or row["name_sealed"], wanted)
            details = {"renamed": sealed is not None, "scopes": wanted}
            await note(connection, tenant_id, by, Act.SEAT_CHANGED, seat_id, details=details)
        row = await read_seat(connection, tenant_id, seat_id)
    seat = (await _named(keys, tenant_id, row["person_id"], [row]))[0]
    return seat, await read_holders(pool, keys, tenant_id, [row]), ended


async def end_seat(
    pool: Pool, keys: Safe, tenant_id: int, seat_id: str, by: By, *, whose: str | None = None
) -> tuple[Seat, dict[str, str | None], list[str]]:
    """End a seat, or take an invitation back; and the sessions that it opened. Once more is the same.

    Returns it with the name of who sat there and the sessions that have ended. Raises NotFound.
    """
    ended: list[str] = []
    async with in_tenant(pool, tenant_id) as connection:
        row = await read_seat(connection, tenant_id, seat_id, whose)
        if row["ended_at"] is None:
            ended = await close(connection, tenant_id, seat_id, by)
        row = await read_seat(connection, tenant_id, seat_id)
    seat = (await _named(keys, tenant_id, row["person_id"], [row]))[0]
    return seat, await read_holders(pool, keys, tenant_id, [row]), ended


async def read_scopes(pool: Pool, tenant_id: int, seat_id: str, whose: str | None = None) -> list[str]:
    """What a seat may do. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        return list((await read_seat(connection, tenant_id, seat_id, whose))["scopes"])


async def close(connection: Connection, tenant_id: int, seat_id: str, by: By) -> list[str]:
    """End a seat whose row is held, in the connection's transaction. Gives the sessions that ended with it."""
    await connection.execute(END, tenant_id, seat_id, by.person_id)
    await note(connection, tenant_id, by, Act.SEAT_ENDED, seat_id)
    return await end_sessions(connection, tenant_id, seat_id)


async def end_sessions(connection: Connection, tenant_id: int, seat_id: str) -> list[str]:
    """End all that a seat opened, in the connection's transaction. Gives the sessions."""
    return [row[0] for row in await connection.fetch(END_SESSIONS, tenant_id, seat_id)]


async def read_seat(connection: Connection, tenant_id: int, seat_id: str, whose: str | None = None) -> asyncpg.Record:
    """The row of a seat, held until the transaction ends; with `whose`, only this merchant's. Raises NotFound."""
    row = await connection.fetchrow(READ, tenant_id, seat_id)
    if row is None or whose not in {None, row["person_id"]}:
        raise NotFound
    return row


def to_seat(row: asyncpg.Record, name: str | None) -> Seat:
    """A row with its name opened."""
    return Seat(*row)._replace(name=name)


async def _named(keys: Safe, tenant_id: int, merchant: str, rows: Sequence[asyncpg.Record]) -> list[Seat]:
    sealed = [(row["id"], row["name_sealed"]) for row in rows]
    names = await open_names(keys, tenant_id, merchant, SEAT_NAME, sealed)
    return [to_seat(row, name) for row, name in zip(rows, names, strict=True)]

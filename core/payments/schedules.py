"""Payments at a later date, once or again and again: made, paused, resumed, cancelled, and paid when they are due.

A schedule is paid by ordinary payments, judged like any other; nothing is reserved before. Each attempt's payment,
what became of it and the next date are one commit, so that a worker that is killed leaves no attempt half made.
Dates come from core/payments/calendar.py, the time from PostgreSQL.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from itertools import islice
from typing import NamedTuple, TypeAlias
from uuid import UUID, uuid5

import asyncpg

from core.database import Connection, Pool, acquire, in_tenant, is_payments_fault, is_race, transaction, without_doubt
from core.errors import NotFound, Refusal
from core.keys.places import SCHEDULE_DESCRIPTION
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.nouns import DONE, Payment, PaymentStatus
from core.payments.calendar import Closed, Occurrence, Place, Plan, Rule, check_plan, occurrences

ATTEMPTS_MAX = 10
RETRY_AFTER_S_MAX = 7 * 86_400
# That go on for one payer. A payroll of thousands is paid by file; this many are read and counted in milliseconds.
# Those who make many at the same instant may pass it by as many.
SCHEDULES_MAX = 2_000
# How long a schedule waits that cannot be paid for a reason that is no answer of the ledger: an operator has to look.
PUT_OFF = timedelta(hours=1)

READ_PLACE = "select country, time_zone, clock_timestamp() as now from tenants where id = $1"
# Its description is sealed under the key of the payer's owner; of the tenant's own books, of whoever made it.
COLUMNS = """
id::text, payer, payee, amount, description, rule, first_on, at, day, on_closed, until, times,
attempts_max, retry_after_s, if_unpaid, created_at, status, number, on_day, attempts, due_at, description_sealed,
coalesce(
    (select accounts.person_id from accounts where accounts.tenant_id = $1 and accounts.id = payer), created_by
)::text as owner
"""
READ_SCHEDULE = f"select {COLUMNS} from schedules where tenant_id = $1 and id = $2"  # noqa: S608
LOCK_SCHEDULE = f"{READ_SCHEDULE} for update"
LIST_SCHEDULES = f"""
select {COLUMNS}
  from schedules
 where tenant_id = $1 and payer = $2
   and ($3::uuid is null
        or (created_at, id) < (select created_at, id from schedules where tenant_id = $1 and id = $3 and payer = $2))
 order by created_at desc, id desc
 limit $4
"""  # noqa: S608
FIND_STRANGERS = """
select asked.field
  from (values ('payer', $2::bigint), ('payee', $3::bigint)) as asked (field, id)
  left join accounts on accounts.tenant_id = $1 and accounts.id = asked.id
 where accounts.id is null
 order by asked.field desc
"""
FIND_OWNER = "select person_id::text from accounts where tenant_id = $1 and id = $2"
COUNT_GOING_ON = "select count(*) from schedules where tenant_id = $1 and payer = $2 and status in (0, 1)"
INSERT_SCHEDULE = f"""
insert into schedules (
    tenant_id, id, payer, payee, amount, description_sealed, rule, first_on, at, day, on_closed, until, times,
    attempts_max, retry_after_s, if_unpaid, created_by, number, on_day, due_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
    on conflict do nothing
returning {COLUMNS}
"""  # noqa: S608
SET_STATE = f"""
update schedules set status = $3, number = $4, on_day = $5, attempts = 0, due_at = $6
 where tenant_id = $1 and id = $2
returning {COLUMNS}
"""  # noqa: S608
READ_OUTCOMES = """
select on_day, attempt, payment_id::text, status, at
  from schedule_outcomes
 where tenant_id = $1 and schedule_id = $2
 order by on_day desc, attempt desc
 limit $3
"""
CLAIM = """
select tenant_id, id::text, seed, payer, payee, amount, description, description_sealed, owner::text,
       created_by::text, rule, first_on, at, day, on_closed, until, times, attempts_max, if_unpaid, number, on_day,
       attempts, due_at, country, time_zone
  from claim_due_schedules($1)
"""
ADVANCE = "select advance_schedules($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"


class ScheduleStatus(IntEnum):
    """Whether a schedule goes on. Stored in schedules.status."""

    ACTIVE = 0
    PAUSED = 1
    CANCELLED = 2
    COMPLETED = 3  # its last date has been


class IfUnpaid(IntEnum):
    """What happens after a date that could not be paid. Stored in schedules.if_unpaid."""

    SKIP = 0  # go on to the next date
    PAUSE = 1  # until somebody resumes


class Order(NamedTuple):
    """What is asked for, once, under this id: pay `amount` (minor units) on the plan's dates.

    A date that funds are lacking on is attempted `attempts_max` times, `retry_after_s` apart.
    """

    id: str
    payer: int
    payee: int
    amount: int
    description: str | None
    plan: Plan
    attempts_max: int
    retry_after_s: int
    if_unpaid: IfUnpaid


class Schedule(NamedTuple):
    """An order and where it stands: `number` and `day` are the date that is paid next, or was last.

    `due_at` is when its next attempt is due; None unless the schedule is active.
    """

    order: Order
    created_at: datetime
    status: ScheduleStatus
    number: int
    day: date
    attempts: int
    due_at: datetime | None


class Outcome(NamedTuple):
    """What became of one attempt at one date. `status` is a core.nouns.PaymentStatus."""

    day: date
    attempt: int
    payment: str
    status: int
    at: datetime


# A claimed schedule, and what its payment is to say.
Due: TypeAlias = tuple[asyncpg.Record, str | None]


class Round(NamedTuple):
    """What one call of `pay_due` did: schedules attempted, and those put off because something was in the way."""

    attempted: int
    put_off: list[str]


async def create_schedule(pool: Pool, keys: Safe, tenant_id: int, created_by: str, order: Order) -> Schedule:
    """Make a schedule. The same order again gives the schedule as it stands.

    Raises KeysUnavailable, and Refusal: `conflict` naming the field that differs under this id, `not_found` naming the
    account that the tenant does not have, `invalid_field`, `too_many_schedules`.
    """
    check_plan(order.plan)
    if order.payer == order.payee:
        raise Refusal("invalid_field", "Payer and payee must differ.", field="payee")
    async with in_tenant(pool, tenant_id) as connection:
        known = await connection.fetchrow(READ_SCHEDULE, tenant_id, order.id)
        if known is not None:
            return _same(order, await _opened(keys, tenant_id, known))
        strangers = await connection.fetch(FIND_STRANGERS, tenant_id, order.payer, order.payee)
        if strangers:
            raise Refusal("not_found", field=strangers[0]["field"])
        if await connection.fetchval(COUNT_GOING_ON, tenant_id, order.payer) >= SCHEDULES_MAX:
            raise Refusal("too_many_schedules")
        place, now = await _place(connection, tenant_id)
        first = next(occurrences(order.plan, place), None)
        if first is None:
            raise Refusal("invalid_field", "There is no date until then.", field="until")
        if first.due_at <= now:
            raise Refusal("invalid_field", "The time of the first date is over.", field="first_on")
        plan = order.plan
        made = await connection.fetchrow(
            INSERT_SCHEDULE,
            tenant_id,
            *order[:4],
            await _seal(connection, keys, tenant_id, created_by, order),
            plan.rule,
            plan.first_on,
            plan.at,
            plan.day,
            plan.on_closed,
            plan.until,
            plan.times,
            *order[6:],
            created_by,
            *first,
        )
        if made is None:
            made = await connection.fetchrow(READ_SCHEDULE, tenant_id, order.id)
            assert made is not None, "a row that stood in the way is there"
        return _same(order, await _opened(keys, tenant_id, made))


async def read_schedule(pool: Pool, keys: Safe, tenant_id: int, schedule_id: str) -> Schedule:
    """The schedule as it stands. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, READ_SCHEDULE, tenant_id, schedule_id)
    return await _opened(keys, tenant_id, row)


async def list_schedules(
    pool: Pool, keys: Safe, tenant_id: int, payer: int, after: str | None, limit: int
) -> list[Schedule]:
    """A payer's schedules, newest first, from the one after `after` on; none after one that is not the payer's."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_SCHEDULES, tenant_id, payer, after, limit)
    descriptions = await _descriptions(keys, [(tenant_id, row) for row in rows])
    return [_schedule(row, description) for row, description in zip(rows, descriptions, strict=True)]


async def read_outcomes(pool: Pool, tenant_id: int, schedule_id: str, limit: int) -> list[Outcome]:
    """The last attempts, the latest first."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Outcome(*row) for row in await connection.fetch(READ_OUTCOMES, tenant_id, schedule_id, limit)]


async def read_place(pool: Pool, tenant_id: int) -> Place:
    """Whose holidays and whose clock the tenant lives by."""
    async with in_tenant(pool, tenant_id) as connection:
        place, _ = await _place(connection, tenant_id)
    return place


def coming(schedule: Schedule, place: Place, limit: int) -> list[Occurrence]:
    """The next dates of an active schedule, the one that is being attempted first; none of another."""
    if schedule.due_at is None:
        return []
    current = Occurrence(schedule.number, schedule.day, schedule.due_at)
    return [current, *islice(occurrences(schedule.order.plan, place, after=current), limit - 1)]


async def pause_schedule(pool: Pool, keys: Safe, tenant_id: int, schedule_id: str) -> Schedule:
    """Let nothing be due until it is resumed; further attempts at a date that could not be paid are given up.

    Pausing a paused one changes nothing. Raises NotFound, or Refusal `schedule_over`.
    """
    async with in_tenant(pool, tenant_id) as connection:
        schedule = await _lock(connection, keys, tenant_id, schedule_id)
        return await _set(connection, tenant_id, schedule, ScheduleStatus.PAUSED, schedule.number, schedule.day, None)


async def resume_schedule(pool: Pool, keys: Safe, tenant_id: int, schedule_id: str) -> Schedule:
    """Go on with the first date that is still to come. Those missed meanwhile are not made up for, and they count.

    Resuming an active one changes nothing; without a date to come it is completed. Raises NotFound, or Refusal
    `schedule_over`.
    """
    async with in_tenant(pool, tenant_id) as connection:
        schedule = await _lock(connection, keys, tenant_id, schedule_id)
        if schedule.status == ScheduleStatus.ACTIVE:
            return schedule
        place, now = await _place(connection, tenant_id)
        # The date that was left is the first that may still be to come.
        left = Occurrence(schedule.number - 1, schedule.day - timedelta(days=1), now)
        for one in occurrences(schedule.order.plan, place, after=left):
            if one.due_at > now:
                return await _set(connection, tenant_id, schedule, ScheduleStatus.ACTIVE, *one)
        return await _set(
            connection, tenant_id, schedule, ScheduleStatus.COMPLETED, schedule.number, schedule.day, None
        )


async def cancel_schedule(pool: Pool, keys: Safe, tenant_id: int, schedule_id: str) -> Schedule:
    """End it for good: an attempt that a worker has begun is finished, and no other follows.

    Cancelling a cancelled one changes nothing. Raises NotFound, or Refusal `schedule_over` when it is completed.
    """
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, LOCK_SCHEDULE, tenant_id, schedule_id)
        schedule = await _opened(keys, tenant_id, row)
        if schedule.status == ScheduleStatus.CANCELLED:
            return schedule
        if schedule.status == ScheduleStatus.COMPLETED:
            raise Refusal("schedule_over")
        return await _set(
            connection, tenant_id, schedule, ScheduleStatus.CANCELLED, schedule.number, schedule.day, None
        )


async def pay_due(pool: Pool, keys: Safe, limit: int) -> Round:
    """Attempt up to `limit` schedules that are due, of all tenants, in one commit.

    Any number of workers may call it at once, and be killed at any instant. A schedule that cannot be attempted does
    not hold up the others: it is put off. Raises core's and asyncpg's errors: nothing was done, or (OutcomeUnknown)
    all of it, and calling again is right either way.
    """
    async with acquire(pool) as connection, without_doubt(connection), transaction(connection):
        claimed = await connection.fetch(CLAIM, limit)
        descriptions = await _descriptions(keys, [(row["tenant_id"], row) for row in claimed])
        due = list(zip(claimed, descriptions, strict=True))
        if not due or await _is_attempted(connection, keys, due):
            return Round(len(due), [])
        stuck = [one for one in due if not await _is_attempted(connection, keys, [one])]
        if stuck:
            ids = [row["id"] for row, _ in stuck]
            tenants = [row["tenant_id"] for row, _ in stuck]
            await connection.execute("select put_off_schedules($1, $2, $3)", tenants, ids, PUT_OFF)
        return Round(len(due), [row["id"] for row, _ in stuck])


async def _is_attempted(connection: Connection, keys: Safe, due: Sequence[Due]) -> bool:
    """Attempt these in a transaction within the caller's. False: one of them is at fault, and none was attempted."""
    try:
        async with connection.transaction():
            await _attempt(connection, keys, due)
    except (asyncpg.PostgresError, ArithmeticError, LookupError, ValueError) as error:
        if isinstance(error, asyncpg.PostgresError) and (is_race(error) or not is_payments_fault(error)):
            raise
        return False
    return True


async def _attempt(connection: Connection, keys: Safe, due: Sequence[Due]) -> None:
    payments = [_payment(*one) for one in due]
    postings = await post_payments(connection, payments, keys)
    after = [_after(row, posting.status) for (row, _), posting in zip(due, postings, strict=True)]
    for (row, _), payment, posting, (_, _, day, attempts, _) in zip(due, payments, postings, after, strict=True):
        # Nobody is there to be answered. One that is attempted again tomorrow may still be paid.
        if posting.status not in DONE and not (day == row["on_day"] and attempts):
            code = PaymentStatus(posting.status).name.lower()
            facts = Facts(at=datetime.now(UTC), amount=payment.amount, subject=row["id"], code=code)
            kind, to, once = NoticeKind.PAYMENT_REFUSED, row["created_by"], payment.id
            await leave(connection, row["tenant_id"], kind, to, facts, notice_id=once)
    await connection.execute(
        ADVANCE,
        [row["tenant_id"] for row, _ in due],
        [row["id"] for row, _ in due],
        [row["on_day"] for row, _ in due],
        [row["attempts"] + 1 for row, _ in due],
        [payment.id for payment in payments],
        [posting.status for posting in postings],
        *zip(*after, strict=True),
    )


def _payment(one: asyncpg.Record, description: str | None) -> Payment:
    """The payment of a schedule's next attempt. Each attempt has an id of its own: one that was refused stays so."""
    return Payment(
        one["tenant_id"],
        str(uuid5(UUID(int=one["seed"].int), f"{one['on_day']}/{one['attempts'] + 1}")),
        one["payer"],
        one["payee"],
        one["amount"],
        one["created_by"],
        description,
        metadata=json.dumps({"schedule": one["id"]}),
    )


def _after(one: asyncpg.Record, status: int) -> tuple[ScheduleStatus, int, date, int, datetime | None]:
    """Where a schedule stands after an attempt: status, number, day, attempts made, due (None: when it says)."""
    number, day, attempts = one["number"], one["on_day"], one["attempts"] + 1
    if status == PaymentStatus.INSUFFICIENT_FUNDS and attempts < one["attempts_max"]:
        return ScheduleStatus.ACTIVE, number, day, attempts, None
    place = Place(one["country"], one["time_zone"])
    following = next(occurrences(_plan(one), place, after=Occurrence(number, day, one["due_at"])), None)
    if following is None:
        return ScheduleStatus.COMPLETED, number, day, attempts, None
    if status in DONE or one["if_unpaid"] == IfUnpaid.SKIP:
        return ScheduleStatus.ACTIVE, following.number, following.day, 0, following.due_at
    return ScheduleStatus.PAUSED, following.number, following.day, 0, None


async def _place(connection: Connection, tenant_id: int) -> tuple[Place, datetime]:
    row = await connection.fetchrow(READ_PLACE, tenant_id)
    if row is None:
        raise NotFound
    return Place(row["country"], row["time_zone"]), row["now"]


async def _read(connection: Connection, query: str, tenant_id: int, schedule_id: str) -> asyncpg.Record:
    row = await connection.fetchrow(query, tenant_id, schedule_id)
    if row is None:
        raise NotFound
    return row


async def _lock(connection: Connection, keys: Safe, tenant_id: int, schedule_id: str) -> Schedule:
    """The schedule, kept from workers until the transaction ends. Raises Refusal when it does not go on."""
    schedule = await _opened(keys, tenant_id, await _read(connection, LOCK_SCHEDULE, tenant_id, schedule_id))
    if schedule.status not in {ScheduleStatus.ACTIVE, ScheduleStatus.PAUSED}:
        raise Refusal("schedule_over")
    return schedule


async def _seal(connection: Connection, keys: Safe, tenant_id: int, created_by: str, order: Order) -> bytes | None:
    """The description as it is kept."""
    if order.description is None:
        return None
    owner = await connection.fetchval(FIND_OWNER, tenant_id, order.payer)
    cipher = await keys.one(tenant_id, owner or created_by, create=True)
    return cipher.seal(*SCHEDULE_DESCRIPTION.at(order.id), order.description)


async def _opened(keys: Safe, tenant_id: int, row: asyncpg.Record) -> Schedule:
    return _schedule(row, (await _descriptions(keys, [(tenant_id, row)]))[0])


async def _descriptions(keys: Safe, rows: Sequence[tuple[int, asyncpg.Record]]) -> list[str | None]:
    """What rows with an owner and a description say, by (tenant, row): None of whoever was erased."""
    owners: dict[int, set[str]] = defaultdict(set)
    for tenant_id, row in rows:
        if row["description_sealed"] is not None:
            owners[tenant_id].add(row["owner"])
    ciphers = {tenant_id: await keys.of(tenant_id, persons) for tenant_id, persons in owners.items()}
    return [
        row["description"]
        if row["description_sealed"] is None
        else ciphers[tenant_id][row["owner"]].open(*SCHEDULE_DESCRIPTION.at(row["id"]), row["description_sealed"])
        for tenant_id, row in rows
    ]


async def _set(
    connection: Connection,
    tenant_id: int,
    schedule: Schedule,
    status: ScheduleStatus,
    number: int,
    day: date,
    due_at: datetime | None,
) -> Schedule:
    row = await connection.fetchrow(SET_STATE, tenant_id, schedule.order.id, status, number, day, due_at)
    assert row is not None, "a locked row is there"
    return _schedule(row, schedule.order.description)


def _same(order: Order, known: Schedule) -> Schedule:
    """The known schedule, if it was ordered like this. Raises Refusal."""
    if known.order == order:
        return known
    if known.order.payer != order.payer:
        # Somebody else's: nothing is told of it.
        raise Refusal("conflict", field="schedule")
    asked = {**order._asdict(), **order.plan._asdict()}
    found = {**known.order._asdict(), **known.order.plan._asdict()}
    differs = next(name for name in asked if name != "plan" and asked[name] != found[name])
    field = differs.removesuffix("_max")
    raise Refusal("conflict", f"This schedule exists with another {field}.", field=field)


def _plan(row: asyncpg.Record) -> Plan:
    return Plan(
        Rule(row["rule"]),
        row["first_on"],
        row["at"],
        row["day"],
        Closed(row["on_closed"]),
        row["until"],
        row["times"],
    )


def _schedule(row: asyncpg.Record, description: str | None) -> Schedule:
    order = Order(
        row["id"],
        row["payer"],
        row["payee"],
        row["amount"],
        description,
        _plan(row),
        row["attempts_max"],
        row["retry_after_s"],
        IfUnpaid(row["if_unpaid"]),
    )
    return Schedule(
        order,
        row["created_at"],
        ScheduleStatus(row["status"]),
        row["number"],
        row["on_day"],
        row["attempts"],
        row["due_at"],
    )

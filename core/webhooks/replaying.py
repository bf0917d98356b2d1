"""Told again: an account's events from one of them on, or one event by itself; and what was tried so far.

An event keeps its id, so that a receiver who took it knows it again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Refusal

# Of a page, and of events that were set aside.
ATTEMPTS_SHOWN_MAX: Final = 200
ASIDES_SHOWN_MAX: Final = 100

LOCK: Final = "select person_id::text, state from webhooks where tenant_id = $1 and id = $2 for no key update"
STREAMS: Final = """
select account_id, number from webhook_cursors
 where tenant_id = $1 and webhook_id = $2 and only_number = 0 and ($3::bigint is null or account_id = $3)
 order by account_id
"""
NUMBER_AT: Final = "select find_number_at($1, $2, $3)"
SET_BACK: Final = """
update webhook_cursors
   set number = $4, tries = 0, failed_at = null, again_at = null, code = null, after_gap = false,
       due_at = case when $5 then clock_timestamp() else 'infinity'::timestamptz end, lease = null, leased_until = null
 where tenant_id = $1 and webhook_id = $2 and account_id = $3 and only_number = 0
"""
# What the stream tells again is set aside no longer.
FORGET_ASIDES: Final = """
delete from webhook_cursors where tenant_id = $1 and webhook_id = $2 and account_id = $3 and only_number > $4
"""
ONE: Final = """
insert into webhook_cursors (tenant_id, webhook_id, account_id, only_number, number, due_at)
values ($1, $2, $3, $4::bigint, $4::bigint - 1, case when $5 then clock_timestamp() else 'infinity'::timestamptz end)
    on conflict (tenant_id, webhook_id, account_id, only_number) do update
   set due_at = excluded.due_at, is_aside = false, tries = 0, failed_at = null, again_at = null, code = null,
       lease = null, leased_until = null
"""
ATTEMPTS: Final = """
select id, account_id, number, event_id::text, event, at, took_ms, status, code, tries
  from webhook_attempts
 where tenant_id = $1 and webhook_id = $2 and ($3::bigint is null or id < $3)
 order by id desc
 limit $4
"""
# What the servers of these people were told of these events, within the week that is kept.
ATTEMPTS_OF: Final = """
select attempts.webhook_id::text, attempts.id, attempts.account_id, attempts.number, attempts.event_id::text,
       attempts.event, attempts.at, attempts.took_ms, attempts.status, attempts.code, attempts.tries
  from webhooks
  join webhook_attempts as attempts on attempts.tenant_id = $1 and attempts.webhook_id = webhooks.id
 where webhooks.tenant_id = $1 and webhooks.person_id = any ($2::uuid[])
   and (attempts.account_id, attempts.number) in (select * from unnest($3::bigint[], $4::bigint[]))
 order by attempts.at, attempts.id
 limit $5
"""
ASIDES: Final = """
select account_id, only_number, failed_at, code
  from webhook_cursors
 where tenant_id = $1 and webhook_id = $2 and is_aside
 order by account_id, only_number
 limit $3
"""


class Attempt(NamedTuple):
    """One try. `tries`: which of its event's it was. `status` None: nobody answered."""

    id: int
    account: int
    number: int
    event_id: str
    event: str
    at: datetime
    took_ms: int
    status: int | None
    code: str
    tries: int


class Aside(NamedTuple):
    """An event that was refused too often, and waits for somebody to replay it."""

    account: int
    number: int
    at: datetime
    code: str


async def read_attempts_of(
    pool: Pool, tenant_id: int, persons: Sequence[str], events: Sequence[tuple[int, int]]
) -> list[tuple[str, Attempt]]:
    """What was tried to tell these people's webhooks of these events, (account, number) each, with the webhook."""
    accounts, numbers = [one[0] for one in events], [one[1] for one in events]
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(ATTEMPTS_OF, tenant_id, persons, accounts, numbers, ATTEMPTS_SHOWN_MAX)
    return [(row[0], Attempt(*row[1:])) for row in rows]


async def replay_from(
    pool: Pool,
    tenant_id: int,
    webhook_id: str,
    by: By,
    *,
    account: int | None = None,
    number: int | None = None,
    since: datetime | None = None,
    whose: str | None = None,
) -> list[tuple[int, int]]:
    """Tell events again, from `number` on of the account, or from a moment on, of it or of all: (account, number) each.

    Raises NotFound, and Refusal `cursor_out_of_range` for an event that was not told yet: it comes by itself.
    """
    async with in_tenant(pool, tenant_id) as connection:
        is_active = await _lock(connection, tenant_id, webhook_id, whose)
        rows = await connection.fetch(STREAMS, tenant_id, webhook_id, account)
        if account is not None and not rows:
            raise Refusal("not_found", field="account")
        told = []
        for found, last in rows:
            if number is None:
                before: int = await connection.fetchval(NUMBER_AT, tenant_id, found, since)
            else:
                before = number - 1
            if before >= last:
                if number is not None:
                    raise Refusal("cursor_out_of_range", field="number")
                continue
            await connection.execute(SET_BACK, tenant_id, webhook_id, found, before, is_active)
            await connection.execute(FORGET_ASIDES, tenant_id, webhook_id, found, before)
            told.append((found, before + 1))
        details = {"from": [[*one] for one in told]}
        await note(connection, tenant_id, by, Act.WEBHOOK_REPLAYED, webhook_id, details=details)
    return told


async def replay_one(
    pool: Pool, tenant_id: int, webhook_id: str, account: int, number: int, by: By, *, whose: str | None = None
) -> list[tuple[int, int]]:
    """Tell one event again, beside the stream. Raises as `replay_from`."""
    async with in_tenant(pool, tenant_id) as connection:
        is_active = await _lock(connection, tenant_id, webhook_id, whose)
        rows = await connection.fetch(STREAMS, tenant_id, webhook_id, account)
        if not rows:
            raise Refusal("not_found", field="account")
        if number > rows[0]["number"]:
            raise Refusal("cursor_out_of_range", field="number")
        await connection.execute(ONE, tenant_id, webhook_id, account, number, is_active)
        details = {"one": [account, number]}
        await note(connection, tenant_id, by, Act.WEBHOOK_REPLAYED, webhook_id, details=details)
    return [(account, number)]


async def read_attempts(
    pool: Pool, tenant_id: int, webhook_id: str, before: int | None, limit: int, *, whose: str | None = None
) -> tuple[list[Attempt], list[Aside]]:
    """What was tried, newest first, before the attempt with this id; and what was set aside. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        await _lock(connection, tenant_id, webhook_id, whose)
        attempts = await connection.fetch(ATTEMPTS, tenant_id, webhook_id, before, limit)
        asides = await connection.fetch(ASIDES, tenant_id, webhook_id, ASIDES_SHOWN_MAX)
    return [Attempt(*row) for row in attempts], [Aside(*row) for row in asides]


async def _lock(connection: Connection, tenant_id: int, webhook_id: str, whose: str | None) -> bool:
    """Whether it is active. Raises NotFound."""
    row = await connection.fetchrow(LOCK, tenant_id, webhook_id)
    if row is None or whose not in {None, row["person_id"]}:
        raise NotFound
    return bool(row["state"] == 0)

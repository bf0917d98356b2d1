"""Empties the outbox. Each call is one transaction, and any number of workers may make it at once."""

from datetime import timedelta
from typing import Final, NamedTuple

from core.database import Pool, acquire, in_tenant
from core.notices.kinds import NoticeKind
from core.notices.ladder import LADDERS, first_rung

READ_AGE: Final = """
select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 from outbox where tenant_id = $1
"""
NOTE: Final = "select batches, noted from note_unheard($1, $2, $3, $4)"


class Noted(NamedTuple):
    """Batches taken from the outbox, and notices made of them."""

    batches: int
    notices: int


class OutboxState(NamedTuple):
    """How far the workers are behind."""

    batches: int
    oldest_s: float
    notices: int
    unlogged: int
    unlogged_oldest_s: float


async def note_unheard(pool: Pool, patience: timedelta, limit: int) -> Noted:
    """Turn what moved and was not acknowledged within `patience` into notices; they climb when their ladders say."""
    sockets = [ladder.socket_s for ladder in LADDERS.values()]
    async with acquire(pool) as connection:
        row = await connection.fetchrow(
            "select batches, noted from note_unheard($1, $2, $3, $4)", patience, limit, list(LADDERS), sockets
        )
    assert row is not None
    return Noted(*row)


async def forget_heard(pool: Pool, limit: int) -> int:
    """Remove notices of events that were acknowledged after all, and have phones show them no longer."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval("select forget_heard($1)", limit)
    return count


async def warn_of_holds(pool: Pool, within: timedelta, limit: int) -> int:
    """Tell payees of holds that are about to end, once each; how many."""
    kind = NoticeKind.HOLD_EXPIRING
    async with acquire(pool) as connection:
        count: int = await connection.fetchval(
            "select warn_of_holds($1, $2, $3, $4, $5)", within, limit, kind, first_rung(kind), LADDERS[kind].socket_s
        )
    return count


async def read_outbox_state(pool: Pool) -> OutboxState:
    """For operators: all tenants together."""
    async with acquire(pool) as connection:
        row = await connection.fetchrow("select * from read_outbox_state()")
    assert row is not None
    return OutboxState(*row)


async def read_outbox_age(pool: Pool, tenant_id: int) -> float:
    """For how many seconds the oldest of a tenant's batches has waited for a worker."""
    async with in_tenant(pool, tenant_id) as connection:
        age: float = await connection.fetchval(READ_AGE, tenant_id)
    return max(age, 0.0)

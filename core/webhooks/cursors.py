"""How far each account's events have been told at each webhook: woken, claimed, settled. All tenants together.

A claim is a worker's for a while. Whoever is killed with one loses it, and what they had brought and not settled is
brought again by the next worker, under the same id.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.audit.trail import NOBODY, Act, note
from core.database import Connection, Pool, acquire, in_tenant
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.webhooks.schedule import Failing, Next
from core.webhooks.sending import Sent
from core.webhooks.states import Code, State

# Longer than the slowest answer that is waited for, and what is done after it.
LEASE: Final = timedelta(seconds=40)
# One of a hundred accounts of a chain is not to fill a server that took eight at once.
PER_WEBHOOK: Final = 8
# A tenant whose servers all hang leaves the others room.
PER_TENANT: Final = 64
ATTEMPTS_KEPT: Final = timedelta(days=7)
# Of one webhook; a day of a busy one would be millions.
ATTEMPTS_MAX: Final = 1_000

# What the database calls infinity: until somebody does something about it.
FAR: Final = datetime.max

CLAIM: Final = """
select tenant_id, webhook_id::text, account_id, only_number, lease::text, number, after_gap, tries, failed_at, again_at,
       person_id::text, url_sealed, secret_sealed, old_secret_sealed, events, fails, last_taken_at, asides_in_row,
       code
  from claim_webhooks($1, $2, $3, $4, $5)
"""
SETTLE: Final = f"select settle_webhook({', '.join(f'${at}' for at in range(1, 21))})"  # numbers


class Claim(NamedTuple):
    """A cursor with something to tell. `only` 0: the account's stream from `number` on; else that one event alone."""

    tenant_id: int
    webhook_id: str
    account: int
    only: int
    lease: str
    number: int
    after_gap: bool
    tries: int
    failed_at: datetime | None
    again_at: datetime | None
    person_id: str
    url_sealed: bytes
    secret_sealed: bytes
    old_secret_sealed: bytes | None
    events: Sequence[str] | None
    fails: int
    last_taken_at: datetime | None
    asides_in_row: int
    code: str | None

    @property
    def refusals(self) -> int:
        """How often the next event was refused by itself."""
        return self.tries if self.code == Code.REFUSED else 0

    @property
    def failing(self) -> Failing:
        """How its place failed."""
        if self.code == Code.REFUSED:
            return Failing(0, self.failed_at, None)
        return Failing(self.tries, self.failed_at, self.again_at)


class Tried(NamedTuple):
    """An attempt: which event it was about, and what came of it."""

    number: int
    event_id: str
    event: str
    sent: Sent


async def wake(pool: Pool, at: datetime) -> int:
    """Let cursors be due whose accounts have moved; how many."""
    return await _count(pool, "select wake_webhooks($1)", at)


async def spread(pool: Pool) -> int:
    """Follow accounts that were opened since; how many."""
    return await _count(pool, "select spread_webhooks()")


async def forget_attempts(pool: Pool, limit: int) -> int:
    """Remove attempts that are kept no longer; how many."""
    return await _count(pool, "select forget_webhook_attempts($1, $2, $3)", ATTEMPTS_KEPT, ATTEMPTS_MAX, limit)


async def claim(pool: Pool, at: datetime, limit: int) -> list[Claim]:
    """Cursors with something to tell, tenants in turn."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(CLAIM, at, limit, PER_WEBHOOK, PER_TENANT, LEASE)
    return [Claim(*row) for row in rows]


async def settle_taken(pool: Pool, claim: Claim, at: datetime, tried: Tried, *, heals: bool, goes_on: bool) -> bool:
    """The event was taken. False: the claim is somebody else's, or none any more."""
    keeps = LEASE if goes_on and not claim.only else None
    async with acquire(pool) as connection:
        return await _settle(connection, claim, at, "taken", tried.number, at, tried, keeps=keeps, heals=heals)


async def settle_passed(pool: Pool, claim: Claim, at: datetime, number: int) -> bool:
    """No event up to `number` is wanted there."""
    async with acquire(pool) as connection:
        return await _settle(connection, claim, at, "passed", number, at, keeps=LEASE)


async def give_back(pool: Pool, claim: Claim, at: datetime, due_at: datetime | None) -> bool:
    """Nothing was tried: again at `due_at`; None: there is nothing to tell."""
    async with acquire(pool) as connection:
        return await _settle(connection, claim, at, "given_back", claim.number, due_at)


async def settle_refused(pool: Pool, claim: Claim, at: datetime, tried: Tried, due_at: datetime, heals: bool) -> bool:
    """This event was not taken: again at `due_at`."""
    async with acquire(pool) as connection:
        return await _settle(
            connection, claim, at, "refused", tried.number, due_at, tried, again_at=due_at, counts=True, heals=heals
        )


async def set_aside(pool: Pool, claim: Claim, at: datetime, tried: Tried, heals: bool) -> bool:
    """This event will not be taken: the next one."""
    due_at = FAR if claim.only else at
    async with acquire(pool) as connection:
        return await _settle(connection, claim, at, "set_aside", tried.number, due_at, tried, counts=True, heals=heals)


async def settle_failed(
    pool: Pool, claim: Claim, at: datetime, tried: Tried, following: Next, free_at: datetime
) -> bool:
    """Nothing is taken there now."""
    async with acquire(pool) as connection:
        return await _settle(
            connection,
            claim,
            at,
            "failed",
            tried.number,
            following.due_at,
            tried,
            again_at=following.again_at,
            counts=following.counts,
            free_at=free_at,
        )


async def disable(pool: Pool, claim: Claim, at: datetime, state: State, tried: Tried | None) -> bool:
    """Bring nothing there any more, and tell the merchant. What was not told is kept for when it is enabled again."""
    async with in_tenant(pool, claim.tenant_id) as connection:
        number = claim.number if tried is None else tried.number
        is_done = await _settle(
            connection, claim, at, "disabled", number, FAR, tried, state=state, counts=tried is not None
        )
        if is_done:
            why = state.name.lower()
            await note(
                connection, claim.tenant_id, NOBODY, Act.WEBHOOK_DISABLED, claim.webhook_id, details={"state": why}
            )
            facts = Facts(at, subject=claim.webhook_id, code=why)
            await leave(connection, claim.tenant_id, NoticeKind.WEBHOOK_DISABLED, claim.person_id, facts)
    return is_done


async def _settle(
    connection: Connection,
    claim: Claim,
    at: datetime,
    outcome: str,
    number: int,
    due_at: datetime | None,
    tried: Tried | None = None,
    *,
    keeps: timedelta | None = None,
    counts: bool = False,
    again_at: datetime | None = None,
    free_at: datetime | None = None,
    state: State | None = None,
    heals: bool = False,
) -> bool:
    sent = None if tried is None else tried.sent
    is_done: bool = await connection.fetchval(
        SETTLE,
        claim.tenant_id,
        claim.webhook_id,
        claim.account,
        claim.only,
        claim.lease,
        at,
        outcome,
        number,
        due_at,
        keeps,
        counts,
        again_at,
        free_at,
        state,
        heals,
        tried and tried.event_id,
        tried and tried.event,
        sent and sent.took_ms,
        sent and sent.status,
        None if sent is None else sent.code.value,
    )
    return is_done


async def _count(pool: Pool, statement: str, *given: object) -> int:
    async with acquire(pool) as connection:
        count: int = await connection.fetchval(statement, *given)
    return count

"""Between the two steps of a log-in: the password was right, and a second factor is still to come.

A ticket lets nobody in. It lasts minutes, allows a few tries, and is worth one log-in; it is stored by its hash alone.
"""

import datetime
import hashlib
import re
import secrets
from typing import NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, acquire, in_tenant
from core.errors import CoreError

TICKET_PREFIX = "pht_"
TICKET = re.compile(r"pht_[A-Za-z0-9_-]{43}")
TICKET_LIFETIME = datetime.timedelta(minutes=5)
# Who mistypes a code twice takes another one from the app; more is guessing.
ATTEMPTS_MAX = 5

ISSUE = """
insert into log_in_tickets (tenant_id, hash, person_id, device_id, expires_at, attempts_left)
values ($1, $2, $3, $4, coalesce($5, now()) + $6, $7)
"""
TRY = """
update log_in_tickets set attempts_left = attempts_left - 1
 where tenant_id = $1 and hash = $2 and attempts_left > 0 and used_at is null and expires_at > coalesce($3, now())
returning person_id::text, device_id::text
"""
USE = "update log_in_tickets set used_at = now() where tenant_id = $1 and hash = $2 and used_at is null returning true"

VOID = "update log_in_tickets set used_at = now() where tenant_id = $1 and person_id = $2 and used_at is null"


class Ticket(NamedTuple):
    """Who is half way in, and from which known device, if from one."""

    person_id: str
    device_id: str | None


class TicketRefused(CoreError):
    """The log-in took too long or too many tries, or is done. Begin again."""


async def issue_ticket(
    pool: Pool,
    tenant_id: int,
    person_id: str,
    device_id: str | None,
    network: str | None,
    *,
    now: datetime.datetime | None = None,
) -> str:
    """A ticket for whoever has just given the right password. That it was given is written down."""
    ticket = TICKET_PREFIX + secrets.token_urlsafe(32)
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(
            ISSUE, tenant_id, _hash(ticket), person_id, device_id, now, TICKET_LIFETIME, ATTEMPTS_MAX
        )
        await note(connection, tenant_id, By(network=network), Act.PASSWORD_PROVED, person_id)
    return ticket


async def try_ticket(pool: Pool, tenant_id: int, ticket: str, *, now: datetime.datetime | None = None) -> Ticket:
    """Count one of the ticket's tries, before it is looked at. Raises TicketRefused."""
    row = None
    if TICKET.fullmatch(ticket) is not None:
        async with in_tenant(pool, tenant_id) as connection:
            row = await connection.fetchrow(TRY, tenant_id, _hash(ticket), now)
    if row is None:
        raise TicketRefused
    return Ticket(*row)


async def use_ticket(connection: Connection, tenant_id: int, ticket: str) -> None:
    """It has become a session, in the connection's transaction. Raises TicketRefused when it was one already."""
    if not await connection.fetchval(USE, tenant_id, _hash(ticket)):
        raise TicketRefused


async def void_tickets(connection: Connection, tenant_id: int, person_id: str) -> None:
    """Let nobody go on who is half way in as this person."""
    await connection.execute(VOID, tenant_id, person_id)


async def forget_tickets(pool: Pool, limit: int) -> int:
    """Remove tickets, and answered challenges, whose time is over. Returns how many."""
    async with acquire(pool) as connection:
        gone: int = await connection.fetchval("select forget_tickets($1)", limit)
    return gone


def mark_of(ticket: str) -> str:
    """What a passkey's challenge of this log-in is made for: nobody can answer it in another one."""
    return _hash(ticket).hex()


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode(errors="surrogatepass")).digest()

"""How people want to be told, and how their tenant lets notices climb: read and set, and written down when set."""

from datetime import time
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Pool, in_tenant
from core.errors import Refusal
from core.notices.kinds import FAMILIES, Family, NoticeKind
from core.notices.ladder import CAN_WAIT, LADDERS, Ladder

READ: Final = (
    "select language, quiet_from, quiet_to, muted from notice_settings where tenant_id = $1 and person_id = $2"
)
SET: Final = """
insert into notice_settings (tenant_id, person_id, language, quiet_from, quiet_to, muted)
values ($1, $2, $3, $4, $5, $6)
    on conflict (tenant_id, person_id) do update
   set language = excluded.language, quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to,
       muted = excluded.muted, set_at = now()
"""
READ_LADDERS: Final = "select kind, socket_s, push_s, has_push, has_mail from ladders where tenant_id = $1"
SET_LADDER: Final = """
insert into ladders (tenant_id, kind, socket_s, push_s, has_push, has_mail, set_by) values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (tenant_id, kind) do update
   set socket_s = excluded.socket_s, push_s = excluded.push_s, has_push = excluded.has_push,
       has_mail = excluded.has_mail, set_at = now(), set_by = excluded.set_by
"""
# What is never dropped needs a road.
INSISTENT: Final = frozenset({Family.MONEY, Family.SECURITY})


class Wishes(NamedTuple):
    """A person's. None: as the tenant has it. Quiet hours are in the tenant's time zone."""

    language: str | None = None
    quiet_from: time | None = None
    quiet_to: time | None = None
    muted: frozenset[NoticeKind] = frozenset()


async def read_wishes(pool: Pool, tenant_id: int, person_id: str) -> Wishes:
    """How somebody wants to be told."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, person_id)
    if row is None:
        return Wishes()
    language, quiet_from, quiet_to, muted = row
    return Wishes(language, quiet_from, quiet_to, frozenset(map(NoticeKind, muted)))


async def set_wishes(pool: Pool, tenant_id: int, person_id: str, wishes: Wishes) -> None:
    """Have it so from now on. Raises Refusal for what cannot be turned off, and for half of a night."""
    if not wishes.muted <= CAN_WAIT:
        raise Refusal("invalid_field", "Money and warnings cannot be turned off.", field="muted")
    if (wishes.quiet_from is None) != (wishes.quiet_to is None):
        raise Refusal("invalid_field", "Quiet hours have a beginning and an end.", field="quiet_to")
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(
            SET, tenant_id, person_id, wishes.language, wishes.quiet_from, wishes.quiet_to, sorted(wishes.muted)
        )


async def read_ladders(pool: Pool, tenant_id: int) -> dict[NoticeKind, Ladder]:
    """The kinds of which the tenant says itself how they climb; all others are as LADDERS has them."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_LADDERS, tenant_id)
    return {NoticeKind(kind): Ladder(*rest) for kind, *rest in rows}


async def set_ladder(pool: Pool, tenant_id: int, kind: NoticeKind, ladder: Ladder, by: By) -> None:
    """Let a kind climb so. Raises Refusal for a code, whose way is its contact, and for what would have no road."""
    if not LADDERS[kind].has_push:
        raise Refusal("invalid_field", "It goes to one contact, at once.", field="kind")
    if FAMILIES[kind] in INSISTENT and not (ladder.has_push or ladder.has_mail):
        raise Refusal("invalid_field", "Money and warnings need a road besides the socket.", field="has_mail")
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(SET_LADDER, tenant_id, kind, *ladder, by.person_id)
        details = {"kind": kind.name.lower(), **ladder._asdict()}
        await note(connection, tenant_id, by, Act.LADDER_SET, kind.name.lower(), details=details)

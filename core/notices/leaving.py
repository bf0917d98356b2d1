"""Leaves a notice for a person that is not an event of an account, in the transaction of what it tells of.

It has a number in the person's own stream, by which their sockets are told of it and acknowledge it; a code has none,
because it is for one contact and nobody's list. What is personal of it is sealed under the person's key; all else is
figures and ids (core/notices/facts.py).
"""

import uuid
from datetime import UTC, datetime, timedelta

import msgspec

from core.audit.trail import By
from core.database import Connection, Pool, acquire
from core.keys.cipher import Cipher
from core.keys.places import NOTICE_CONTENT
from core.notices.facts import Facts
from core.notices.kinds import FAMILIES, Family, NoticeKind
from core.notices.ladder import LADDERS, first_rung

LEAVE = "select leave_notice($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13)"


async def leave(
    connection: Connection,
    tenant_id: int,
    kind: NoticeKind,
    person_id: str,
    facts: Facts | None = None,
    *,
    session_id: str | None = None,
    contact: tuple[int, int] | None = None,
    notice_id: str | None = None,
) -> int | None:
    """Leave a notice for a person; its number in their stream, or None if it has none or there is no such person.

    `session_id`: the session that did it. `contact`: (field, number), if it has to be that one. `notice_id`: chosen by
    whoever may come here twice with the same; the second time changes nothing.
    """
    return await _leave(
        connection, tenant_id, notice_id or str(uuid.uuid4()), kind, person_id, facts, None, session_id, contact, None
    )


async def warn(
    connection: Connection, tenant_id: int, kind: NoticeKind, person_id: str, by: By, code: str | None = None
) -> None:
    """Leave a warning of what `by` did, in the transaction in which they did it. `code`: which sort of thing it was."""
    facts = Facts(at=datetime.now(UTC), network=by.network, code=code)
    await leave(connection, tenant_id, kind, person_id, facts, session_id=by.session_id)


async def leave_code(
    connection: Connection,
    tenant_id: int,
    cipher: Cipher,
    contact: tuple[int, int],
    code: str,
    lasts: timedelta,
) -> None:
    """Leave a code for the contact (field, number) of the cipher's person, in the connection's transaction."""
    notice_id = str(uuid.uuid4())
    sealed = cipher.seal(*NOTICE_CONTENT.at(notice_id), code)
    kind = NoticeKind.CONTACT_CODE
    await _leave(connection, tenant_id, notice_id, kind, cipher.person_id, None, sealed, None, contact, lasts)


async def forget_late(pool: Pool, limit: int) -> int:
    """Remove what is too late to tell, and codes that nobody can use. Returns how many, of the more numerous."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval("select forget_late($1)", limit)
    return count


async def _leave(
    connection: Connection,
    tenant_id: int,
    notice_id: str,
    kind: NoticeKind,
    person_id: str,
    facts: Facts | None,
    sealed: bytes | None,
    session_id: str | None,
    contact: tuple[int, int] | None,
    lasts: timedelta | None,
) -> int | None:
    field, number = contact or (None, None)
    bell: int | None = await connection.fetchval(
        LEAVE,
        tenant_id,
        notice_id,
        kind,
        person_id,
        field,
        number,
        sealed,
        lasts,
        session_id,
        None if facts is None else msgspec.json.encode(facts).decode(),
        FAMILIES[kind] is not Family.CODE,
        first_rung(kind),
        LADDERS[kind].socket_s,
    )
    return bell

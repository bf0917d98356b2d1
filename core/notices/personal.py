"""What a person is told that is not about money: a code, a warning that somebody used what is theirs.

The row holds what a worker needs to tell it: to whom, over which contact, and, sealed under the person's key, what. It
is gone when it was told, or is too late to tell. It never holds anything personal that is not sealed.
"""

import uuid
from datetime import timedelta
from typing import Final

from core.database import Connection, Pool, acquire
from core.keys.cipher import Cipher
from core.keys.places import NOTICE_CONTENT
from core.notices.kinds import NoticeKind

LEAVE = "select leave_notice($1, $2, $3, $4, $5, $6, $7, $8)"
# A warning that nobody could send for so long is none any more.
WARNING_LASTS: Final = timedelta(days=7)


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
    await connection.execute(
        LEAVE, tenant_id, notice_id, NoticeKind.CONTACT_CODE, cipher.person_id, *contact, sealed, lasts
    )


async def leave_warning(
    connection: Connection, tenant_id: int, kind: NoticeKind, person_id: str, contact: tuple[int, int] | None
) -> None:
    """Leave a warning for a person. `contact` None: over whichever they have."""
    field, number = contact or (None, None)
    await connection.execute(LEAVE, tenant_id, str(uuid.uuid4()), kind, person_id, field, number, None, WARNING_LASTS)


async def forget_late(pool: Pool, limit: int) -> int:
    """Remove what is too late to tell, and codes that nobody can use. Returns how many, of the more numerous."""
    async with acquire(pool) as connection:
        count: int = await connection.fetchval("select forget_late($1)", limit)
    return count

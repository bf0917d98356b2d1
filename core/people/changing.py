"""A person's own new password. Whether they may choose it, core/people/passwords.py says.

A password that is forgotten is not changed here: that takes a code that reaches its person some other way, and nothing
delivers one yet. When something does, its place is beside this: a code that works once, this function, and no oracle.
"""

from core.audit.trail import Act, By, note
from core.database import Pool, in_tenant
from core.errors import NotFound
from core.notices.kinds import NoticeKind
from core.notices.leaving import warn
from core.people.credentials import check_own_password, hash_password
from core.people.sessions import Ending, revoke_others
from core.people.throttles import Count, count_attempt, forgive_in
from core.people.tickets import void_tickets

CHANGE = """
update credentials set password_hash = $3, updated_at = now() where tenant_id = $1 and person_id = $2 returning true
"""


async def change_password(
    pool: Pool, tenant_id: int, by: By, password: str, old: str | None, count: Count
) -> list[str]:
    """Set the person's password and end their other sessions, in one commit. Gives which.

    `old`: None where its person has stepped up instead. Raises ProofRefused when the old one is wrong, NotFound for who
    has no login, ValueError when a password's length is out of bounds, Throttled.
    """
    assert by.person_id is not None
    if old is not None:
        await count_attempt(pool, count)
        await check_own_password(pool, tenant_id, by.person_id, old)
    # Hashed before the transaction: its fifty milliseconds hold no connection.
    password_hash = await hash_password(password)
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(CHANGE, tenant_id, by.person_id, password_hash):
            raise NotFound
        if old is not None:
            await forgive_in(connection, count)
        # Whoever is half way in came by the old one.
        await void_tickets(connection, tenant_id, by.person_id)
        await note(connection, tenant_id, by, Act.PASSWORD_CHANGED, by.person_id)
        await warn(connection, tenant_id, NoticeKind.PASSWORD_CHANGED, by.person_id, by)
        return await revoke_others(connection, tenant_id, by.person_id, by, Ending.PASSWORD_CHANGED)

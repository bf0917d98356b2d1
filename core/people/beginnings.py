"""All that the beginning of a session has to know, in one round trip: thousands begin at once after a hub has ended."""

from typing import Final, NamedTuple

from core.database import Pool, acquire
from core.errors import NotFound
from core.nouns import Account
from core.people.persons import Name, PersonStatus, Role
from core.people.standing import Standing

READ: Final = "select * from read_beginning($1, $2, $3)"


class Beginning(NamedTuple):
    """Who begins. `is_over`: the session has ended (core.people.sessions). `began_at`: see read_session_start there.

    `bell`: the number of their last notice.
    """

    is_over: bool
    role: Role
    standing: Standing
    name: Name
    began_at: int | None
    bell: int
    accounts: list[Account]


async def read_beginning(pool: Pool, tenant_id: int, person_id: str, session_id: str) -> Beginning:
    """All of one moment. Raises NotFound, also for another tenant's person."""
    async with acquire(pool) as connection:
        row = await connection.fetchrow(READ, tenant_id, person_id, session_id)
    if row is None:
        raise NotFound
    is_over, role, status, is_paid, pays, plain, sealed, began_at, bell, *columns = row
    accounts = zip(*columns, strict=True) if columns[0] is not None else ()
    return Beginning(
        is_over,
        Role(role),
        Standing(PersonStatus(status), is_paid, pays),
        Name(person_id, plain, sealed),
        began_at,
        bell,
        [Account(id_, person_id, *rest) for id_, *rest in accounts],
    )

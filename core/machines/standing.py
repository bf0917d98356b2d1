"""What a machine's session may do now, whatever its token was given for."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from core.database import Pool, in_tenant

READ: Final = """
select networks::text[], null::bigint from api_keys where tenant_id = $1 and id = $2
union all
select null, account_id from terminals where tenant_id = $1 and session_id = $2
union all
select null, null from sessions where tenant_id = $1 and id = $2 and seat_id is not null
"""


class Standing(NamedTuple):
    """Where a key may be used from (None: anywhere), and the one account that a till may use (None: all)."""

    networks: Sequence[str] | None
    account: int | None


async def read_standing(pool: Pool, tenant_id: int, session_id: str) -> Standing | None:
    """The standing of the key, till or seat whose session this is; None: it is nobody's."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, session_id)
    return None if row is None else Standing(*row)

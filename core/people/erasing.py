"""A person is erased: from then on nobody can read what was personal, wherever a copy of it lies.

Whether the law obliges to keep it is for the caller to know, and so is what becomes of the accounts: the books keep an
id that tells nobody anything.
"""

from core.audit.trail import By
from core.database import Pool, in_tenant
from core.errors import NotFound, Unavailable
from core.keys import erasing
from core.keys.safe import Safe
from core.keys.sealing import has_plain
from core.keys.store import Destroyed

IS_THERE = "select true from persons where tenant_id = $1 and id = $2"
# A keyed hash is a person's, too, and its key is the whole tenant's: it goes with the row.
FORGET_CREDENTIALS = "delete from credentials where tenant_id = $1 and person_id = $2"


class NotSealedYet(Unavailable):
    """Some of this person's data is from before there were keys: `payhub keys seal` seals it."""


async def erase_person(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str, by: By, why: str | None = None
) -> Destroyed:
    """Destroy a person's keys, and forget how they logged in: within a second it is so everywhere, and again no change.

    Raises NotFound. Raises NotSealedYet when a key would not be enough: nothing was done. Raises Unavailable: nothing
    was done, or not all; OutcomeUnknown: ask again, in either case.
    """
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetchval(IS_THERE, tenant_id, person_id):
            raise NotFound("There is no such person in this tenant.")
    if await has_plain(pool, tenant_id, person_id):
        raise NotSealedYet
    destroyed = await erasing.erase(pool, keys, tenant_id, person_id, by, why)
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(FORGET_CREDENTIALS, tenant_id, person_id)
    return destroyed

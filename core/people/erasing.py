"""A person is erased: from then on nobody can read what was personal, wherever a copy of it lies.

Whether the law obliges to keep it is for the caller to know, and so is what becomes of the accounts: the books keep an
id that tells nobody anything.
"""

from core.audit.trail import Act, By, note
from core.database import Pool, in_tenant
from core.errors import NotFound, Unavailable
from core.keys import erasing
from core.keys.safe import Safe
from core.keys.sealing import has_plain
from core.keys.store import Destroyed

IS_THERE = "select true from persons where tenant_id = $1 and id = $2"
# A keyed hash is a person's, too, and its key is the whole tenant's: it goes with the row.
FORGET_CREDENTIALS = "delete from credentials where tenant_id = $1 and person_id = $2"
FORGET_PERSON = "select forget_person($1, $2)"
FORGET_IDENTITIES = "delete from external_identities where tenant_id = $1 and person_id = $2"
# Machines speak for nobody who is not there.
END_MACHINES = """
with keys as (
    update api_keys set revoked_at = now() where tenant_id = $1 and person_id = $2 and revoked_at is null
), tills as (
    update terminals set revoked_at = now() where tenant_id = $1 and person_id = $2 and revoked_at is null
)
update sessions set revoked_at = now()
 where tenant_id = $1 and person_id = $2 and is_machines and revoked_at is null
returning id::text
"""


class NotSealedYet(Unavailable):
    """Some of this person's data is from before there were keys: `payhub keys seal` seals it."""


async def erase_person(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str, by: By, why: str | None = None
) -> Destroyed:
    """Destroy a person's keys, and forget what finds them and how they came in.

    Within a second it is so everywhere, and again no change.

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
        await connection.execute(FORGET_PERSON, tenant_id, person_id)
        await connection.execute(FORGET_IDENTITIES, tenant_id, person_id)
        for (session_id,) in await connection.fetch(END_MACHINES, tenant_id, person_id):
            await note(connection, tenant_id, by, Act.SESSION_ENDED, session_id, why)
    return destroyed

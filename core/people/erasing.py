"""A person is erased: from then on nobody can read what was personal, wherever a copy of it lies, nor speak for them.

This is the deed alone, and core/privacy/erasures.py does it: whether the law obliges to keep anything, what has to be
done first and what becomes of the accounts and of rows, it decides. The books keep an id that tells nobody anything.
"""

from typing import NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Unavailable
from core.keys import erasing
from core.keys.safe import Safe
from core.keys.sealing import has_plain
from core.keys.store import Destroyed
from core.people.sessions import Ending

IS_THERE = "select true from persons where tenant_id = $1 and id = $2"
# A keyed hash is a person's, too, and its key is the whole tenant's: it goes with the row.
FORGET_CREDENTIALS = "delete from credentials where tenant_id = $1 and person_id = $2"
FORGET_PERSON = "select forget_person($1, $2)"
FORGET_IDENTITIES = "delete from external_identities where tenant_id = $1 and person_id = $2"
# Nobody speaks any more for somebody who is not there: not they themselves, no machine and nobody in a seat of theirs;
# and they speak for no merchant. What they were invited to waits for nobody, and does not say so.
END_SESSIONS = """
with keys as (
    update api_keys set revoked_at = now() where tenant_id = $1 and person_id = $2 and revoked_at is null
), tills as (
    update terminals set revoked_at = now() where tenant_id = $1 and person_id = $2 and revoked_at is null
), seats_ended as (
    update seats set ended_at = now()
     where tenant_id = $1 and ended_at is null
       and (person_id = $2 or holder = $2 and accepted_at is not null)
), seats_declined as (
    update seats set declined_at = now()
     where tenant_id = $1 and holder = $2 and accepted_at is null and declined_at is null and ended_at is null
)
update sessions set revoked_at = now()
 where tenant_id = $1 and revoked_at is null and expires_at > now()
   and (person_id = $2 or seat_id in (select id from seats where tenant_id = $1 and holder = $2))
returning id::text
"""


class NotSealedYet(Unavailable):
    """Some of this person's data is from before there were keys: `payhub keys seal` seals it."""


class Erased(NamedTuple):
    """What was done: the key, and the sessions that ended with it, whose sockets somebody has to close."""

    key: Destroyed
    sessions: list[str]


async def close_doors(connection: Connection, tenant_id: int, person_id: str, by: By, why: str | None) -> list[str]:
    """End everything that speaks for a person, and forget how they came in, in the connection's transaction.

    Gives the sessions that ended: whoever has sockets closes theirs at once, and every hub's sweep within seconds.
    """
    await connection.execute(FORGET_CREDENTIALS, tenant_id, person_id)
    await connection.execute(FORGET_IDENTITIES, tenant_id, person_id)
    ended = [row[0] for row in await connection.fetch(END_SESSIONS, tenant_id, person_id)]
    for session_id in ended:
        await note(connection, tenant_id, by, Act.SESSION_ENDED, session_id, why, {"how": Ending.PERSON_ERASED.value})
    return ended


async def erase_person(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str, by: By, why: str | None = None
) -> Erased:
    """Destroy a person's keys, forget what finds them, close their doors. Again it changes nothing.

    Within a second it is so everywhere.

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
        # Not before: as long as the law keeps who somebody was, an authority asks by a document.
        await connection.execute(FORGET_PERSON, tenant_id, person_id)
        return Erased(destroyed, await close_doors(connection, tenant_id, person_id, by, why))

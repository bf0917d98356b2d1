"""What is done with keys gets into the ledger's audit trail: each once, whichever of the two databases fails and when.

Two databases have no commit in common. So what is done with a key leaves a note in its own commit, in its own
database; the note is carried into the trail under its own time and id, where a second time changes nothing, and removed
when it is there. With the note of a destroyed key, the ledger's database keeps in mind who was erased. The trail may be
late; it never tells of what was not done, and nothing that was done stays untold.
"""

from typing import Final

from core.database import Pool, acquire, transaction
from core.keys.store import reached

EVENTS_MAX: Final = 1_000

TAKE = """
select tenant_id, at, id, what, about, why, who, session_id, network, details::text from take_key_events($1)
"""
NOTE = "select note_key_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
DROP = "select drop_key_events($1, $2, $3)"


async def tell(pool: Pool, keys: Pool, limit: int = EVENTS_MAX) -> int:
    """Carry what is waiting into the trail, oldest first: how much.

    `pool` is of the ledger's database, `keys` of the keys'. Any number may call it at once. Raises KeysUnavailable,
    Unavailable, OutcomeUnknown: call it again.
    """
    async with reached(keys) as connection, transaction(connection):
        events = await connection.fetch(TAKE, limit)
        if events:
            columns = list(zip(*events, strict=True))
            async with acquire(pool) as ledger:
                await ledger.execute(NOTE, *columns)
            await connection.execute(DROP, *columns[:3])
    return len(events)


async def tell_all(pool: Pool, keys: Pool) -> int:
    """Carry everything that is waiting."""
    count = 0
    while told := await tell(pool, keys):
        count += told
    return count

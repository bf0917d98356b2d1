"""A person is erased: the keys are destroyed, and both databases keep in mind that they were.

The key goes first. Were the trail told before, it would tell of what may never happen; so the worst that a failure
leaves is an erasure that the trail hears of a little later (telling.py). Whoever was erased is written down on both
sides, without a key: when one of the databases comes out of an older backup, the other one says who has to go again.
"""

import contextlib
import uuid
from typing import Final, NamedTuple

from core.audit.trail import NOBODY, By
from core.database import Pool, acquire
from core.errors import OutcomeUnknown, Unavailable
from core.keys import store
from core.keys.safe import Safe
from core.keys.store import Destroyed, reached
from core.keys.telling import NOTE, tell_all

PAGE: Final = 5_000
# Below every (tenant, person).
FIRST: Final = (-1, "00000000-0000-0000-0000-000000000000")
# Why the trail tells of an erasure a second time.
REPLAYED: Final = "erased before, and back out of a backup"

LIST_ERASED = "select tenant_id, person_id::text from list_erased_persons($1, $2, $3)"
FIND_UNDESTROYED = "select tenant_id, person_id::text from find_undestroyed($1, $2)"
LIST_DESTROYED = "select tenant_id, person_id::text, destroyed_at from list_destroyed($1, $2, $3)"
FIND_UNERASED = "select tenant_id, person_id::text from find_unerased($1, $2)"


class Replayed(NamedTuple):
    """Persons whose keys had come back and were destroyed again; those that the ledger's database had forgotten."""

    destroyed: int
    remembered: int


async def erase(pool: Pool, safe: Safe, tenant_id: int, person_id: str, by: By, why: str | None = None) -> Destroyed:
    """Destroy a person's keys, for good. Again it changes nothing.

    Whether the law obliges to keep their data is for the caller to know. Raises Unavailable: nothing was done;
    OutcomeUnknown: ask again.
    """
    destroyed = await safe.destroy(tenant_id, person_id, by, why)
    # It is done: that the trail cannot be told now is no reason to say otherwise. A worker tells it.
    with contextlib.suppress(Unavailable, OutcomeUnknown):
        await tell_all(pool, safe.pool)
    return destroyed


async def replay(pool: Pool, safe: Safe) -> Replayed:
    """Let both databases agree on who was erased, at every start: one of them may have come out of a backup.

    Any number may call it at once. Raises Unavailable, OutcomeUnknown: call it again.
    """
    await tell_all(pool, safe.pool)
    destroyed = await _destroy_again(pool, safe)
    remembered = await _remember(pool, safe)
    if destroyed:
        await tell_all(pool, safe.pool)
    return Replayed(destroyed, remembered)


async def _destroy_again(pool: Pool, safe: Safe) -> int:
    count, last = 0, FIRST
    while True:
        async with acquire(pool) as connection:
            erased = [tuple(row) for row in await connection.fetch(LIST_ERASED, *last, PAGE)]
        if not erased:
            return count
        last = erased[-1]
        async with reached(safe.pool) as connection:
            alive = [tuple(row) for row in await connection.fetch(FIND_UNDESTROYED, *zip(*erased, strict=True))]
        for tenant_id, person_id in alive:
            safe.forget(tenant_id, person_id)
        count += sum(one.is_new for one in await store.destroy(safe.pool, alive, NOBODY, REPLAYED))


async def _remember(pool: Pool, safe: Safe) -> int:
    count, last = 0, FIRST
    while True:
        async with reached(safe.pool) as connection:
            destroyed = await connection.fetch(LIST_DESTROYED, *last, PAGE)
        if not destroyed:
            return count
        last = destroyed[-1]["tenant_id"], destroyed[-1]["person_id"]
        at = {(tenant_id, person_id): moment for tenant_id, person_id, moment in destroyed}
        async with acquire(pool) as connection:
            forgotten = [tuple(row) for row in await connection.fetch(FIND_UNERASED, *zip(*at, strict=True))]
            if not forgotten:
                continue
            blank = [None] * len(forgotten)
            await connection.execute(
                NOTE,
                [tenant_id for tenant_id, _ in forgotten],
                [at[one] for one in forgotten],
                [str(uuid.uuid4()) for _ in forgotten],
                ["key.destroyed"] * len(forgotten),
                [person_id for _, person_id in forgotten],
                [REPLAYED] * len(forgotten),
                blank,
                blank,
                blank,
                blank,
            )
        count += len(forgotten)

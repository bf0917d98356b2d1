"""What a merchant calls their keys and tills: sealed under the merchant's key, and missed by nobody who has to act.

A name that cannot be read now is no name: whoever revokes a key that has leaked does not wait for a key service.
"""

from collections.abc import Sequence

from core.database import Pool
from core.errors import KeysRefused, KeysUnavailable, NotFound
from core.keys.cipher import Cipher
from core.keys.places import Place
from core.keys.safe import Safe
from core.people.persons import PersonStatus, Role, read_nameless


async def sealer_of(pool: Pool, keys: Safe, tenant_id: int, merchant: str) -> Cipher:
    """The key of an active merchant. Raises NotFound for anybody else, KeysUnavailable."""
    person = await read_nameless(pool, tenant_id, merchant)
    if person.role != Role.MERCHANT or person.status != PersonStatus.ACTIVE:
        raise NotFound
    return await keys.one(tenant_id, merchant, create=True)


async def open_names(
    keys: Safe, tenant_id: int, merchant: str, place: Place, rows: Sequence[tuple[str, bytes]]
) -> list[str | None]:
    """The names of these rows of one merchant, in order. None: it cannot be read, now or any more."""
    if not rows:
        return []
    try:
        cipher = await keys.one(tenant_id, merchant)
    except (KeysUnavailable, KeysRefused):
        return [None] * len(rows)
    return [cipher.open(*place.at(row), sealed) for row, sealed in rows]

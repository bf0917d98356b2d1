"""Keys are replaced while everything goes on: the master key, a tenant's key, keys of persons.

A new key opens everywhere before it wraps or seals anything, and an old one opens until nothing is left of it. Whoever
is interrupted begins again and finds what is left to do. Nothing of a person's is ever without the key that opens it.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from core.database import Pool, in_tenant
from core.errors import KeysRefused, KeysUnavailable
from core.keys.cipher import Cipher
from core.keys.local import LocalKeys
from core.keys.master import Wrapped
from core.keys.places import PLACES, Place
from core.keys.safe import KEPT_S, KEY_BYTES, TRIES_MAX, Safe, context_of, unwrap_person_key, wrap_person_key
from core.keys.store import PersonKey, Purpose, reached, read_person_keys, read_tenant_keys

# Keys and rows of one commit.
BATCH: Final = 500
PAGE: Final = 10_000
# Not every place has an index by person.
LOOK_TIMEOUT_S: Final = 600.0
NOBODY_YET: Final = "00000000-0000-0000-0000-000000000000"
# After a new version of a person's key seals, for so long somebody may still commit what the old one sealed: as long as
# a key is kept, and a statement or an idle transaction lasts at most (core.database).
SETTLE_S: Final = KEPT_S + 20.0
# Before it seals, until everybody knows it.
ANNOUNCED_S: Final = KEPT_S + 0.25

LIST_TENANT_KEYS = "select tenant_id, id::text from list_tenant_keys()"
REWRAP_TENANT_KEY = "select rewrap_tenant_key($1, $2, $3, $4, $5, $6)"
REPLACE_TENANT_KEY = "select replace_tenant_key($1, $2, $3, $4, $5, $6, $7)"
LIST_RETIRED_KEYS = "select id::text, wraps from list_retired_keys($1, $2)"
READ_KEYS_WRAPPED_BY = "select person_id::text, version, wrapped from read_keys_wrapped_by($1, $2, $3)"
REWRAP_PERSON_KEYS = "select rewrap_person_keys($1, $2, $3, $4, $5, $6)"
DROP_TENANT_KEY = "select drop_tenant_key($1, $2, $3)"
LIST_HOLDERS = "select list_holders($1, $2, $3)::text"
ADD_PERSON_KEYS = "select add_person_keys($1, $2, $3, $4, $5)"
SWITCH_PERSON_KEYS = "select switch_person_keys($1, $2, $3)"
DROP_PERSON_KEYS = "select drop_person_keys($1, $2, $3)"
# Two bytes after the format say which version of the key sealed a value.
VERSION_OF = "get_byte({column}, 1) * 256 + get_byte({column}, 2)"
READ_SEALED_BY = """
select one.ctid, {named}, due.person_id::text, one.{column}
  from unnest($2::uuid[], $3::int[]) as due (person_id, version)
  join {source} on one.tenant_id = $1 and {whose} = due.person_id
 where one.{column} is not null and {version} = due.version
 limit $4
"""
# A row that somebody changed meanwhile lies elsewhere or holds something else, and is read again.
SEAL_ANEW = """
update {table} as one set {column} = anew.after
  from unnest($2::tid[], $3::bytea[], $4::bytea[]) as anew (at, before, after)
 where one.ctid = anew.at and one.tenant_id = $1 and one.{column} = anew.before
"""
FIND_SEALED_BY = """
select distinct due.person_id::text, due.version
  from unnest($2::uuid[], $3::int[]) as due (person_id, version)
  join {source} on one.tenant_id = $1 and {whose} = due.person_id
 where one.{column} is not null and {version} = due.version
"""

Reach = Callable[[int, int], None]


def nowhere(done: int, total: int) -> None:
    """Tell nobody how far it is."""


async def rotate_master(safe: Safe, reach: Reach = nowhere) -> int:
    """Have every tenant's key wrapped anew, by the master key as it is now: how many.

    To make a new master key first is the key service's: `safe.master.service.rotate()`.
    """
    async with reached(safe.pool) as connection:
        listed = [tuple(row) for row in await connection.fetch(LIST_TENANT_KEYS)]
    done = 0
    for at, (tenant_id, key_id) in enumerate(listed, 1):
        done += await _rewrap_tenant_key(safe, tenant_id, key_id)
        reach(at, len(listed))
    return done


async def forget_old_master(safe: Safe, others: Sequence[Wrapped] = ()) -> int:
    """Drop old master keys from a file that nothing is wrapped by any more: how many. Raises KeysRefused otherwise.

    `others`: what else the master key wraps, besides keys of tenants.
    """
    service = safe.master.service
    if not isinstance(service, LocalKeys):
        raise KeysRefused(f"The key service {service.name} keeps its old keys by itself.")
    async with reached(safe.pool) as connection:
        listed = [tuple(row) for row in await connection.fetch(LIST_TENANT_KEYS)]
    found = list(others)
    for tenant_id, key_id in listed:
        rows = await read_tenant_keys(safe.pool, tenant_id, Purpose.PERSONS, [key_id])
        found += [Wrapped(row.wrapped, row.wrapped_by) for row in rows if row.id == key_id]
    for one in found:
        if one.by != service.name or not await service.is_newest(one.key):
            raise KeysRefused("Keys are still wrapped by an old master key: `payhub keys rotate master` first.")
    return await service.forget_old()


async def rotate_tenant(safe: Safe, tenant_id: int, reach: Reach = nowhere) -> int:
    """Replace the key that wraps a tenant's persons' keys, and have those wrapped anew: how many.

    One that was begun before is finished first.
    """
    rows = await read_tenant_keys(safe.pool, tenant_id, Purpose.PERSONS)
    if not rows:
        return 0
    if not await _retired(safe, tenant_id):
        fresh = await safe.new_tenant_key(tenant_id, Purpose.PERSONS)
        details = json.dumps({"level": "tenant", "before": rows[0].id})
        async with reached(safe.pool) as connection:
            await connection.execute(
                REPLACE_TENANT_KEY,
                tenant_id,
                fresh.purpose,
                rows[0].id,
                fresh.id,
                fresh.wrapped,
                fresh.wrapped_by,
                details,
            )
    retired = await _retired(safe, tenant_id)
    total, done = sum(retired.values()), 0
    for old in retired:
        while count := await _rewrap_some(safe, tenant_id, old):
            done += count
            reach(done, max(done, total))
        async with reached(safe.pool) as connection:
            await connection.execute(DROP_TENANT_KEY, tenant_id, old, json.dumps({"level": "tenant"}))
    return done


async def list_everybody(safe: Safe, tenant_id: int) -> list[str]:
    """Persons of a tenant who have a key, in the order of their ids."""
    found: list[str] = []
    while True:
        async with reached(safe.pool) as connection:
            page = await connection.fetch(LIST_HOLDERS, tenant_id, found[-1] if found else NOBODY_YET, PAGE)
        if not page:
            return found
        found += [row[0] for row in page]


async def rotate_persons(
    safe: Safe,
    admin: Pool,
    tenant_id: int,
    person_ids: Sequence[str],
    reach: Reach = nowhere,
    *,
    settle_s: float = SETTLE_S,
    places: Sequence[Place] = PLACES,
) -> int:
    """Give these persons a new key, and seal all that is theirs anew: how many values.

    `admin` logs in to the ledger's database as the administrator: nobody else may write all places. A key that was
    announced before and seals nothing yet is taken. Where rows are never changed, the old key stays beside the new.
    """
    chunks = [person_ids[at : at + BATCH] for at in range(0, len(person_ids), BATCH)]
    for chunk in chunks:
        kept = await _versions(safe, tenant_id, chunk)
        await _add_versions(safe, tenant_id, [one for one, keys in kept.items() if keys[0].seals == _latest(keys)])
    await asyncio.sleep(min(ANNOUNCED_S, settle_s))
    for chunk in chunks:
        newest = await _newest(safe, tenant_id, chunk)
        async with reached(safe.pool) as connection:
            await connection.execute(SWITCH_PERSON_KEYS, tenant_id, list(newest), list(newest.values()))
        for person_id in newest:
            safe.forget(tenant_id, person_id)
    await asyncio.sleep(settle_s)
    count = done = 0
    for chunk in chunks:
        newest = await _newest(safe, tenant_id, chunk)
        for place in places:
            if not place.is_kept:
                count += await _seal_anew(safe, admin, tenant_id, place, newest)
        await _drop_versions(safe, admin, tenant_id, newest, places)
        done += len(chunk)
        reach(done, len(person_ids))
    return count


async def _rewrap_tenant_key(safe: Safe, tenant_id: int, key_id: str) -> bool:
    for _ in range(TRIES_MAX):
        rows = await read_tenant_keys(safe.pool, tenant_id, Purpose.PERSONS, [key_id])
        row = next((row for row in rows if row.id == key_id), None)
        if row is None:
            return False
        context = context_of(tenant_id, key_id, Purpose(row.purpose))
        key = await safe.master.unwrap(Wrapped(row.wrapped, row.wrapped_by), context)
        after = await safe.master.wrap(key, context)
        details = json.dumps({"level": "master", "service": after.by})
        async with reached(safe.pool) as connection:
            if await connection.fetchval(REWRAP_TENANT_KEY, tenant_id, key_id, row.wrapped, *after, details):
                return True
    raise KeysUnavailable


async def _retired(safe: Safe, tenant_id: int) -> dict[str, int]:
    async with reached(safe.pool) as connection:
        return {
            row["id"]: row["wraps"]
            for row in await connection.fetch(LIST_RETIRED_KEYS, tenant_id, int(Purpose.PERSONS))
        }


async def _rewrap_some(safe: Safe, tenant_id: int, old_id: str) -> int:
    async with reached(safe.pool) as connection:
        rows = await connection.fetch(READ_KEYS_WRAPPED_BY, tenant_id, old_id, BATCH)
    if not rows:
        return 0
    old = await safe.tenant_key(tenant_id, old_id)
    new_id, new = await safe.key_in_use(tenant_id, Purpose.PERSONS)
    if new_id == old_id:
        # Kept from before it was replaced.
        safe.forget_in_use(tenant_id)
        new_id, new = await safe.key_in_use(tenant_id, Purpose.PERSONS)
    after = [
        wrap_person_key(
            new, tenant_id, person_id, version, unwrap_person_key(old, tenant_id, person_id, version, wrapped)
        )
        for person_id, version, wrapped in rows
    ]
    persons, versions, before = zip(*rows, strict=True)
    async with reached(safe.pool) as connection:
        await connection.execute(REWRAP_PERSON_KEYS, tenant_id, persons, versions, before, after, new_id)
    return len(rows)


async def _versions(safe: Safe, tenant_id: int, person_ids: Sequence[str]) -> dict[str, list[PersonKey]]:
    """The keys of those among these persons who have one."""
    found: dict[str, list[PersonKey]] = {}
    for key in await read_person_keys(safe.pool, tenant_id, person_ids):
        if key.version is not None:
            found.setdefault(key.person_id, []).append(key)
    return found


async def _newest(safe: Safe, tenant_id: int, person_ids: Sequence[str]) -> dict[str, int]:
    kept = await _versions(safe, tenant_id, person_ids)
    return {person_id: _latest(keys) for person_id, keys in kept.items()}


def _latest(keys: Sequence[PersonKey]) -> int:
    return max(key.version or 0 for key in keys)


async def _add_versions(safe: Safe, tenant_id: int, person_ids: Sequence[str]) -> None:
    for _ in range(TRIES_MAX):
        current = await _versions(safe, tenant_id, person_ids)
        versions = {person_id: keys[0].seals + 1 for person_id, keys in current.items()}
        key_id, key = await safe.key_in_use(tenant_id, Purpose.PERSONS)
        wrapped = [
            wrap_person_key(key, tenant_id, person_id, version, secrets.token_bytes(KEY_BYTES))
            for person_id, version in versions.items()
        ]
        async with reached(safe.pool) as connection:
            if await connection.fetchval(
                ADD_PERSON_KEYS, tenant_id, list(versions), list(versions.values()), wrapped, key_id
            ):
                return
        safe.forget_in_use(tenant_id)
    raise KeysUnavailable


async def _seal_anew(safe: Safe, admin: Pool, tenant_id: int, place: Place, newest: dict[str, int]) -> int:
    """Seal a place's values by the newest keys, those that an older one sealed."""
    count = 0
    while True:
        # Read again for every batch: somebody may be erased meanwhile.
        old = await _old_versions(safe, tenant_id, newest)
        ciphers = await safe.of(tenant_id, newest)
        if not old:
            return count
        async with in_tenant(admin, tenant_id) as connection:
            rows = await connection.fetch(
                _sql(READ_SEALED_BY, place), tenant_id, *zip(*old, strict=True), BATCH, timeout=LOOK_TIMEOUT_S
            )
            anew = [(at, sealed, _anew(ciphers[whose], place, row, sealed)) for at, row, whose, sealed in rows]
            anew = [one for one in anew if one[2] is not None]
            if not anew:
                return count
            await connection.execute(_sql(SEAL_ANEW, place), tenant_id, *zip(*anew, strict=True))
        count += len(anew)


def _anew(cipher: Cipher, place: Place, row: str, sealed: bytes) -> bytes | None:
    plain = cipher.open_bytes(place.table, place.column, row, sealed)
    return None if plain is None else cipher.seal(place.table, place.column, row, plain)


async def _old_versions(safe: Safe, tenant_id: int, newest: dict[str, int]) -> list[tuple[str, int]]:
    return [
        (person_id, key.version)
        for person_id, keys in (await _versions(safe, tenant_id, list(newest))).items()
        for key in keys
        if key.version is not None and key.version < newest[person_id]
    ]


async def _drop_versions(
    safe: Safe, admin: Pool, tenant_id: int, newest: dict[str, int], places: Sequence[Place]
) -> None:
    """Destroy the versions before the newest by which nothing is sealed any more."""
    old = set(await _old_versions(safe, tenant_id, newest))
    for place in places:
        if old:
            async with in_tenant(admin, tenant_id) as connection:
                rows = await connection.fetch(
                    _sql(FIND_SEALED_BY, place), tenant_id, *zip(*old, strict=True), timeout=LOOK_TIMEOUT_S
                )
            old -= {(person_id, version) for person_id, version in rows}
    if old:
        async with reached(safe.pool) as connection:
            await connection.execute(DROP_PERSON_KEYS, tenant_id, *zip(*old, strict=True))


def _sql(query: str, place: Place) -> str:
    """A query about a place. Everything that is put in is a constant of places.py."""
    return query.format(
        table=place.table,
        column=place.column,
        named=place.named,
        source=place.source,
        whose=place.whose,
        version=VERSION_OF.format(column=f"one.{place.column}"),
    )

"""The safe: what hubs and workers hold to read and write personal data.

It opens keys of persons when they are asked for, many at a time, and keeps them for less than a second, so that whoever
is erased is gone everywhere within one. Keys of tenants are kept for minutes: as long, a key service may be away
unnoticed. Nothing that it keeps is ever written anywhere.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.audit.trail import By
from core.database import Pool
from core.errors import KeysUnavailable, SealBroken
from core.keys import store
from core.keys.cipher import Cipher, Erased
from core.keys.master import Master, Wrapped
from core.keys.store import INSTALLATION, Destroyed, PersonKey, Purpose, TenantKey

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FORMAT: Final = b"\x01"
# Counted from before a key was asked for. With what destroying takes, everybody has let go of it within a second.
KEPT_S: Final = 0.75
# About a kilobyte each.
KEPT_MAX: Final = 20_000
# A key service may be away for so long without anybody noticing; one that takes the right away is heeded within it.
TENANT_KEPT_S: Final = 600.0
# Keys of one call: a millisecond's work.
FETCHED_MAX: Final = 500
# A tenant's key may be replaced between two questions. Thrice in a row it is not.
TRIES_MAX: Final = 3


class Safe:
    """Keys of persons, by tenant. One object serves a whole process."""

    def __init__(
        self,
        pool: Pool,
        master: Master,
        *,
        kept_s: float = KEPT_S,
        kept_max: int = KEPT_MAX,
        tenant_kept_s: float = TENANT_KEPT_S,
    ) -> None:
        """`pool` is of the database of keys."""
        self.pool = pool
        self.master = master
        self._kept_s = kept_s
        self._kept_max = kept_max
        self._tenant_kept_s = tenant_kept_s
        # Until when, and the key; oldest first.
        self._persons: dict[tuple[int, str], tuple[float, Cipher]] = {}
        self._tenants: dict[tuple[int, str], tuple[float, bytes]] = {}
        self._in_use: dict[tuple[int, Purpose], tuple[float, str]] = {}
        # Persons that somebody waits for, and who fetches them: one for each tenant.
        self._wanted: dict[int, dict[str, asyncio.Future[Cipher]]] = {}
        self._fetching: dict[int, asyncio.Task[None]] = {}
        self._asking: dict[tuple[int, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, tenant_id: int, person_ids: Iterable[str], *, create: bool = False) -> dict[str, Cipher]:
        """The key of each of these persons (ids as canonical text), all in one call to the database.

        Of a person without one: an Erased, by which what was sealed reads as nothing; with `create`, a new key unless
        the person was erased. Raises KeysUnavailable, KeysRefused.
        """
        now = time.monotonic()
        found: dict[str, Cipher] = {}
        missing: list[str] = []
        for person_id in person_ids:
            kept = self._persons.get((tenant_id, person_id))
            if kept is not None and kept[0] > now:
                found[person_id] = kept[1]
            else:
                missing.append(person_id)
        if missing and create:
            found |= await self._fetch(tenant_id, list(dict.fromkeys(missing)), create=True)
        elif missing:
            found |= await self._want(tenant_id, missing)
        return found

    async def one(self, tenant_id: int, person_id: str, *, create: bool = False) -> Cipher:
        """The key of one person: see `of`."""
        return (await self.of(tenant_id, (person_id,), create=create))[person_id]

    async def index(self, tenant_id: int, field: str, value: str) -> bytes:
        """A keyed hash (HMAC-SHA256) of a value, to find by equality what is sealed. 32 bytes; one key for each tenant.

        `field` keeps equal values of different fields apart. The same value has to be written in the same way.
        """
        key = await self._index_key(tenant_id)
        return hmac.digest(key, f"{field}\x00{value}".encode(), hashlib.sha256)

    async def secret(self, name: str) -> bytes:
        """A secret of the installation's, the same in all of its processes: 32 bytes."""
        return await self.index(INSTALLATION, "secret", name)

    async def destroy(self, tenant_id: int, person_id: str, by: By, why: str | None = None) -> Destroyed:
        """Destroy a person's keys, for good: again it changes nothing. Everybody's copies end within a second.

        Raises Unavailable, or OutcomeUnknown: ask again. The trail is told by core.keys.telling.
        """
        (destroyed,) = await store.destroy(self.pool, [(tenant_id, person_id)], by, why)
        self.forget(tenant_id, person_id)
        return destroyed

    def forget(self, tenant_id: int, person_id: str) -> None:
        """Keep this person's key no longer."""
        self._persons.pop((tenant_id, person_id), None)

    async def check(self) -> None:
        """Make sure that the key service opens this database's keys. Raises KeysRefused, KeysUnavailable."""
        await self.secret("check")

    async def close(self) -> None:
        """Forget everything, and let go of connections."""
        for task in self._fetching.values():
            task.cancel()
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)
        for kept in (self._persons, self._tenants, self._in_use):
            kept.clear()
        await self.master.close()
        await self.pool.close()

    async def _want(self, tenant_id: int, person_ids: Iterable[str]) -> dict[str, Cipher]:
        """Wait for these keys. What others want meanwhile is fetched with the next call: calls gather, one flies."""
        wanted = self._wanted.setdefault(tenant_id, {})
        waiting = {}
        for person_id in person_ids:
            if person_id not in wanted:
                future = wanted[person_id] = asyncio.get_running_loop().create_future()
                # Whoever waited may be gone when it fails.
                future.add_done_callback(lambda done: done.cancelled() or done.exception())
            waiting[person_id] = wanted[person_id]
        if tenant_id not in self._fetching:
            self._begin_fetching(tenant_id)
        # Not gathered: one who is cancelled must not cancel what others wait for.
        await asyncio.wait(waiting.values())
        return {person_id: future.result() for person_id, future in waiting.items()}

    def _begin_fetching(self, tenant_id: int) -> None:
        task = self._fetching[tenant_id] = asyncio.create_task(self._fetch_wanted(tenant_id))
        task.add_done_callback(lambda ended: self._end_fetching(tenant_id, ended))

    async def _fetch_wanted(self, tenant_id: int) -> None:
        while wanted := self._wanted.get(tenant_id):
            taken = dict(islice(wanted.items(), FETCHED_MAX))
            for person_id in taken:
                del wanted[person_id]
            try:
                found = await self._fetch(tenant_id, list(taken), create=False)
            except Exception as error:
                for future in taken.values():
                    future.set_exception(error)
            except BaseException:
                wanted |= taken
                raise
            else:
                for person_id, future in taken.items():
                    future.set_result(found[person_id])

    def _end_fetching(self, tenant_id: int, ended: asyncio.Task[None]) -> None:
        del self._fetching[tenant_id]
        if not ended.cancelled() and self._wanted.get(tenant_id):
            # Somebody came between the last look and the end.
            self._begin_fetching(tenant_id)
            return
        for future in self._wanted.pop(tenant_id, {}).values():
            future.set_exception(KeysUnavailable())

    async def _fetch(self, tenant_id: int, person_ids: list[str], *, create: bool) -> dict[str, Cipher]:
        for _ in range(TRIES_MAX):
            until = time.monotonic() + self._kept_s
            rows = await store.read_person_keys(self.pool, tenant_id, person_ids)
            if create:
                known = {row.person_id for row in rows}
                absent = [person_id for person_id in person_ids if person_id not in known]
                if absent:
                    await self._make(tenant_id, absent)
                    rows += await store.read_person_keys(self.pool, tenant_id, absent)
            keys = await self._keys_of(tenant_id, {row.tenant_key for row in rows if row.tenant_key is not None})
            if keys is not None:
                found = _ciphers(tenant_id, person_ids, rows, keys)
                self._keep(found.values(), until)
                return found
        raise KeysUnavailable

    def _keep(self, ciphers: Iterable[Cipher], until: float) -> None:
        for cipher in ciphers:
            if isinstance(cipher, Erased) and cipher.destroyed_at is None:
                continue  # somebody may make one at any moment
            key = cipher.tenant_id, cipher.person_id
            self._persons.pop(key, None)
            self._persons[key] = until, cipher
        while len(self._persons) > self._kept_max:
            del self._persons[next(iter(self._persons))]

    async def _make(self, tenant_id: int, person_ids: Sequence[str]) -> None:
        """Make first keys of these persons; of somebody who has one meanwhile, or was erased, none."""
        for _ in range(TRIES_MAX):
            tenant_key, key = await self.key_in_use(tenant_id, Purpose.PERSONS)
            wrapped = {
                person_id: wrap_person_key(key, tenant_id, person_id, 1, secrets.token_bytes(KEY_BYTES))
                for person_id in person_ids
            }
            if await store.put_person_keys(self.pool, tenant_id, wrapped, tenant_key):
                return
            # It was replaced a moment ago.
            self.forget_in_use(tenant_id)
        raise KeysUnavailable

    async def _index_key(self, tenant_id: int) -> bytes:
        kept = self._in_use.get((tenant_id, Purpose.INDEX))
        if kept is not None and kept[0] > time.monotonic():
            key = self._tenants.get((tenant_id, kept[1]))
            if key is not None and key[0] > time.monotonic():
                return key[1]
        return (await self.key_in_use(tenant_id, Purpose.INDEX))[1]

    async def key_in_use(self, tenant_id: int, purpose: Purpose) -> tuple[str, bytes]:
        """The id of the tenant's key for a purpose, and the key; made if there is none yet."""
        kept = self._in_use.get((tenant_id, purpose))
        if kept is not None and kept[0] > time.monotonic():
            opened = await self._keys_of(tenant_id, {kept[1]})
            if opened is not None:
                return kept[1], opened[kept[1]]
        rows = await store.read_tenant_keys(self.pool, tenant_id, purpose)
        if not rows:
            await self._make_tenant_key(tenant_id, purpose)
            rows = await store.read_tenant_keys(self.pool, tenant_id, purpose)
        (row,) = rows
        key = await self._open_tenant_key(tenant_id, row)
        self._in_use[tenant_id, purpose] = time.monotonic() + self._tenant_kept_s, row.id
        return row.id, key

    async def _make_tenant_key(self, tenant_id: int, purpose: Purpose) -> None:
        await store.put_tenant_key(self.pool, tenant_id, await self.new_tenant_key(tenant_id, purpose))

    def forget_in_use(self, tenant_id: int) -> None:
        """Look again which of the tenant's keys is in use for persons."""
        self._in_use.pop((tenant_id, Purpose.PERSONS), None)

    async def tenant_key(self, tenant_id: int, key_id: str) -> bytes:
        """One of a tenant's keys, in use or not. Raises KeysUnavailable when it is gone."""
        found = await self._keys_of(tenant_id, {key_id})
        if found is None:
            raise KeysUnavailable
        return found[key_id]

    async def new_tenant_key(self, tenant_id: int, purpose: Purpose) -> TenantKey:
        """A fresh key, wrapped and kept nowhere yet."""
        key_id = str(uuid.uuid4())
        wrapped = await self.master.wrap(secrets.token_bytes(KEY_BYTES), context_of(tenant_id, key_id, purpose))
        return TenantKey(key_id, int(purpose), *wrapped, is_in_use=True)

    async def _keys_of(self, tenant_id: int, key_ids: set[str]) -> dict[str, bytes] | None:
        """The tenant's keys with these ids. None: one of them is gone, because its persons' keys are wrapped anew."""
        now = time.monotonic()
        found: dict[str, bytes] = {}
        for key_id in key_ids:
            kept = self._tenants.get((tenant_id, key_id))
            if kept is not None and kept[0] > now:
                found[key_id] = kept[1]
        missing = [key_id for key_id in key_ids if key_id not in found]
        if missing:
            rows = await store.read_tenant_keys(self.pool, tenant_id, Purpose.PERSONS, missing)
            for row in rows:
                if row.id in key_ids:
                    found[row.id] = await self._open_tenant_key(tenant_id, row)
        return found if len(found) == len(key_ids) else None

    async def _open_tenant_key(self, tenant_id: int, row: TenantKey) -> bytes:
        place = tenant_id, row.id
        # Many may want it at once, and the key service is asked once.
        async with self._asking[place]:
            kept = self._tenants.get(place)
            if kept is not None and kept[0] > time.monotonic():
                return kept[1]
            wrapped = Wrapped(row.wrapped, row.wrapped_by)
            key = await self.master.unwrap(wrapped, context_of(tenant_id, row.id, Purpose(row.purpose)))
            self._tenants[place] = time.monotonic() + self._tenant_kept_s, key
        self._asking.pop(place, None)
        return key


def _ciphers(
    tenant_id: int, person_ids: Iterable[str], rows: Iterable[PersonKey], keys: Mapping[str, bytes]
) -> dict[str, Cipher]:
    by_person: dict[str, list[PersonKey]] = defaultdict(list)
    for row in rows:
        by_person[row.person_id].append(row)
    return {person_id: _cipher(tenant_id, person_id, by_person.get(person_id, []), keys) for person_id in person_ids}


def _cipher(tenant_id: int, person_id: str, rows: list[PersonKey], keys: Mapping[str, bytes]) -> Cipher:
    versions = {
        row.version: unwrap_person_key(keys[row.tenant_key], tenant_id, person_id, row.version, row.wrapped)
        for row in rows
        if row.version is not None and row.wrapped is not None and row.tenant_key is not None
    }
    if not versions or rows[0].destroyed_at is not None:
        return Erased(tenant_id, person_id, rows[0].destroyed_at if rows else None)
    return Cipher(tenant_id, person_id, rows[0].seals, versions)


def wrap_person_key(tenant_key: bytes, tenant_id: int, person_id: str, version: int, key: bytes) -> bytes:
    """A person's key under the tenant's: format, nonce, ciphertext with its tag."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(tenant_key).encrypt(nonce, key, _place(tenant_id, person_id, version))


def unwrap_person_key(tenant_key: bytes, tenant_id: int, person_id: str, version: int, wrapped: bytes) -> bytes:
    """Raises SealBroken for one that was changed, or is another person's."""
    try:
        return AESGCM(tenant_key).decrypt(wrapped[1:13], wrapped[13:], _place(tenant_id, person_id, version))
    except (InvalidTag, ValueError):
        raise SealBroken("A person's key is damaged, or it is not where it was put.") from None


def context_of(tenant_id: int, key_id: str, purpose: Purpose) -> dict[str, str]:
    """What a tenant's key is bound to at the key service."""
    return {"tenant": str(tenant_id), "key": key_id, "purpose": purpose.name.lower()}


def _place(tenant_id: int, person_id: str, version: int) -> bytes:
    return f"payhub person key|{tenant_id}|{person_id}|{version}".encode()

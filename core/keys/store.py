"""The database of keys, as calls. It holds wrapped keys alone, and knows neither how they open nor what they seal."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from core.audit.trail import By
from core.database import Connection, Pool, acquire
from core.errors import KeysUnavailable, OutcomeUnknown, Unavailable

# What core.migrate brings the database to.
SQL: Final = Path(__file__).parent / "sql"
# The installation's own keys stand where a tenant's would.
INSTALLATION: Final = 0

READ_TENANT_KEYS = "select id::text, purpose, wrapped, wrapped_by, is_in_use from read_tenant_keys($1, $2, $3)"
READ_PERSON_KEYS = """
select person_id::text, seals, destroyed_at, version, wrapped, tenant_key::text from read_person_keys($1, $2)
"""
PUT_TENANT_KEY = "select put_tenant_key($1, $2, $3, $4, $5, $6)"
PUT_PERSON_KEYS = "select put_person_keys($1, $2, $3, $4)"
DESTROY = """
select tenant_id, person_id::text, destroyed_at, is_new from destroy_person_keys($1, $2, $3, $4, $5, $6, $7)
"""


class Purpose(IntEnum):
    """What a tenant's key is for. Stored in tenant_keys.purpose."""

    PERSONS = 0  # wraps the keys of persons
    INDEX = 1  # makes the keyed hashes by which sealed data is found


class TenantKey(NamedTuple):
    """A wrapped key of a tenant's."""

    id: str
    purpose: int
    wrapped: bytes
    wrapped_by: str
    is_in_use: bool


class PersonKey(NamedTuple):
    """A wrapped key of a person's. Of somebody who was erased there is `destroyed_at` and no key.

    `seals`: the version that seals, which need not be this one.
    """

    person_id: str
    seals: int
    destroyed_at: datetime | None
    version: int | None
    wrapped: bytes | None
    tenant_key: str | None


class Destroyed(NamedTuple):
    """Whose keys were destroyed, and when; `is_new`: by this call."""

    tenant_id: int
    person_id: str
    at: datetime
    is_new: bool


@asynccontextmanager
async def reached(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for what may be done twice without harm. Raises KeysUnavailable for whatever breaks on the way."""
    try:
        async with acquire(pool) as connection:
            yield connection
    except (Unavailable, OutcomeUnknown, asyncpg.InternalClientError) as error:
        raise KeysUnavailable from error


async def read_tenant_keys(pool: Pool, tenant_id: int, purpose: Purpose, ids: Sequence[str] = ()) -> list[TenantKey]:
    """The key in use for a purpose, if there is one yet, and those with these ids."""
    async with reached(pool) as connection:
        return [TenantKey(*row) for row in await connection.fetch(READ_TENANT_KEYS, tenant_id, int(purpose), ids)]


async def put_tenant_key(pool: Pool, tenant_id: int, key: TenantKey) -> None:
    """Keep a tenant's first key for a purpose, unless there is one."""
    details = json.dumps({"level": "tenant", "purpose": Purpose(key.purpose).name.lower()})
    async with reached(pool) as connection:
        await connection.execute(PUT_TENANT_KEY, tenant_id, key.id, key.purpose, key.wrapped, key.wrapped_by, details)


async def read_person_keys(pool: Pool, tenant_id: int, person_ids: Sequence[str]) -> list[PersonKey]:
    """The keys of these persons, in no order."""
    async with reached(pool) as connection:
        return [PersonKey(*row) for row in await connection.fetch(READ_PERSON_KEYS, tenant_id, person_ids)]


async def put_person_keys(pool: Pool, tenant_id: int, wrapped: Mapping[str, bytes], tenant_key: str) -> bool:
    """Keep first keys of persons who have none and were not erased. False: the tenant's key is not in use any more."""
    async with reached(pool) as connection:
        kept: bool = await connection.fetchval(
            PUT_PERSON_KEYS, tenant_id, list(wrapped), list(wrapped.values()), tenant_key
        )
    return kept


async def destroy(
    pool: Pool,
    pairs: Sequence[tuple[int, str]],
    by: By,
    why: str | None,
    details: Mapping[str, Any] | None = None,
) -> list[Destroyed]:
    """Destroy the keys of these (tenant, person), for good. Raises OutcomeUnknown: ask again, it does no harm."""
    if not pairs:
        return []
    tenants, persons = zip(*pairs, strict=True)
    written = None if details is None else json.dumps(dict(details))
    async with acquire(pool) as connection:
        rows = await connection.fetch(DESTROY, tenants, persons, by.person_id, why, by.session_id, by.network, written)
    return [Destroyed(*row) for row in rows]

"""API keys: made, listed, rotated with an overlap, revoked, and traded for a session.

A key's session is the key's own, under the same id: whatever ends it closes the sockets that speak with it. Every one
of these is in the audit trail with it. The key itself is shown once and kept as a hash.
"""

import datetime
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import CredentialsRefused, NotFound, Refusal
from core.keys.cipher import Cipher
from core.keys.places import API_KEY_NAME
from core.keys.safe import Safe
from core.machines.naming import open_names, sealer_of
from core.machines.networks import is_inside
from core.machines.secret import BEGINNING_LENGTH, draw_secret, hash_of, is_well_formed
from core.people.persons import PersonStatus, Role
from core.people.sessions import end_session, open_session, shorten_session

# A shop with its website, its app, its tills' server and its accountants, each on two keys while they are rotated.
KEYS_MAX: Final = 20
# Long enough for the slowest deployment; a key that has a successor is not to live on by oversight.
OVERLAP_MAX: Final = datetime.timedelta(days=30)
# Those that ended are kept for who asks what a leaked one could do; so many are shown.
LISTED_MAX: Final = 100

INSERT: Final = """
insert into api_keys (tenant_id, id, person_id, name_sealed, hash, beginning, scopes, networks, made_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8::text[]::cidr[], $9, now() + $10::interval)
returning expires_at
"""
COLUMNS: Final = """
       id::text, person_id::text, name_sealed, beginning, scopes, networks::text[], made_at, expires_at, revoked_at,
       successor::text, last_used_on, last_used_network
"""
READ: Final = f"select {COLUMNS} from api_keys where tenant_id = $1 and id = $2 for no key update"  # noqa: S608
LIST: Final = f"""
select {COLUMNS}
  from api_keys
 where tenant_id = $1 and person_id = $2
 order by made_at desc, id desc
 limit $3
"""  # noqa: S608  # the columns are ours
# The merchant's row is held, so that of two keys made at once the later one counts the earlier.
LOCK_MERCHANT: Final = """
select role, status from persons where tenant_id = $1 and id = $2 for no key update
"""
COUNT: Final = """
select count(*), count(*) filter (where successor is null)
  from api_keys
 where tenant_id = $1 and person_id = $2 and revoked_at is null and (expires_at is null or expires_at > now())
"""
FIND: Final = """
select api_keys.id::text, api_keys.person_id::text, api_keys.scopes, api_keys.networks::text[], api_keys.expires_at,
       persons.role, persons.status,
       api_keys.revoked_at is null
       and (api_keys.expires_at is null or api_keys.expires_at > now())
       and exists (select from sessions
                    where sessions.tenant_id = api_keys.tenant_id and sessions.id = api_keys.id
                      and sessions.revoked_at is null and sessions.expires_at > now()) as lives
  from api_keys
  join persons on persons.tenant_id = api_keys.tenant_id and persons.id = api_keys.person_id
 where api_keys.tenant_id = $1 and api_keys.hash = $2
"""
# Once a day and network, not once a token.
NOTE_USE: Final = """
update api_keys set last_used_on = current_date, last_used_network = $3
 where tenant_id = $1 and id = $2
   and (last_used_on is distinct from current_date or last_used_network is distinct from $3)
"""
REVOKE: Final = "update api_keys set revoked_at = now() where tenant_id = $1 and id = $2"
HAND_OVER: Final = """
update api_keys set successor = $3, expires_at = least(expires_at, now() + $4::interval)
 where tenant_id = $1 and id = $2
returning expires_at
"""


class ApiKey(NamedTuple):
    """A key as it may be shown. `networks` None: from anywhere. `expires_at` None: it does not expire.

    `name` None: it cannot be read now.
    """

    id: str
    person_id: str
    name: str | None
    beginning: str
    scopes: Sequence[str]
    networks: Sequence[str] | None
    made_at: datetime.datetime
    expires_at: datetime.datetime | None
    revoked_at: datetime.datetime | None
    successor: str | None
    last_used_on: datetime.date | None
    last_used_network: str | None


class Made(NamedTuple):
    """A new key and the only sight of its secret."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"Made(key={self.key.id!r}, secret=…)"


class Wish(NamedTuple):
    """What a key is to be. `lasts` None: it does not expire. Networks in the spelling of core.machines.networks."""

    name: str
    scopes: Sequence[str]
    networks: Sequence[str] | None = None
    lasts: datetime.timedelta | None = None


class KeyRefused(CredentialsRefused):
    """To the caller it reads like any refusal. `key_id` and `why` are for the trail; None: nobody knows this key."""

    def __init__(self, key_id: str | None = None, why: str | None = None) -> None:
        super().__init__(CredentialsRefused.__doc__)
        self.key_id = key_id
        self.why = why


class Trade(NamedTuple):
    """Whose key it is, what it may do, and until when a token may live that is given for it."""

    key_id: str
    person_id: str
    role: Role
    scopes: Sequence[str]
    expires_at: datetime.datetime | None


async def make_key(pool: Pool, keys: Safe, tenant_id: int, merchant: str, wish: Wish, by: By) -> Made:
    """A key for this merchant. Raises NotFound for anybody who is none, Refusal `too_many_keys`, KeysUnavailable."""
    cipher = await sealer_of(pool, keys, tenant_id, merchant)
    async with in_tenant(pool, tenant_id) as connection:
        _, alone = await _count(connection, tenant_id, merchant)
        if alone >= KEYS_MAX:
            raise Refusal("too_many_keys")
        key, secret = await _insert(connection, tenant_id, merchant, wish, cipher, by, Act.API_KEY_MADE)
    return Made(key._replace(name=wish.name), secret)


async def list_keys(pool: Pool, keys: Safe, tenant_id: int, merchant: str, by: By) -> list[ApiKey]:
    """A merchant's keys, newest first, those that ended too. What somebody else is shown of them is written down."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST, tenant_id, merchant, LISTED_MAX)
        if rows and by.person_id != merchant:
            await note(connection, tenant_id, by, Act.PERSONAL_DATA_READ, merchant, details={"api_keys": len(rows)})
    return await _named(keys, tenant_id, merchant, rows)


async def rotate_key(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    key_id: str,
    overlap: datetime.timedelta,
    lasts: datetime.timedelta | None,
    by: By,
    *,
    whose: str | None = None,
) -> tuple[Made, ApiKey]:
    """A successor that may do the same, and the old key, which works for `overlap` more.

    `lasts`: how long the successor lives; None: as long as the old one was made for. `whose`: only this merchant's.
    Raises NotFound, KeysUnavailable, and Refusal `key_over` if the old one has ended or has a successor already.
    """
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, tenant_id, key_id, whose)
    cipher = await sealer_of(pool, keys, tenant_id, row["person_id"])
    name = cipher.open(*API_KEY_NAME.at(key_id), row["name_sealed"])
    async with in_tenant(pool, tenant_id) as connection:
        old = _to_key(await _read(connection, tenant_id, key_id, whose), name)
        if old.successor is not None or not await _lives(connection, old):
            raise Refusal("key_over")
        if lasts is None and old.expires_at is not None:
            lasts = old.expires_at - old.made_at
        wish = Wish(name or "", old.scopes, old.networks, lasts)
        living, _ = await _count(connection, tenant_id, old.person_id)
        if living >= 2 * KEYS_MAX:
            raise Refusal("too_many_keys")
        key, secret = await _insert(connection, tenant_id, old.person_id, wish, cipher, by, Act.API_KEY_ROTATED, old.id)
        expires_at = await connection.fetchval(HAND_OVER, tenant_id, old.id, key.id, overlap)
        await shorten_session(connection, tenant_id, old.id, expires_at)
    return Made(key._replace(name=name), secret), old._replace(successor=key.id, expires_at=expires_at)


async def revoke_key(
    pool: Pool, keys: Safe, tenant_id: int, key_id: str, by: By, *, whose: str | None = None
) -> ApiKey:
    """End a key and its session. Once more is the same. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, tenant_id, key_id, whose)
        if row["revoked_at"] is None:
            await connection.execute(REVOKE, tenant_id, key_id)
            await end_session(connection, tenant_id, key_id)
            await note(connection, tenant_id, by, Act.API_KEY_REVOKED, key_id)
        row = await _read(connection, tenant_id, key_id)
    return (await _named(keys, tenant_id, row["person_id"], [row]))[0]


async def trade_key(pool: Pool, tenant_id: int, secret: str, host: str | None, network: str | None) -> Trade:
    """Whose key this is, used from the address `host`. `network` is what may be kept of the address.

    Raises KeyRefused, always the same to whoever asked: unknown, another tenant's, revoked, over, from elsewhere.
    """
    if not is_well_formed(secret):
        raise KeyRefused
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(FIND, tenant_id, hash_of(secret))
        if row is None:
            raise KeyRefused
        key_id, person_id, scopes, networks, expires_at, role, status, lives = row
        if not lives:
            raise KeyRefused(key_id, "over")
        if networks is not None and not is_inside(networks, host):
            raise KeyRefused(key_id, "network")
        if role != Role.MERCHANT or status != PersonStatus.ACTIVE:
            raise KeyRefused(key_id, "person")
        await connection.execute(NOTE_USE, tenant_id, key_id, network)
        await note(connection, tenant_id, By(person_id, key_id, network), Act.API_KEY_USED, key_id)
    return Trade(key_id, person_id, Role(role), scopes, expires_at)


async def note_refused(pool: Pool, tenant_id: int, refused: KeyRefused, network: str | None) -> None:
    """Write down that a key was tried that is one and may not be used: somebody has a copy, or a clock has run out."""
    if refused.key_id is not None:
        async with in_tenant(pool, tenant_id) as connection:
            by = By(network=network)
            await note(connection, tenant_id, by, Act.API_KEY_REFUSED, refused.key_id, details={"why": refused.why})


async def _count(connection: Connection, tenant_id: int, merchant: str) -> tuple[int, int]:
    """How many keys of the merchant live, and how many of them without a successor. Raises NotFound: no merchant."""
    row = await connection.fetchrow(LOCK_MERCHANT, tenant_id, merchant)
    if row is None or row["role"] != Role.MERCHANT or row["status"] != PersonStatus.ACTIVE:
        raise NotFound
    living, alone = await connection.fetchrow(COUNT, tenant_id, merchant) or (0, 0)
    return living, alone


async def _insert(
    connection: Connection,
    tenant_id: int,
    merchant: str,
    wish: Wish,
    cipher: Cipher,
    by: By,
    act: Act,
    about: str | None = None,
) -> tuple[ApiKey, str]:
    key_id, secret = str(uuid.uuid4()), draw_secret()
    beginning = secret[:BEGINNING_LENGTH]
    expires_at = await connection.fetchval(
        INSERT,
        tenant_id,
        key_id,
        merchant,
        cipher.seal(*API_KEY_NAME.at(key_id), wish.name),
        hash_of(secret),
        beginning,
        wish.scopes,
        wish.networks,
        by.person_id,
        wish.lasts,
    )
    await open_session(connection, tenant_id, merchant, key_id, expires_at)
    details = {"scopes": [*wish.scopes], "networks": wish.networks, "successor": about and key_id}
    await note(connection, tenant_id, by, act, about or key_id, details=details)
    return _to_key(await _read(connection, tenant_id, key_id), None), secret


async def _read(connection: Connection, tenant_id: int, key_id: str, whose: str | None = None) -> asyncpg.Record:
    row = await connection.fetchrow(READ, tenant_id, key_id)
    if row is None or whose not in {None, row["person_id"]}:
        raise NotFound
    return row


async def _named(keys: Safe, tenant_id: int, merchant: str, rows: Sequence[asyncpg.Record]) -> list[ApiKey]:
    sealed = [(row["id"], row["name_sealed"]) for row in rows]
    names = await open_names(keys, tenant_id, merchant, API_KEY_NAME, sealed)
    return [_to_key(row, name) for row, name in zip(rows, names, strict=True)]


def _to_key(row: asyncpg.Record, name: str | None) -> ApiKey:
    return ApiKey(*row)._replace(name=name)


async def _lives(connection: Connection, key: ApiKey) -> bool:
    now: datetime.datetime = await connection.fetchval("select now()")
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)

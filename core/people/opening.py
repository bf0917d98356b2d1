"""Opening things: a tenant with its books, a person with an account, an account, an overdraft.

It never moves money: an account opens at zero. Accounts are written by functions in core/sql, since
the serving role may only look at them.
"""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg

from core.database import Connection, Pool, acquire, in_tenant
from core.errors import Conflict, NotFound, Unavailable
from core.keys.cipher import Cipher
from core.keys.places import DISPLAY_NAME, LOGIN, PERSON_FIELD
from core.keys.safe import Safe
from core.nouns import BALANCE_MAX, Account, SystemAccount
from core.people.credentials import LOGIN_FIELD, hash_password, normalise_login
from core.people.fields import FIELDS, Kind
from core.people.persons import PersonStatus, Role, fold_name, normalise_display_name

# Twelve digits, none of them a leading zero: 9 * 10**11 numbers. With a million accounts open, one
# draw in 900,000 is taken; five in a row never are.
ACCOUNT_NUMBER_MIN = 100_000_000_000
ACCOUNT_NUMBER_COUNT = 900_000_000_000
ACCOUNT_NUMBER_TRIES_MAX = 5

INSERT_PERSONS = """
insert into persons (tenant_id, id, role, status)
select $1, unnest($2::uuid[]), $3, $4
"""
INSERT_PROFILES = """
insert into profiles (tenant_id, person_id, display_name_sealed)
select $1, unnest($2::uuid[]), unnest($3::bytea[])
"""
# $6: the login as it would stand if nobody had sealed it yet.
# The first name, as the first of its field (core.people.profiles): later ones are beside it.
INSERT_NAMES = """
insert into person_fields (tenant_id, person_id, field, number, sealed, mark)
select $1, unnest($2::uuid[]), $3, 1, unnest($4::bytea[]), unnest($5::bytea[])
"""
INSERT_CREDENTIALS = """
insert into credentials (tenant_id, person_id, login_index, login_sealed, password_hash)
select $1, $2, $3, $4, $5
 where not exists (select from credentials where tenant_id = $1 and login = $6)
    on conflict do nothing
returning true
"""
LIST_ACCOUNTS = """
select id, person_id, status, version, balance, floor, held
  from accounts
 where tenant_id = $1 and person_id = $2
 order by opened_at, id
"""


class Tenant(NamedTuple):
    """A tenant: one currency (ISO 4217), one time zone (tz database) and one country, for its holidays.

    `slug` names it in addresses. The country is ISO 3166-1 alpha-2.
    """

    id: int
    slug: str
    name: str
    currency: str
    time_zone: str
    country: str = "BR"


class Opened(NamedTuple):
    """A new person and the number of the account opened with them."""

    person_id: str
    account_id: int


async def find_tenant(pool: Pool, slug: str) -> Tenant | None:
    """The tenant with this slug, or None."""
    if "\x00" in slug or not slug.isascii():
        return None
    async with acquire(pool) as connection:
        row = await connection.fetchrow("select * from find_tenant($1)", slug)
    return None if row is None else Tenant(**row)


async def create_tenant(
    admin: "Connection | Pool", slug: str, name: str, currency: str, time_zone: str, country: str = "BR"
) -> Tenant:
    """Create a tenant and open its system accounts (core.nouns.SystemAccount), in one commit.

    `admin` is logged in as the administrator, not as the serving role. Raises Conflict when the slug
    is taken, ValueError when a value breaks a rule of the table.
    """
    try:
        # PostgreSQL has a list of its own and takes names that nobody else knows.
        ZoneInfo(time_zone)
    except (ValueError, ZoneInfoNotFoundError):
        raise ValueError("The time zone is not one of the tz database.") from None
    try:
        tenant_id: int = await admin.fetchval(
            "select payhub.create_tenant($1, $2, $3, $4, $5, $6, $7)",
            slug,
            name,
            currency,
            time_zone,
            [int(account) for account in SystemAccount],
            -BALANCE_MAX,
            country,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict("That slug is taken.") from None
    except asyncpg.CheckViolationError as error:
        raise ValueError(f"A tenant breaks the rule {error.constraint_name}.") from None
    except asyncpg.InvalidParameterValueError:
        raise ValueError("The time zone is not one of the tz database.") from None
    return Tenant(tenant_id, slug, name, currency, time_zone, country)


async def open_person(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    role: Role,
    display_name: str,
    login: str | None = None,
    password: str | None = None,
    *,
    status: PersonStatus = PersonStatus.ACTIVE,
    within: Callable[[Connection, Opened], Awaitable[None]] | None = None,
) -> Opened:
    """Open a person with a key, a profile, one account and, if given, a login: all but the key in one commit.

    The key comes first, in the database of keys: one without a person, after a failure, is nobody's and harms nobody.
    `within` does more in that commit; what it raises undoes all of it. Raises Conflict when the login is taken,
    ValueError when a name or password breaks its rule, KeysUnavailable.
    """
    if (login is None) != (password is None):
        raise ValueError("A login and a password come together.")
    name = normalise_display_name(display_name)
    secret = None
    if login is not None and password is not None:
        # Hashed before the transaction: its fifty milliseconds hold no connection.
        secret = (normalise_login(login), await hash_password(password))
    (person,) = await _prepare(keys, tenant_id, [name])
    try:
        async with in_tenant(pool, tenant_id) as connection:
            (opened,) = await _open_people(connection, tenant_id, role, [person], status)
            if secret is not None:
                plain, password_hash = secret
                index = await keys.index(tenant_id, LOGIN_FIELD, plain)
                sealed = person.cipher.seal(*LOGIN.at(person.id), plain)
                # Not by an error: the server would write what is in the way into its log.
                if not await connection.fetchval(
                    INSERT_CREDENTIALS, tenant_id, person.id, index, sealed, password_hash, plain
                ):
                    raise Conflict("That login is taken.")
            if within is not None:
                await within(connection, opened)
    except asyncpg.UniqueViolationError:
        raise Conflict("That account number is taken.") from None
    return opened


async def open_people(pool: Pool, keys: Safe, tenant_id: int, role: Role, display_names: Sequence[str]) -> list[Opened]:
    """Open thousands of people without logins, each with a key and one account, in order."""
    names = [normalise_display_name(name) for name in display_names]
    people = await _prepare(keys, tenant_id, names)
    async with in_tenant(pool, tenant_id) as connection:
        return await _open_people(connection, tenant_id, role, people)


async def open_account(pool: Pool, tenant_id: int, person_id: str, floor: int = 0) -> int:
    """Open one more account and return its number. `floor` is minor units, 0 or less.

    Raises NotFound when the tenant has no such person.
    """
    _check_floor(floor)
    async with in_tenant(pool, tenant_id) as connection:
        # The share lock keeps the person from being erased until the account is there.
        known = await connection.fetchval(
            "select true from persons where tenant_id = $1 and id = $2 for key share", tenant_id, person_id
        )
        if not known:
            raise NotFound
        (account_id,) = await _open_accounts(connection, tenant_id, [person_id], floor)
    return account_id


async def set_floor(pool: Pool, tenant_id: int, account_id: int, floor: int) -> None:
    """Change how far below zero (minor units, 0 or less) the account may go, from its next payment on.

    A balance already below the new floor stays and can only receive. Raises NotFound.
    """
    _check_floor(floor)
    async with acquire(pool) as connection:
        if not await connection.fetchval("select set_floor($1, $2, $3)", tenant_id, account_id, floor):
            raise NotFound


async def list_accounts(pool: Pool, tenant_id: int, person_id: str) -> list[Account]:
    """The person's accounts, oldest first; none for somebody unknown."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_ACCOUNTS, tenant_id, person_id)
    return list(map(to_account, rows))


def to_account(row: asyncpg.Record) -> Account:
    """A row of LIST_ACCOUNTS as an account."""
    return Account(**{**row, "person_id": str(row["person_id"])})


class _Prepared(NamedTuple):
    """Somebody who has a key and is not there yet."""

    id: str
    cipher: Cipher
    sealed_name: bytes
    # The same as a field, and the keyed hash by which it is found.
    sealed_field: bytes
    mark: bytes


async def _prepare(keys: Safe, tenant_id: int, names: Sequence[str]) -> list[_Prepared]:
    person_ids = [str(uuid.uuid4()) for _ in names]
    ciphers = await keys.of(tenant_id, person_ids, create=True)
    field = str(int(Kind.NAME))
    return [
        _Prepared(
            person_id,
            cipher := ciphers[person_id],
            cipher.seal(*DISPLAY_NAME.at(person_id), name),
            cipher.seal(*PERSON_FIELD.at(person_id, field, "1"), name),
            await keys.index(tenant_id, FIELDS[Kind.NAME].name, fold_name(name)),
        )
        for person_id, name in zip(person_ids, names, strict=True)
    ]


async def _open_people(
    connection: Connection,
    tenant_id: int,
    role: Role,
    people: Sequence[_Prepared],
    status: PersonStatus = PersonStatus.ACTIVE,
) -> list[Opened]:
    person_ids = [person.id for person in people]
    await connection.execute(INSERT_PERSONS, tenant_id, person_ids, int(role), int(status))
    await connection.execute(INSERT_PROFILES, tenant_id, person_ids, [person.sealed_name for person in people])
    sealed, marks = [person.sealed_field for person in people], [person.mark for person in people]
    await connection.execute(INSERT_NAMES, tenant_id, person_ids, int(Kind.NAME), sealed, marks)
    account_ids = await _open_accounts(connection, tenant_id, person_ids, floor=0)
    return list(map(Opened, person_ids, account_ids))


async def _open_accounts(connection: Connection, tenant_id: int, person_ids: Sequence[str], floor: int) -> list[int]:
    """One account each, in order. A number that was taken is drawn again; the persons are known."""
    opened: dict[str, int] = {}
    waiting = list(person_ids)
    for _ in range(ACCOUNT_NUMBER_TRIES_MAX):
        proposed = {_draw_account_number(): person_id for person_id in waiting}
        rows = await connection.fetch(
            "select open_accounts($1, $2, $3, $4)", tenant_id, list(proposed.values()), list(proposed), floor
        )
        opened.update((proposed[number], number) for (number,) in rows)
        waiting = [person_id for person_id in waiting if person_id not in opened]
        if not waiting:
            return [opened[person_id] for person_id in person_ids]
    raise Unavailable("No free account number was found.")


def _draw_account_number() -> int:
    return ACCOUNT_NUMBER_MIN + secrets.randbelow(ACCOUNT_NUMBER_COUNT)


def _check_floor(floor: int) -> None:
    if not -BALANCE_MAX <= floor <= 0:
        raise ValueError("A floor is 0 or less.")


async def read_tenant(pool: Pool, tenant_id: int) -> Tenant:
    """The tenant with this id. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(
            "select id, slug, name, currency, time_zone, country from tenants where id = $1", tenant_id
        )
    if row is None:
        raise NotFound("There is no such tenant.")
    return Tenant(**row)

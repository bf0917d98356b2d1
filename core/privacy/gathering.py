"""Reads what is known of one person, table by table, as the register says whose rows and columns are: for an export.

A page at a time, in the order of each table's key, with whatever is sealed opened. What a column says about somebody
else is left out; secrets are nobody's to read.
"""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from core.bulk.words import read_words
from core.database import Pool, in_tenant
from core.keys.places import Place
from core.keys.safe import Safe
from core.ledger.reading import read_entries_after
from core.ledger.words import Words, open_words
from core.nouns import SYSTEM_ACCOUNT_MAX, Action, Entry, Kind, Measure, PaymentStatus, SystemAccount
from core.people.persons import read_payee_names
from core.privacy.classes import Owner, Table, Way
from core.privacy.names import name_of
from core.privacy.tables import LEDGER, TENANT, place_of

# One page may have to pass many rows of others.
TIMEOUT_S: Final = 60.0
# The twin of a column that holds it sealed.
SEALED_SUFFIX: Final = "_sealed"
# A column that holds nothing but what is sealed, and what its value is told as.
SEALED: Final = "sealed"
VALUE: Final = "value"
# What they say stands in a table of its own.
LINES: Final = "bulk_lines"

# Columns in the order of each table's key.
READ_KEYS: Final = """
select c.relname as table, array_agg(a.attname::text order by array_position(x.indkey, a.attnum)) as columns,
       array_agg(format_type(a.atttypid, a.atttypmod) order by array_position(x.indkey, a.attnum)) as types
  from pg_index x
  join pg_class c on c.oid = x.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum = any (x.indkey)
 where n.nspname = 'payhub' and x.indisprimary
 group by c.relname
"""
READ_ACCOUNTS: Final = "select id, version from accounts where tenant_id = $1 and person_id = $2 order by opened_at, id"
READ_REFUSED: Final = """
select id::text, payer, payee, amount, kind, status, judged_at, subject::text, charge::text, metadata::text,
       description, description_sealed, asked_by::text
  from payments
 where tenant_id = $1 and payer = any ($2::bigint[]) and payer_version is null and judged_at <= $3
   and ($4::timestamptz is null or (judged_at, id) < ($4, $5::uuid))
 order by judged_at desc, id desc
 limit $6
"""
READ_DECISIONS: Final = """
select decisions.payment_id::text, rules.name, decisions.measure, decisions.measured, decisions.max, decisions.action
  from unnest($2::uuid[]) as wanted (id)
  join decisions on decisions.tenant_id = $1 and decisions.payment_id = wanted.id
  left join rules on rules.tenant_id = decisions.tenant_id and rules.id = decisions.rule
"""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


class Person(NamedTuple):
    """Whose data is read: the person's id and the numbers of their accounts."""

    tenant_id: int
    id: str
    accounts: tuple[int, ...]

    def given(self) -> dict[str, object]:
        """What a query can ask for (Query.argument), by name."""
        return {
            "person": self.id,
            "accounts": list(self.accounts),
            "texts": [self.id, *map(str, self.accounts)],
        }


class Key(NamedTuple):
    """A table's key, but for the tenant: its columns and their types."""

    columns: tuple[str, ...]
    types: tuple[str, ...]


class Page(NamedTuple):
    """Some rows, and where the next page goes on; None: that was all."""

    rows: list[Row]
    after: list[str] | None


async def read_keys(pool: Pool) -> dict[str, Key]:
    """The key of each table."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(READ_KEYS)
    found = {}
    for table, columns, types in rows:
        pairs = [(name, type_) for name, type_ in zip(columns, types, strict=True) if name != TENANT]
        found[table] = Key(tuple(name for name, _ in pairs), tuple(type_ for _, type_ in pairs))
    return found


async def read_accounts(pool: Pool, tenant_id: int, person_id: str) -> dict[int, int]:
    """The person's accounts, oldest first, with the number of each one's last event."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_ACCOUNTS, tenant_id, person_id)
    return {row["id"]: row["version"] for row in rows}


def shown() -> list[Table]:
    """The tables that an export tells row by row, in its order."""
    return [table for table in LEDGER.values() if table.owners and table.is_shown]


async def read_page(
    pool: Pool, keys: Safe, person: Person, table: Table, key: Key, after: Sequence[str] | None, limit: int
) -> Page:
    """The next rows of a table that are this person's, in the order of its key."""
    query, names = query_of(table, key, has_after=after is not None)
    given = person.given() | {"after": list(after or ()), "limit": limit}
    async with in_tenant(pool, person.tenant_id) as connection:
        found = await connection.fetch(query, person.tenant_id, *(given[name] for name in names), timeout=TIMEOUT_S)
    holders = {row[f"whose_{name}"] for row in found for name, _ in _places(table) if row[f"sealed_{name}"] is not None}
    ciphers = await keys.of(person.tenant_id, holders)
    rows = []
    for row in found:
        told: Row = msgspec.json.decode(row["told"])
        for name, place in _places(table):
            cipher = ciphers.get(row[f"whose_{name}"])
            sealed = row[f"sealed_{name}"]
            opened = None if cipher is None else cipher.open_bytes(place.table, name, row[f"place_{name}"], sealed)
            # A column that was sealed later stands as it was in rows of before.
            called = called_of(name)
            told[called] = told.get(called) if opened is None else _told_bytes(table, name, opened)
        rows.append(_mine_alone(table, told, row["mine"]))
    if table.name == LINES:
        await _add_words(pool, keys, person.tenant_id, rows)
    return Page(rows, found[-1]["key"] if len(found) == limit else None)


async def read_entries(
    pool: Pool, keys: Safe, person: Person, account: int, after: int, upto: int, limit: int
) -> list[Row]:
    """An account's entries above a number, up to another, oldest first, with the names of the other sides as shown."""
    found = await read_entries_after(pool, person.tenant_id, account, after, min(limit, upto - after), keys)
    decided = await _decisions(pool, person.tenant_id, [entry.payment for entry in found])
    names = await _names(pool, keys, person.tenant_id, {entry.counterparty for entry in found})
    return [_entry(entry, names, decided) for entry in found]


async def read_refused(
    pool: Pool, keys: Safe, person: Person, as_of: datetime, after: Sequence[str] | None, limit: int
) -> Page:
    """Payments out of the person's accounts that were refused, newest first."""
    at, id_ = (datetime.fromisoformat(after[0]), after[1]) if after else (None, None)
    async with in_tenant(pool, person.tenant_id) as connection:
        found = await connection.fetch(
            READ_REFUSED, person.tenant_id, list(person.accounts), as_of, at, id_, limit, timeout=TIMEOUT_S
        )
    decided = await _decisions(pool, person.tenant_id, [row["id"] for row in found])
    names = await _names(pool, keys, person.tenant_id, {row["payee"] for row in found if row["payee"] is not None})
    written = [Words(row["id"], row["asked_by"], row["description_sealed"], row["description"]) for row in found]
    words = await open_words(keys, person.tenant_id, written)
    rows = [_refused(row, text, names, decided) for row, text in zip(found, words, strict=True)]
    return Page(rows, [found[-1]["judged_at"].isoformat(), found[-1]["id"]] if len(found) == limit else None)


async def _add_words(pool: Pool, keys: Safe, tenant_id: int, lines: Sequence[Row]) -> None:
    """What lines of files say, which is sealed chunk by chunk and not where they lie (core.bulk.words)."""
    for bulk_id, of_bulk in groupby(lines, lambda line: str(line["bulk_id"])):
        some = list(of_bulk)
        async with in_tenant(pool, tenant_id) as connection:
            words = await read_words(connection, keys, tenant_id, bulk_id, some[0]["number"], some[-1]["number"])
        for line in some:
            description, reference = words.of(line["number"])
            line |= {} if description is None else {"description": description}
            line |= {} if reference is None else {"reference": reference}


class Query:
    """A query that gathers its arguments as it is written."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def argument(self, name: str, type_: str) -> str:
        """How the argument of this name stands in the query; the tenant is the first of all."""
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 2}::{type_}"

    def is_mine(self, owner: Owner, alias: str) -> str:
        """The condition that a row is the person's by this owner."""
        column = f"{alias}.{owner.column}"
        if owner.way is Way.PERSON:
            return f"{column} = {self.argument('person', 'uuid')}"
        if owner.way is Way.ACCOUNT:
            return f"{column} = any ({self.argument('accounts', 'bigint[]')})"
        if owner.way is Way.TEXT:
            return f"{column} = any ({self.argument('texts', 'text[]')})"
        assert owner.table is not None
        above = f"{alias}_{owner.table}"
        owners = [one for one in LEDGER[owner.table].owners if owner.of in (None, one.column)]
        mine = " or ".join(self.is_mine(one, above) for one in owners)
        # Every name is a constant of the register.
        return (
            f"exists (select from {owner.table} as {above} where {above}.tenant_id = {alias}.tenant_id"
            f" and {above}.{owner.key} = {column} and ({mine}))"
        )


def query_of(table: Table, key: Key, *, has_after: bool) -> tuple[str, tuple[str, ...]]:
    """A page's query, and the names of its arguments. Every name in it is a constant of the register or a catalogue."""
    query = Query()
    told = ", ".join(f"'{name}', {_told_as(table, name)}" for name in _told_plainly(table))
    mine = [query.is_mine(owner, "one") for owner in table.owners]
    columns = [
        f"jsonb_build_object({told})::text as told",
        f"array[{', '.join(f'one.{name}::text' for name in key.columns)}] as key",
        f"array[{', '.join(f'({one}) is true' for one in mine)}] as mine",
    ]
    for name, place in _places(table):
        columns += [
            f"one.{name} as sealed_{name}",
            f"({_whose(place)})::text as whose_{name}",
            f"{place.named} as place_{name}",
        ]
    conditions = [f"one.{TENANT} = $1", f"({' or '.join(mine)})"]
    order = ", ".join(f"one.{name}" for name in key.columns)
    if has_after:
        after = query.argument("after", "text[]")
        values = ", ".join(f"({after})[{at}]::{type_}" for at, type_ in enumerate(key.types, 1))
        conditions.append(f"({order}) > ({values})")
    return (
        f"select {', '.join(columns)} from {table.name} as one where {' and '.join(conditions)}"  # noqa: S608
        f" order by {order} limit {query.argument('limit', 'int')}",
        tuple(query.names),
    )


def told_of(table: Table) -> list[str]:
    """What a row of a table is told as: the names of its values."""
    sealed = [called_of(name) for name, _ in _places(table)]
    return list(dict.fromkeys([*_told_plainly(table), *sealed]))


def called_of(name: str) -> str:
    """What a sealed column's value is told as."""
    return VALUE if name == SEALED else name.removesuffix(SEALED_SUFFIX)


def _told_plainly(table: Table) -> list[str]:
    sealed = {name for name, _ in _places(table)}
    return [*table.others, *(name for name, one in table.personal.items() if one.is_told and name not in sealed)]


def _places(table: Table) -> list[tuple[str, Place]]:
    """The columns that are told and sealed."""
    found = []
    for name, column in table.personal.items():
        place = place_of(table, name)
        if place is not None and column.is_told:
            found.append((name, place))
    return found


def _told_as(table: Table, name: str) -> str:
    column = table.personal.get(name)
    if column is not None and column.is_bytes:
        return f"translate(encode(one.{name}, 'base64'), chr(10), '')"
    return f"one.{name}"


def _told_bytes(table: Table, name: str, opened: bytes) -> str:
    return base64.b64encode(opened).decode() if table.personal[name].is_bytes else opened.decode()


def _whose(place: Place) -> str:
    """Whose key sealed a column of this row."""
    if place.account is None:
        return f"one.{place.person}"
    owner = (
        f"(select owner.person_id from accounts as owner where owner.tenant_id = one.{TENANT}"  # noqa: S608
        f" and owner.id = one.{place.account})"
    )
    return owner if place.person is None else f"coalesce({owner}, one.{place.person})"


def _mine_alone(table: Table, told: Row, mine: Sequence[bool]) -> Row:
    """What of a row is the person's to know, with names for numbers and without what is not there."""
    owned = {owner.column for owner, is_mine in zip(table.owners, mine, strict=True) if is_mine}
    return {
        name: name_of(table.name, name, value)
        for name, value in told.items()
        if value is not None and owned.intersection(_about(table, name) or owned)
    }


def _about(table: Table, name: str) -> tuple[str, ...] | None:
    column = table.personal.get(name) or table.personal.get(SEALED if name == VALUE else f"{name}{SEALED_SUFFIX}")
    return None if column is None else column.of


async def _decisions(pool: Pool, tenant_id: int, payments: Sequence[str]) -> dict[str, Row]:
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_DECISIONS, tenant_id, payments)
    return {
        id_: {
            "rule": name,
            "measure": Measure(measure).name.lower(),
            "measured": measured,
            "max": most,
            "action": Action(action).name.lower(),
        }
        for id_, name, measure, measured, most, action in rows
    }


async def _names(pool: Pool, keys: Safe, tenant_id: int, accounts: set[int]) -> dict[int, str]:
    return await read_payee_names(pool, keys, tenant_id, sorted(accounts))


def _other_side(account: int, names: dict[int, str]) -> Row:
    """The other side as it was shown: a name; one of the institution's own books; or somebody who was erased."""
    if account <= SYSTEM_ACCOUNT_MAX:
        books = {int(one): one.name.lower() for one in SystemAccount}
        return {"counterparty": account, "counterparty_book": books.get(account, "other")}
    if account in names:
        return {"counterparty": account, "counterparty_name": names[account]}
    return {"counterparty": account, "counterparty_erased": True}


def to_time(us: int) -> str:
    """Microseconds since the epoch as the export tells them."""
    return (EPOCH + timedelta(microseconds=us)).isoformat()


def _entry(entry: Entry, names: dict[int, str], decided: dict[str, Row]) -> Row:
    row: Row = {
        "account": entry.account,
        "number": entry.number,
        "payment": entry.payment,
        "at": to_time(entry.judged_at_us),
        "kind": Kind(entry.kind).name.lower(),
        "amount": entry.amount,
        "balance": entry.balance,
        **_other_side(entry.counterparty, names),
    }
    more = {
        "description": entry.description,
        "about": entry.subject,
        "charge": entry.charge,
        "hold": entry.hold or None,
        "held": entry.held,
        "fee": entry.fee or None,
        "metadata": None if entry.metadata is None else msgspec.json.decode(entry.metadata),
        "decision": decided.get(entry.payment),
    }
    return row | {name: value for name, value in more.items() if value is not None}


def _refused(refused: asyncpg.Record, text: str | None, names: dict[int, str], decided: dict[str, Row]) -> Row:
    row: Row = {
        "payment": refused["id"],
        "payer": refused["payer"],
        "at": refused["judged_at"].isoformat(),
        "kind": Kind(refused["kind"]).name.lower(),
        "status": PaymentStatus(refused["status"]).name.lower(),
    }
    if refused["payee"] is not None:
        row |= _other_side(refused["payee"], names)
    more = {
        "amount": refused["amount"],
        "description": text,
        "about": refused["subject"],
        "charge": refused["charge"],
        "metadata": None if refused["metadata"] is None else msgspec.json.decode(refused["metadata"]),
        "decision": decided.get(refused["id"]),
    }
    return row | {name: value for name, value in more.items() if value is not None}

"""Terminals (tills): named, allowed to refund or not, revoked, and logged in by a key that never leaves them.

A terminal belongs to one account of its merchant. Its session is its own; when what it may do is changed, it gets
another one, so that nothing that was given for the old one lasts.
"""

import datetime
import hmac
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import CredentialsRefused, NotFound
from core.keys.places import TERMINAL_NAME
from core.keys.safe import Safe
from core.machines.naming import open_names, sealer_of
from core.nonces import spend
from core.people.persons import PersonStatus, Role
from core.people.sessions import end_session, open_session

# A supermarket chain pairs its tills under one merchant per shop; a shop has fewer.
TERMINALS_MAX: Final = 200
LISTED_MAX: Final = 400

COLUMNS: Final = """
       id::text, person_id::text, account_id, session_id::text, name_sealed, may_refund, algorithm, paired_at,
       revoked_at, last_used_on, last_used_network
"""
READ: Final = f"select {COLUMNS} from terminals where tenant_id = $1 and id = $2 for no key update"  # noqa: S608
LIST: Final = f"""
select {COLUMNS}
  from terminals
 where tenant_id = $1 and person_id = $2
 order by revoked_at is not null, paired_at desc, id desc
 limit $3
"""  # noqa: S608  # the columns are ours
FIND: Final = """
select terminals.person_id::text, terminals.account_id, terminals.session_id::text, terminals.may_refund,
       terminals.thumbprint,
       terminals.revoked_at is null and persons.role = $3 and persons.status = $4
       and exists (select from sessions
                    where sessions.tenant_id = terminals.tenant_id and sessions.id = terminals.session_id
                      and sessions.revoked_at is null and sessions.expires_at > now()) as lives
  from terminals
  join persons on persons.tenant_id = terminals.tenant_id and persons.id = terminals.person_id
 where terminals.tenant_id = $1 and terminals.id = $2
"""
NOTE_USE: Final = """
update terminals set last_used_on = current_date, last_used_network = $3
 where tenant_id = $1 and id = $2
   and (last_used_on is distinct from current_date or last_used_network is distinct from $3)
"""
CHANGE: Final = """
update terminals set name_sealed = $3, may_refund = $4, session_id = $5 where tenant_id = $1 and id = $2
"""
REVOKE: Final = "update terminals set revoked_at = now() where tenant_id = $1 and id = $2"


class Terminal(NamedTuple):
    """A till as it may be shown. `name` None: it cannot be read now."""

    id: str
    person_id: str
    account: int
    session_id: str
    name: str | None
    may_refund: bool
    algorithm: str
    paired_at: datetime.datetime
    revoked_at: datetime.datetime | None
    last_used_on: datetime.date | None
    last_used_network: str | None


class LoggedIn(NamedTuple):
    """A till that has proven its key: for whom it speaks, for which account, and whether it may refund."""

    person_id: str
    account: int
    session_id: str
    may_refund: bool


async def list_terminals(pool: Pool, keys: Safe, tenant_id: int, merchant: str, by: By) -> list[Terminal]:
    """A merchant's tills, those that live first, each group newest first. What others are shown is written down."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST, tenant_id, merchant, LISTED_MAX)
        if rows and by.person_id != merchant:
            await note(connection, tenant_id, by, Act.PERSONAL_DATA_READ, merchant, details={"terminals": len(rows)})
    return await _named(keys, tenant_id, merchant, rows)


async def change_terminal(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    terminal_id: str,
    name: str | None,
    may_refund: bool | None,
    by: By,
    *,
    whose: str | None = None,
) -> tuple[Terminal, str | None]:
    """Give a till another name, or another right to refund; None leaves it as it is.

    Returns it with the session that has ended by that, if one has. Raises NotFound, also for a revoked one, and
    KeysUnavailable, for a name alone.
    """
    sealed = None
    if name is not None:
        async with in_tenant(pool, tenant_id) as connection:
            merchant = (await read_terminal(connection, tenant_id, terminal_id, whose))["person_id"]
        sealed = (await sealer_of(pool, keys, tenant_id, merchant)).seal(*TERMINAL_NAME.at(terminal_id), name)
    async with in_tenant(pool, tenant_id) as connection:
        row = await read_terminal(connection, tenant_id, terminal_id, whose)
        if row["revoked_at"] is not None:
            raise NotFound
        session_id, ended = row["session_id"], None
        refunds = row["may_refund"] if may_refund is None else may_refund
        if refunds != row["may_refund"]:
            ended, session_id = session_id, str(uuid.uuid4())
            await end_session(connection, tenant_id, ended)
            await open_session(connection, tenant_id, row["person_id"], session_id, None)
        if sealed is not None or ended is not None:
            await connection.execute(CHANGE, tenant_id, terminal_id, sealed or row["name_sealed"], refunds, session_id)
            # Of the name, only that it changed: it is somebody's own words.
            details = {"renamed": sealed is not None, "may_refund": refunds}
            await note(connection, tenant_id, by, Act.TERMINAL_CHANGED, terminal_id, details=details)
        row = await read_terminal(connection, tenant_id, terminal_id)
    return (await _named(keys, tenant_id, row["person_id"], [row]))[0], ended


async def revoke_terminal(
    pool: Pool, keys: Safe, tenant_id: int, terminal_id: str, by: By, *, whose: str | None = None
) -> Terminal:
    """End a till and its session. Once more is the same. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await read_terminal(connection, tenant_id, terminal_id, whose)
        if row["revoked_at"] is None:
            await connection.execute(REVOKE, tenant_id, terminal_id)
            await end_session(connection, tenant_id, row["session_id"])
            await note(connection, tenant_id, by, Act.TERMINAL_REVOKED, terminal_id)
        row = await read_terminal(connection, tenant_id, terminal_id)
    return (await _named(keys, tenant_id, row["person_id"], [row]))[0]


async def log_in_terminal(
    pool: Pool,
    tenant_id: int,
    terminal_id: str,
    thumbprint: str,
    things: Sequence[str],
    until_s: float,
    network: str | None,
) -> LoggedIn | None:
    """The till that has just proven the key with this thumbprint. `things` are used up until `until_s`.

    None: one of them was used before. Raises CredentialsRefused for an unknown, revoked or blocked till, and for
    another one's key.
    """
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(FIND, tenant_id, terminal_id, int(Role.MERCHANT), int(PersonStatus.ACTIVE))
        if row is None or not hmac.compare_digest(row["thumbprint"], thumbprint) or not row["lives"]:
            raise CredentialsRefused
        person_id, account, session_id, may_refund, _, _ = row
        if not await spend(connection, tenant_id, things, until_s):
            return None
        await connection.execute(NOTE_USE, tenant_id, terminal_id, network)
        await note(connection, tenant_id, By(person_id, session_id, network), Act.TERMINAL_USED, terminal_id)
    return LoggedIn(person_id, account, session_id, may_refund)


async def read_terminal(
    connection: Connection, tenant_id: int, terminal_id: str, whose: str | None = None
) -> asyncpg.Record:
    """The row of a till, held until the transaction ends; with `whose`, only this merchant's. Raises NotFound."""
    row = await connection.fetchrow(READ, tenant_id, terminal_id)
    if row is None or whose not in {None, row["person_id"]}:
        raise NotFound
    return row


def to_terminal(row: asyncpg.Record, name: str | None) -> Terminal:
    """A row with its name opened."""
    return Terminal(*row)._replace(name=name)


async def _named(keys: Safe, tenant_id: int, merchant: str, rows: Sequence[asyncpg.Record]) -> list[Terminal]:
    sealed = [(row["id"], row["name_sealed"]) for row in rows]
    names = await open_names(keys, tenant_id, merchant, TERMINAL_NAME, sealed)
    return [to_terminal(row, name) for row, name in zip(rows, names, strict=True)]

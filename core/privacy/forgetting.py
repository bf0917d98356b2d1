"""Removes what the register says goes with a person: rows, and values of rows that stay. In batches, each a commit.

What is sealed and stays is not touched: without its key it is noise. Again it changes nothing.
"""

from collections.abc import Sequence
from typing import Final

from core.database import Pool, in_tenant
from core.privacy.classes import Owner, Rows, Table
from core.privacy.gathering import Person, Query
from core.privacy.tables import LEDGER, TENANT

BATCH: Final = 5_000


async def forget(pool: Pool, person: Person, rows: Rows) -> dict[str, int]:
    """Remove the person's rows that go now, and empty what is emptied: how many, by table."""
    assert rows is not Rows.STAY, "what stays, stays"
    done: dict[str, int] = {}
    # What refers to others stands behind them in the register, and goes first.
    for table in reversed(LEDGER.values()):
        count = 0
        if table.rows is rows:
            count = await _repeat(pool, person, *_removal(table))
        elif rows is Rows.GO_AT_ONCE:
            for column in blanked(table):
                count += await _repeat(pool, person, *_emptying(table, column))
        if count:
            done[table.name] = count
    return done


def blanked(table: Table) -> list[str]:
    """The columns of a table that an erasure empties."""
    return [name for name, column in table.personal.items() if column.is_blanked or column.consent is not None]


def _removal(table: Table) -> tuple[str, Sequence[str]]:
    condition, names = _mine(table, table.owners)
    # Names out of the register, which are constants of ours.
    return (
        f"delete from {table.name} where ctid = any (array(select one.ctid from {table.name} as one"  # noqa: S608
        f" where {condition} limit {BATCH}))",
        names,
    )


def _emptying(table: Table, column: str) -> tuple[str, Sequence[str]]:
    about = table.personal[column].of
    owners = [owner for owner in table.owners if about is None or owner.column in about]
    condition, names = _mine(table, owners)
    return (
        f"update {table.name} set {column} = null where ctid = any (array(select one.ctid from {table.name} as one"  # noqa: S608
        f" where {condition} and one.{column} is not null limit {BATCH}))",
        names,
    )


def _mine(table: Table, owners: Sequence[Owner]) -> tuple[str, Sequence[str]]:
    query = Query()
    mine = " or ".join(f"({query.is_mine(owner, 'one')})" for owner in owners)
    return f"one.{TENANT} = $1 and ({mine})", query.names


async def _repeat(pool: Pool, person: Person, statement: str, names: Sequence[str]) -> int:
    given = person.given()
    count = 0
    while True:
        async with in_tenant(pool, person.tenant_id) as connection:
            status = await connection.execute(
                statement, person.tenant_id, *(given[name] for name in names), timeout=60.0
            )
        done = int(status.split()[-1])
        count += done
        if done < BATCH:
            return count

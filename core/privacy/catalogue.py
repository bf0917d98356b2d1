"""The register against the databases: what one has and the other has not. Read by a test, and by `payhub privacy`."""

from collections.abc import Mapping
from typing import Final

from core.database import Connection
from core.privacy.classes import Rows, Table, Way
from core.privacy.tables import LEDGER, TENANT, columns_of, place_of

COLUMNS: Final = """
select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
       not a.attnotnull as is_null
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where n.nspname = 'payhub' and c.relkind in ('r', 'p')
 order by c.relname, a.attnum
"""
# What an erasure does, the serving role has to be allowed to do.
MAY = "select has_table_privilege('payhub_app', $1, 'delete'), has_any_column_privilege('payhub_app', $1, 'update')"
MAY_BLANK = "select has_column_privilege('payhub_app', $1, $2, 'update')"


async def read_types(connection: Connection) -> dict[str, dict[str, tuple[str, bool]]]:
    """Each table's columns: their types, and whether they may be null."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for row in await connection.fetch(COLUMNS):
        found.setdefault(row["table"], {})[row["column"]] = row["type"], row["is_null"]
    return found


async def find_gaps(connection: Connection, register: Mapping[str, Table]) -> list[str]:
    """What is wrong with the register, in sentences: nothing, if it says the truth about this database."""
    found = await read_types(connection)
    gaps = [f"table {name} is in the register and not in the database" for name in register.keys() - found.keys()]
    for name, columns in found.items():
        table = register.get(name)
        if table is None:
            gaps.append(f"table {name} is not in the register (core/privacy/register)")
            continue
        known = columns_of(table) | {TENANT}
        gaps += [f"column {name}.{column} is not classified" for column in columns if column not in known]
        gaps += [f"column {name}.{column} is classified and not there" for column in known - columns.keys() - {TENANT}]
        gaps += _contradictions(table, columns)
    return sorted(gaps)


async def find_powerless(connection: Connection) -> list[str]:
    """What the register says an erasure does, and the serving role may not do."""
    gaps = []
    for table in LEDGER.values():
        if table.rows is not Rows.STAY:
            may_delete, _ = (await connection.fetch(MAY, f"payhub.{table.name}"))[0]
            if not may_delete:
                gaps.append(f"rows of {table.name} cannot be removed")
        for name, column in table.personal.items():
            if (column.is_blanked or column.consent) and not await connection.fetchval(
                MAY_BLANK, f"payhub.{table.name}", name
            ):
                gaps.append(f"column {table.name}.{name} cannot be emptied")
    return gaps


def _contradictions(table: Table, columns: Mapping[str, tuple[str, bool]]) -> list[str]:
    gaps = []
    if len({*table.others, *table.hidden, *table.personal}) != len(table.others) + len(table.hidden) + len(
        table.personal
    ):
        gaps.append(f"table {table.name} has a column twice in the register")
    if bool(table.personal) != bool(table.owners):
        gaps.append(f"table {table.name} has personal columns and nobody whose they are, or the other way round")
    for owner in table.owners:
        if owner.column not in columns:
            gaps.append(f"table {table.name} is said to be owned by {owner.column}, which is not there")
        if owner.way is Way.ROW and owner.table not in LEDGER:
            gaps.append(f"table {table.name} is said to be owned through {owner.table}, which is not there")
    if table.moment is not None and table.moment not in columns:
        gaps.append(f"table {table.name} is said to have its moment in {table.moment}, which is not there")
    for name, column in table.personal.items():
        place = place_of(table, name)
        if (place is None) == (column.plain is None):
            gaps.append(
                f"column {table.name}.{name} is neither sealed (core/keys/places.py) nor explained"
                if place is None
                else f"column {table.name}.{name} is sealed and explained away"
            )
        if place is not None and columns.get(name, ("", True))[0] != "bytea":
            gaps.append(f"column {table.name}.{name} is said to be sealed and does not hold bytes")
        if column.consent is not None and table.owners[0].way is not Way.PERSON:
            gaps.append(f"column {table.name}.{name} rests on the consent of somebody who is not known")
        if (column.is_blanked or column.consent) and not columns.get(name, ("", False))[1]:
            gaps.append(f"column {table.name}.{name} is to be emptied and may not be null")
        if column.of is not None and not set(column.of) <= {owner.column for owner in table.owners}:
            gaps.append(f"column {table.name}.{name} is about somebody who does not own the row")
        if column.plain is not None and not all(words.strip() for words in column.plain):
            gaps.append(f"column {table.name}.{name} is not sealed, and nobody says why")
    return gaps

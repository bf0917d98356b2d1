"""The register as one: each table by its name, and what can be asked of all of them."""

from collections.abc import Iterator
from typing import Final

from core.keys.places import PLACES, Place
from core.privacy.classes import Column, Table
from core.privacy.register import machines, money, notices, papers, people, proofs, rights

TABLES: Final = (
    *people.TABLES,
    *money.TABLES,
    *notices.TABLES,
    *papers.TABLES,
    *machines.TABLES,
    *proofs.TABLES,
    *rights.TABLES,
)
# Of the ledger's database.
LEDGER: Final = {table.name: table for table in TABLES if not table.is_in_keys}
KEYS: Final = {table.name: table for table in TABLES if table.is_in_keys}
# Every tenant table has it, and it is nobody's.
TENANT: Final = "tenant_id"
SEALED: Final = {(place.table, place.column): place for place in PLACES}


def personal() -> Iterator[tuple[Table, str, Column]]:
    """Every column of personal data, of both databases."""
    for table in TABLES:
        for name, column in table.personal.items():
            yield table, name, column


def columns_of(table: Table) -> set[str]:
    """All columns that the register has of a table, but for the tenant."""
    return {*table.others, *table.hidden, *table.personal}


def place_of(table: Table, column: str) -> Place | None:
    """Where a column's data is sealed, if it is."""
    return None if table.is_in_keys else SEALED.get((table.name, column))

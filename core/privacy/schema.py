"""The JSON Schema of an export (draft 2020-12), from the register and the columns' types: what programs can rely on."""

from typing import Any, Final

from core.database import Pool
from core.nouns import Kind, PaymentStatus
from core.privacy.catalogue import read_types
from core.privacy.classes import Table
from core.privacy.gathering import SEALED_SUFFIX, told_of
from core.privacy.making import ENTRIES, FORMAT, REFUSED, SCHEMA, sections
from core.privacy.names import NAMES
from core.privacy.tables import LEDGER

MOMENT: Final = {"type": "string", "format": "date-time"}
TEXT: Final = {"type": "string"}
ID: Final = {"type": "string", "format": "uuid"}
NUMBER: Final = {"type": "integer"}
# What a type of PostgreSQL's becomes in JSON. A column of any other type would be told as text.
TYPES: Final[dict[str, dict[str, Any]]] = {
    "smallint": NUMBER,
    "integer": NUMBER,
    "bigint": NUMBER,
    "boolean": {"type": "boolean"},
    "uuid": ID,
    "date": {"type": "string", "format": "date"},
    "timestamp with time zone": MOMENT,
    "jsonb": {"type": ["object", "array"]},
    "text[]": {"type": "array", "items": TEXT},
    "cidr[]": {"type": "array", "items": TEXT},
}
DECISION: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "rule": {"type": ["string", "null"]},
        "measure": TEXT,
        "measured": NUMBER,
        "max": NUMBER,
        "action": TEXT,
    },
}
# One of the institution's own books; or a name, as it is shown; or somebody who was erased.
OTHER_SIDE: Final = {
    "counterparty": NUMBER,
    "counterparty_name": TEXT,
    "counterparty_book": TEXT,
    "counterparty_erased": {"const": True},
}
WRITTEN: Final = {
    "description": TEXT,
    "metadata": {"type": "object"},
    "about": ID,
    "charge": ID,
    "decision": DECISION,
}
KINDS: Final = {"enum": [one.name.lower() for one in Kind]}


async def read_schema(pool: Pool) -> dict[str, Any]:
    """The schema of exports of this installation."""
    async with pool.acquire() as connection:
        types = await read_types(connection)
    rows: dict[str, Any] = {
        name: _table(LEDGER[name], types[name]) for name in sections() if name not in (ENTRIES, REFUSED)
    }
    rows[ENTRIES] = _object(
        {
            "account": NUMBER,
            "number": NUMBER,
            "payment": ID,
            "at": MOMENT,
            "kind": KINDS,
            "amount": NUMBER,
            "balance": NUMBER,
            **OTHER_SIDE,
        },
        WRITTEN | {"hold": NUMBER, "held": NUMBER, "fee": NUMBER},
        missing={*OTHER_SIDE} - {"counterparty"},
    )
    statuses = {"enum": [one.name.lower() for one in PaymentStatus]}
    rows[REFUSED] = _object(
        {"payment": ID, "payer": NUMBER, "at": MOMENT, "kind": KINDS, "status": statuses},
        WRITTEN | OTHER_SIDE | {"amount": NUMBER},
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "What is held about a person",
        **_object(
            {
                "format": {"const": FORMAT},
                "schema": {"const": SCHEMA},
                "language": {"enum": ["pt", "en"]},
                "tenant": _object({"slug": TEXT, "name": TEXT, "currency": TEXT}),
                "controller": {"type": "object", "required": ["name"]},
                "person": ID,
                "as_of": MOMENT,
                "sections": {"type": "array", "items": SECTION},
                "data": _object({name: {"type": "array", "items": rows[name]} for name in sections()}),
            }
        ),
    }


def _object(
    required: dict[str, Any], optional: dict[str, Any] | None = None, missing: set[str] | None = None
) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in required if name not in (missing or set())],
        "properties": required | (optional or {}),
    }


SECTION: Final = _object(
    {
        "section": TEXT,
        "title": TEXT,
        "purpose": TEXT,
        "basis": _object({"code": TEXT, "article": TEXT, "law": {"type": ["string", "null"]}}),
        "retention": TEXT,
        "recipients": {"type": "array", "items": TEXT},
    }
)


def _table(table: Table, types: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    """A table's rows. What is not there is left out, and so is what is about the other side alone."""
    return _object({}, {name: _value(table, name, types) for name in told_of(table)})


def _value(table: Table, name: str, types: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    names = NAMES.get((table.name, name))
    if names is not None:
        return {"enum": [one.name.lower() for one in names]}
    column = table.personal.get(name) or table.personal.get(f"{name}{SEALED_SUFFIX}")
    if column is not None and column.is_bytes:
        return {"type": "string", "contentEncoding": "base64"}
    found = types.get(name)
    return TEXT if found is None else TYPES.get(found[0], TEXT)

"""Exports against the schema that is served with them."""

import copy
import uuid
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from core.audit.trail import By
from core.database import Pool
from core.keys.safe import Safe
from core.payments.charges import Asked, create_charge
from core.people.sessions import start_session
from core.privacy.consents import Text, give, set_purpose
from core.privacy.schema import read_schema
from tests.conftest import Books
from tests.core.privacy.test_exports import pay, told


@pytest.fixture
async def schema(pool: Pool) -> dict[str, Any]:
    found = await read_schema(pool)
    jsonschema.Draft202012Validator.check_schema(found)
    return found


async def test_what_is_told_fits_the_schema_and_the_schema_bites(
    books: Books, pool: Pool, keys: Safe, schema: dict[str, Any]
) -> None:
    tenant, person = books.tenant, books.people[0].person_id
    await pay(books, [(0, 1, 10), (1, 0, 3)], "Tea")
    await pay(books, [(0, 1, 10_000_000), (0, 0, 1)])
    await start_session(pool, tenant.id, person)
    await create_charge(
        pool, keys, tenant.id, person, Asked(str(uuid.uuid4()), books.account(0), 5, "Tea", "17", False, 60)
    )
    await set_purpose(pool, tenant.id, "marketing", Text("Ofertas", "Podemos?", "Offers", "May we?"), By())
    await give(pool, tenant.id, person, "marketing", 1, By(person, None, "192.0.2.0/24"), "web")
    document = await told(pool, keys, tenant, person)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(document)
    data = document["data"]
    for name in ("profiles", "accounts", "entries", "refused_payments", "sessions", "charges", "consents"):
        assert data[name], name
    for path, value in (
        (("data", "accounts", 0, "balance"), "5"),
        (("data", "accounts", 0, "password_hash"), "x"),
        (("data", "entries", 0, "kind"), "gift"),
        (("data", "sessions", 0, "created_at"), "yesterday"),
        (("person",), "somebody"),
        (("data", "diaries"), []),
    ):
        wrong: Any = copy.deepcopy(document)
        place = wrong
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert not validator.is_valid(wrong), path
    without = {**document, "data": {name: rows for name, rows in data.items() if name != "entries"}}
    assert not validator.is_valid(without)

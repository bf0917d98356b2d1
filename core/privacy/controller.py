"""Who answers for the data: what the institution says of itself, for the record of processing and for incidents.

It stands in the tenant's settings and is written by the installation's administrator alone. It names an institution and
an office, not a customer.
"""

import json
from typing import Final, NamedTuple

from core.audit.trail import NOBODY, Act, note
from core.database import Pool, acquire, in_tenant, transaction
from core.errors import NotFound
from core.privacy.classes import Words

READ: Final = "select slug, name, country, time_zone, settings -> 'privacy' as said from tenants where id = $1"
WRITE: Final = """
update payhub.tenants set settings = jsonb_set(settings, '{privacy}', $2::jsonb) where slug = $1 returning id
"""
LENGTH_MAX: Final = 200
# What has not been said yet, so that nobody overlooks it in a document.
MISSING: Final = Words("[A PREENCHER]", "[TO BE FILLED IN]")


class Controller(NamedTuple):
    """The institution (art. 5, VI) and its officer, the encarregado (art. 41). None: not said yet.

    `document` is the CNPJ. `is_small_agent`: of Resolução CD/ANPD 2/2022, whose clocks run twice as long.
    `keeps_all_identities`: of people who never moved money, too (core/privacy/duties.py).
    """

    name: str
    document: str | None = None
    address: str | None = None
    contact: str | None = None
    officer: str | None = None
    officer_contact: str | None = None
    operator: str | None = None
    is_small_agent: bool = False
    keeps_all_identities: bool = False


class Place(NamedTuple):
    """Where the institution is: for its calendar and its clock."""

    slug: str
    country: str
    time_zone: str


async def read_controller(pool: Pool, tenant_id: int) -> tuple[Controller, Place]:
    """What was said, or the tenant's name alone. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id)
    if row is None:
        raise NotFound
    said = json.loads(row["said"] or "{}")
    return Controller(**{"name": row["name"], **said}), Place(row["slug"], row["country"], row["time_zone"])


async def set_controller(admin: Pool, slug: str, said: Controller) -> None:
    """Say it anew, whole. `admin` is logged in as the administrator. Raises NotFound, ValueError."""
    words = {name: value for name, value in said._asdict().items() if value is not None}
    for name, value in words.items():
        if isinstance(value, str) and not (0 < len(value) <= LENGTH_MAX and value.isprintable()):
            raise ValueError(f"The {name.replace('_', ' ')} is one line of 1 to {LENGTH_MAX} characters.")
    async with acquire(admin) as connection, transaction(connection):
        tenant_id = await connection.fetchval(WRITE, slug, json.dumps(words))
        if tenant_id is None:
            raise NotFound(f"There is no tenant {slug}.")
        await note(connection, tenant_id, NOBODY, Act.PRIVACY_SET, "controller", details={"fields": sorted(words)})

"""Which OpenID providers a tenant believes, and for what. It fetches nothing and judges no token."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal

# A tenant has its own, its parent's, and a public one or two.
PROVIDERS_MAX: Final = 10

COLUMNS: Final = "id, issuer, audience, claim, is_login, algorithms, opens_people, admits_operators"
READ: Final = f"select {COLUMNS} from identity_providers where tenant_id = $1 and id = $2"  # noqa: S608
LIST: Final = f"select {COLUMNS} from identity_providers where tenant_id = $1 order by id"  # noqa: S608
# The tenant's providers are counted while nobody else adds one.
LOCK: Final = "select pg_advisory_xact_lock(hashtext('identity providers'), $1)"
SET: Final = f"""
insert into identity_providers (tenant_id, {COLUMNS}, set_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (tenant_id, id) do update
   set issuer = excluded.issuer, audience = excluded.audience, claim = excluded.claim, is_login = excluded.is_login,
       algorithms = excluded.algorithms, opens_people = excluded.opens_people,
       admits_operators = excluded.admits_operators, set_by = excluded.set_by, set_at = now()
"""  # noqa: S608  # the columns are ours
REMOVE: Final = "delete from identity_providers where tenant_id = $1 and id = $2"


class Provider(NamedTuple):
    """An OpenID provider. `claim` says who somebody is: by a login of ours (`is_login`), otherwise by an id of theirs.

    `audience`: what it calls us (`client_id`). `opens_people`: whoever is unknown becomes a customer.
    `admits_operators`: what it says is enough for operators, too, and all others of the staff.
    """

    id: str
    issuer: str
    audience: str
    claim: str
    is_login: bool
    algorithms: Sequence[str]
    opens_people: bool
    admits_operators: bool


async def set_provider(pool: Pool, tenant_id: int, provider: Provider, by: By) -> None:
    """Write a provider down, or change it. Raises Refusal `too_many_providers`."""
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(LOCK, tenant_id)
        found = {row["id"]: Provider(*row) for row in await connection.fetch(LIST, tenant_id)}
        before = found.get(provider.id)
        if before is None and len(found) >= PROVIDERS_MAX:
            raise Refusal("too_many_providers")
        await connection.execute(SET, tenant_id, *provider, by.person_id)
        details = {"before": _told(before), "after": _told(provider)}
        await note(connection, tenant_id, by, Act.PROVIDER_SET, provider.id, details=details)


async def list_providers(pool: Pool, tenant_id: int) -> list[Provider]:
    """The tenant's providers."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Provider(*row) for row in await connection.fetch(LIST, tenant_id)]


async def read_provider(pool: Pool, tenant_id: int, provider_id: str) -> Provider:
    """One of them. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, provider_id)
    if row is None:
        raise NotFound
    return Provider(*row)


async def remove_provider(pool: Pool, tenant_id: int, provider_id: str, by: By) -> None:
    """Believe it no longer, and forget who its people were. Sessions go on. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, provider_id)
        if row is None:
            raise NotFound
        await connection.execute(REMOVE, tenant_id, provider_id)
        details = {"before": _told(Provider(*row)), "after": None}
        await note(connection, tenant_id, by, Act.PROVIDER_SET, provider_id, details=details)


def _told(provider: Provider | None) -> dict[str, Any] | None:
    return None if provider is None else {**provider._asdict(), "algorithms": [*provider.algorithms]}

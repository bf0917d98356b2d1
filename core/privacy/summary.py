"""What is held about a person, in short and at once (LGPD art. 19, I): which kinds, how much, why, for how long."""

from typing import Final, NamedTuple

from core.database import Pool, in_tenant
from core.privacy.gathering import Person, Query, read_accounts, shown
from core.privacy.making import ENTRIES, explain
from core.privacy.tables import TENANT

# Counting on is no more to know.
COUNT_MAX: Final = 1_000
TIMEOUT_S: Final = 10.0


class Held(NamedTuple):
    """A kind of thing that is held. `explained`: see core.privacy.making.explain. `is_more`: than `rows`."""

    section: str
    rows: int
    is_more: bool
    explained: dict[str, object]


async def summarise(pool: Pool, tenant_id: int, person_id: str, language: str) -> list[Held]:
    """Everything of which there is something."""
    accounts = await read_accounts(pool, tenant_id, person_id)
    person = Person(tenant_id, person_id, tuple(accounts))
    entries = sum(accounts.values())
    held = [Held(ENTRIES, entries, False, explain(ENTRIES, language))] if entries else []
    given = person.given()
    async with in_tenant(pool, tenant_id) as connection:
        for table in shown():
            query = Query()
            mine = " or ".join(f"({query.is_mine(owner, 'one')})" for owner in table.owners)
            count = await connection.fetchval(
                f"select count(*) from (select from {table.name} as one where one.{TENANT} = $1"  # noqa: S608
                f" and ({mine}) limit {COUNT_MAX + 1}) as counted",
                tenant_id,
                *(given[name] for name in query.names),
                timeout=TIMEOUT_S,
            )
            if count:
                held.append(Held(table.name, min(count, COUNT_MAX), count > COUNT_MAX, explain(table.name, language)))
    return held

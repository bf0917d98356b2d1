"""The register of security incidents (LGPD art. 48; Resolução CD/ANPD 15/2024), and whom each of them concerns.

What was hit is said in the register's words: which tables, and the rows of a while or all that there were. So the
persons and the kinds of data are counted by the database, in one pass, and are not somebody's guess at night. Rows are
only ever added; what is learned later is a revision. Nothing is sent anywhere: drafts are drafts.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, acquire, in_tenant
from core.errors import Conflict, NotFound, Refusal
from core.keys.sealing import has_plain
from core.privacy.classes import Kind, Owner, Table, Way
from core.privacy.controller import read_controller
from core.privacy.deadlines import COMPLEMENT_DAYS, TELL_DAYS, doubled, due_by
from core.privacy.tables import LEDGER, place_of

# Scanning all tables of a large tenant once for each kind of data.
TIMEOUT_S: Final = 300.0
TEXT_LENGTH_MAX: Final = 4_000
UUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

COLUMNS: Final = """
id::text, revision, recorded_at, recorded_by::text, known_at, began_at, ended_at, hit::text, is_small_agent,
notes::text, persons, figures::text, total_persons, tell_by, told_authority_at, complement_by, told_persons_at
"""
INSERT: Final = """
insert into incidents (
    tenant_id, id, revision, recorded_by, known_at, began_at, ended_at, hit, is_small_agent, notes, persons, figures,
    total_persons, tell_by, told_authority_at, complement_by, told_persons_at
) values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10::jsonb, $11, $12::jsonb, $13, $14, $15, $16, $17)
"""
READ: Final = f"""
select {COLUMNS} from incidents where tenant_id = $1 and id = $2 order by revision desc limit 1
"""  # noqa: S608 - a constant
LIST: Final = f"""
select {COLUMNS}
  from (
      select distinct on (id) incidents.* from incidents where tenant_id = $1 order by id, revision desc
  ) as newest
 where ($2::uuid is null or (known_at, id) < (
     select known_at, id from incidents where tenant_id = $1 and id = $2 order by revision desc limit 1
 ))
 order by known_at desc, id desc
 limit $3
"""  # noqa: S608 - a constant
LIST_REVISIONS: Final = f"""
select {COLUMNS} from incidents where tenant_id = $1 and id = $2 order by revision
"""  # noqa: S608 - a constant
LOCK: Final = "select pg_advisory_xact_lock($1, hashtext('incident ' || $2))"
COUNT_ALL: Final = """
select count(*) from persons
 where persons.tenant_id = $1 and persons.created_at <= $2
   and not exists (select from erased_persons as gone where gone.tenant_id = $1 and gone.person_id = persons.id)
"""
LIST_PERSONS: Final = """
select person_id::text from incident_persons
 where tenant_id = $1 and incident_id = $2 and person_id > $3
 order by person_id
 limit $4
"""
COUNT_PERSONS: Final = "select count(*) from incident_persons where tenant_id = $1 and incident_id = $2"
COUNT_UNTOLD: Final = "select tenant_id, open, late from count_untold_incidents($1)"
# Below every person.
FIRST: Final = "00000000-0000-0000-0000-000000000000"


class Hit(NamedTuple):
    """What was hit. `tables`: those of the register; none: all with personal data.

    `is_store`: everything that was there by the end of the while, as when a copy of the database got out; otherwise
    what came about within it, as when somebody listened. `keys_too`: what is sealed can be read by whoever has it.
    """

    tables: tuple[str, ...] = ()
    is_store: bool = True
    keys_too: bool = False


class Notes(NamedTuple):
    """What the institution says of it, where it has said so (Res. 15/2024, art. 6, § 2 and art. 10, § 1)."""

    what: str
    cause: str | None = None
    measures_before: str | None = None
    measures_after: str | None = None
    risks: str | None = None
    mitigation: str | None = None
    delay: str | None = None
    not_told_why: str | None = None
    vulnerable: str | None = None  # how many are children, adolescents, elderly


class Figure(NamedTuple):
    """A kind of data that was hit: how many persons', and whether all of it is noise without their keys."""

    kind: Kind
    persons: int
    is_sealed: bool


class Incident(NamedTuple):
    """An incident as it is known. `tell_by`: the first moment that is too late; `complement_by` likewise.

    `persons`: whose data were hit; `total_persons`: of whom the tenant holds any.
    """

    id: str
    revision: int
    recorded_at: datetime
    recorded_by: str | None
    known_at: datetime
    began_at: datetime
    ended_at: datetime
    hit: Hit
    is_small_agent: bool
    notes: Notes
    persons: int
    figures: list[Figure]
    total_persons: int
    tell_by: datetime
    told_authority_at: datetime | None
    complement_by: datetime | None
    told_persons_at: datetime | None


class Untold(NamedTuple):
    """A tenant's incidents that the authority was not told of, with no reason why not: in time, and too late."""

    tenant_id: int
    open: int
    late: int


async def record_incident(
    pool: Pool,
    tenant_id: int,
    incident_id: str,
    known_at: datetime,
    began_at: datetime,
    ended_at: datetime,
    hit: Hit,
    notes: Notes,
    by: By,
) -> Incident:
    """Write an incident down and find whom it concerns. The same id again gives what is known of it.

    Raises Refusal `invalid_field`, Conflict (the id is another incident's), Unavailable.
    """
    _check(hit, notes, began_at, ended_at)
    controller, place = await read_controller(pool, tenant_id)
    days = doubled(TELL_DAYS, is_small_agent=controller.is_small_agent)
    tell_by = due_by(known_at, days, place.country, place.time_zone)
    # From before there were keys.
    leaves_plain = await has_plain(pool, tenant_id)
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(LOCK, tenant_id, incident_id)
        known = await connection.fetchrow(READ, tenant_id, incident_id)
        if known is not None:
            incident = _to_incident(tuple(known))
            if (incident.known_at, incident.began_at, incident.ended_at, incident.hit) != (
                known_at,
                began_at,
                ended_at,
                hit,
            ):
                raise Conflict
            return incident
        is_safe = not hit.keys_too and not leaves_plain
        persons, figures = await _count(connection, tenant_id, incident_id, hit, began_at, ended_at, is_safe=is_safe)
        total = await connection.fetchval(COUNT_ALL, tenant_id, ended_at)
        await _insert(
            connection,
            tenant_id,
            Incident(
                incident_id, 1, known_at, by.person_id, known_at, began_at, ended_at, hit, controller.is_small_agent,
                notes, persons, figures, total, tell_by, None, None, None,
            ),
        )  # fmt: skip
        details = {"persons": persons, "kinds": [figure.kind.value for figure in figures], "tell_by": str(tell_by)}
        await note(connection, tenant_id, by, Act.INCIDENT_RECORDED, incident_id, details=details)
        return _to_incident(tuple((await connection.fetch(READ, tenant_id, incident_id))[0]))


async def revise_incident(
    pool: Pool,
    tenant_id: int,
    incident_id: str,
    by: By,
    *,
    notes: Notes | None = None,
    told_authority_at: datetime | None = None,
    told_persons_at: datetime | None = None,
) -> Incident:
    """Add what was learned or done since, as a revision. What is None stays as it was. Raises NotFound, Refusal."""
    _, place = await read_controller(pool, tenant_id)
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(LOCK, tenant_id, incident_id)
        row = await connection.fetchrow(READ, tenant_id, incident_id)
        if row is None:
            raise NotFound
        before = _to_incident(tuple(row))
        if notes is not None:
            _check(before.hit, notes, before.began_at, before.ended_at)
        told = before.told_authority_at or told_authority_at
        complement_by = before.complement_by
        if complement_by is None and told is not None:
            days = doubled(COMPLEMENT_DAYS, is_small_agent=before.is_small_agent)
            complement_by = due_by(told, days, place.country, place.time_zone)
        after = before._replace(
            recorded_by=by.person_id,
            notes=notes or before.notes,
            told_authority_at=told,
            complement_by=complement_by,
            told_persons_at=before.told_persons_at or told_persons_at,
        )
        if after._replace(recorded_by=before.recorded_by) == before:
            return before
        await _insert(connection, tenant_id, after._replace(revision=before.revision + 1))
        details = {"revision": before.revision + 1, "told_authority": told is not None}
        await note(connection, tenant_id, by, Act.INCIDENT_RECORDED, incident_id, details=details)
        return _to_incident(tuple((await connection.fetch(READ, tenant_id, incident_id))[0]))


async def read_incident(pool: Pool, tenant_id: int, incident_id: str) -> Incident:
    """The incident as it is known now. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, incident_id)
    if row is None:
        raise NotFound
    return _to_incident(tuple(row))


async def list_incidents(pool: Pool, tenant_id: int, limit: int, before: str | None = None) -> list[Incident]:
    """The register: every incident as it is known now, the latest known first."""
    async with in_tenant(pool, tenant_id) as connection:
        return [_to_incident(tuple(row)) for row in await connection.fetch(LIST, tenant_id, before, limit)]


async def list_revisions(pool: Pool, tenant_id: int, incident_id: str) -> list[Incident]:
    """All that was ever written down of an incident, oldest first."""
    async with in_tenant(pool, tenant_id) as connection:
        return [_to_incident(tuple(row)) for row in await connection.fetch(LIST_REVISIONS, tenant_id, incident_id)]


async def list_persons(pool: Pool, tenant_id: int, incident_id: str, limit: int, after: str | None = None) -> list[str]:
    """Ids of whom it concerns, in their order, after one of them."""
    async with in_tenant(pool, tenant_id) as connection:
        return [row[0] for row in await connection.fetch(LIST_PERSONS, tenant_id, incident_id, after or FIRST, limit)]


async def count_untold(pool: Pool, at: datetime | None = None) -> list[Untold]:
    """The tenants with incidents that nobody was told of yet."""
    async with acquire(pool) as connection:
        return [Untold(*row) for row in await connection.fetch(COUNT_UNTOLD, at)]


def tables_hit(hit: Hit) -> list[Table]:
    """The tables that were hit."""
    names = hit.tables or tuple(name for name, table in LEDGER.items() if table.personal)
    return [LEDGER[name] for name in names]


def criteria(figures: Sequence[Figure]) -> list[str]:
    """Which of the criteria are met that oblige to tell (Res. 15/2024, art. 5), as far as the register knows."""
    readable = {figure.kind for figure in figures if not figure.is_sealed}
    found = []
    if Kind.FINANCIAL in readable:
        found.append("III")
    if Kind.SECURITY in readable:
        found.append("IV")
    return found


async def _count(
    connection: Connection,
    tenant_id: int,
    incident_id: str,
    hit: Hit,
    began_at: datetime,
    ended_at: datetime,
    *,
    is_safe: bool,
) -> tuple[int, list[Figure]]:
    """Write down whom it concerns, and count them by kind of data. `is_safe`: what is sealed stays so."""
    tables = tables_hit(hit)
    times = (ended_at,) if hit.is_store else (began_at, ended_at)
    await connection.execute(
        f"insert into incident_persons (tenant_id, incident_id, person_id)"  # noqa: S608 - names of the register
        f" select $1, ${len(times) + 2}::uuid, found.person from ({_persons_of(tables, hit)}) as found",
        tenant_id,
        *times,
        incident_id,
        timeout=TIMEOUT_S,
    )
    persons: int = await connection.fetchval(COUNT_PERSONS, tenant_id, incident_id)
    figures = []
    for kind in Kind:
        those = [table for table in tables if any(kind in column.kinds for column in table.personal.values())]
        if not those:
            continue
        count = await connection.fetchval(
            f"select count(*) from ({_persons_of(those, hit)}) as found",  # noqa: S608 - names of the register
            tenant_id,
            *times,
            timeout=TIMEOUT_S,
        )
        if count:
            figures.append(Figure(kind, count, is_sealed=is_safe and _is_sealed(those, kind)))
    return persons, figures


def _is_sealed(tables: Sequence[Table], kind: Kind) -> bool:
    """Whether all of this kind is sealed, but for what is empty since there are keys."""
    return all(
        place_of(table, name) is not None or place_of(table, f"{name}_sealed") is not None
        for table in tables
        for name, column in table.personal.items()
        if kind in column.kinds
    )


def _persons_of(tables: Sequence[Table], hit: Hit) -> str:
    """The query of those whose rows these tables hold, each once, without those who were erased."""
    parts = " union ".join(_rows_of(table, owner, hit) for table in tables for owner in table.owners)
    return (
        f"select one.person from ({parts}) as one"  # noqa: S608 - names of the register
        " join persons on persons.tenant_id = $1 and persons.id = one.person"
        " where not exists (select from erased_persons as gone"
        " where gone.tenant_id = $1 and gone.person_id = one.person)"
    )


def _rows_of(table: Table, owner: Owner, hit: Hit) -> str:
    when = ""
    if table.moment is not None:
        when = f" and one.{table.moment} <= $2" if hit.is_store else f" and one.{table.moment} between $2 and $3"
    elif not hit.is_store:
        # What has no moment of its own may have come about at any.
        when = " and $2::timestamptz <= $3::timestamptz"
    return " union ".join(
        f"select {person} as person from {table.name} as one{joins}"  # noqa: S608 - names of the register
        f" where one.tenant_id = $1{when} and $2::timestamptz is not null"
        for person, joins in _persons_by(owner, "one", 0)
    )


def _persons_by(owner: Owner, alias: str, depth: int) -> Iterator[tuple[str, str]]:
    """The expressions for whose a row is, and the joins that lead there."""
    column = f"{alias}.{owner.column}"
    if owner.way is Way.PERSON:
        yield column, ""
    elif owner.way is Way.TEXT:
        yield f"case when {column} ~ '{UUID}' then {column}::uuid end", ""
    elif owner.way is Way.ACCOUNT:
        to = f"account_{depth}"
        yield (
            f"{to}.person_id",
            f" join accounts as {to} on {to}.tenant_id = {alias}.tenant_id and {to}.id = {column}",
        )
    else:
        assert owner.table is not None
        to = f"{owner.table}_{depth}"
        join = f" join {owner.table} as {to} on {to}.tenant_id = {alias}.tenant_id and {to}.{owner.key} = {column}"
        for above in LEDGER[owner.table].owners:
            if owner.of in (None, above.column):
                for person, joins in _persons_by(above, to, depth + 1):
                    yield person, join + joins


async def _insert(connection: Connection, tenant_id: int, incident: Incident) -> None:
    await connection.execute(
        INSERT,
        tenant_id,
        incident.id,
        incident.revision,
        incident.recorded_by,
        incident.known_at,
        incident.began_at,
        incident.ended_at,
        json.dumps(incident.hit._asdict()),
        incident.is_small_agent,
        json.dumps(incident.notes._asdict()),
        incident.persons,
        json.dumps([figure._asdict() for figure in incident.figures]),
        incident.total_persons,
        incident.tell_by,
        incident.told_authority_at,
        incident.complement_by,
        incident.told_persons_at,
    )


def _check(hit: Hit, notes: Notes, began_at: datetime, ended_at: datetime) -> None:
    if began_at > ended_at:
        raise Refusal("invalid_field", "It ended before it began.", field="ended_at")
    for name in hit.tables:
        if name not in LEDGER or not LEDGER[name].personal:
            raise Refusal("invalid_field", f"No table of personal data is called {name}.", field="tables")
    for value in notes:
        if value is not None and not 0 < len(value) <= TEXT_LENGTH_MAX:
            raise Refusal("invalid_field", f"A note has 1 to {TEXT_LENGTH_MAX} characters.", field="notes")


def _to_incident(row: tuple[Any, ...]) -> Incident:
    known = dict(zip(Incident._fields, row, strict=True))
    hit, notes, figures = (json.loads(known[name]) for name in ("hit", "notes", "figures"))
    known["hit"] = Hit(tuple(hit["tables"]), hit["is_store"], hit["keys_too"])
    known["notes"] = Notes(**notes)
    known["figures"] = [Figure(Kind(one["kind"]), one["persons"], one["is_sealed"]) for one in figures]
    return Incident(**known)

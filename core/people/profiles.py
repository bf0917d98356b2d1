"""What is known of a person: fields written, with everything that was there before, and read back.

Each value is sealed under its person's key. What a person says of themselves is a statement; a contact is theirs when
they have confirmed it, a document when the tenant has identified them, and then nobody else's in the tenant. Whoever
says what is somebody else's is answered like anybody: its holder is told, and the trail.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Refusal, TooOften, Unavailable
from core.keys.cipher import Cipher
from core.keys.places import PERSON_FIELD
from core.keys.safe import Safe
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.people.fields import CONTACTS, DOCUMENTS, FIELDS, Change, Kind, Value, read_fields
from core.people.persons import PersonStatus, Role, rename
from core.people.settings import read_in as read_settings_in

# Whoever tries out what is whose makes its holder a notice a day, and no more.
WARNED_AGAIN_AFTER: Final = timedelta(days=1)
# Rows are kept for good: so many a day its person may add. Nobody moves house so often.
CHANGES_A_DAY_MAX: Final = 40
DAY: Final = timedelta(days=1)

READ_ROLE = "select role from persons where tenant_id = $1 and id = $2"
LOCK_PERSON = "select role, status from persons where tenant_id = $1 and id = $2 for no key update"
READ_NEWEST = """
select distinct on (one.field)
       one.field, one.number, one.sealed, one.set_at, one.set_by::text, one.session_id::text, held.held_at
  from person_fields as one
  left join held_fields as held
    on held.tenant_id = one.tenant_id and held.person_id = one.person_id and held.field = one.field
   and held.number = one.number
 where one.tenant_id = $1 and one.person_id = $2
 order by one.field, one.number desc
"""
READ_HISTORY = """
select one.field, one.number, one.sealed, one.set_at, one.set_by::text, one.session_id::text, held.held_at
  from person_fields as one
  left join held_fields as held
    on held.tenant_id = one.tenant_id and held.person_id = one.person_id and held.field = one.field
   and held.number = one.number
 where one.tenant_id = $1 and one.person_id = $2
   and ($3::smallint is null or one.field = $3)
   and ($4::timestamptz is null or (one.set_at, one.field, one.number) < ($4, $5::smallint, $6::int))
 order by one.set_at desc, one.field desc, one.number desc
 limit $7
"""
WRITE = """
insert into person_fields (tenant_id, person_id, field, number, sealed, mark, set_by, session_id)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
COUNT_CHANGES = """
select count(*) from person_fields
 where tenant_id = $1 and person_id = $2 and set_by = $2 and set_at > clock_timestamp() - $3::interval
"""
FIND_HOLDER = "select person_id::text, number from held_fields where tenant_id = $1 and field = $2 and mark = $3"
HOLD = """
insert into held_fields (tenant_id, field, mark, person_id, number) values ($1, $2, $3, $4, $5)
    on conflict do nothing returning true
"""
LET_GO = "delete from held_fields where tenant_id = $1 and person_id = $2 and field = $3 returning number"
IS_WARNED = """
select exists (
    select from audit_entries
     where tenant_id = $1 and about = $2 and what = $3 and at > clock_timestamp() - $4::interval
       and details ->> 'field' = $5
)
"""


class Known(NamedTuple):
    """A field as it was set. `value` None: it was taken away, or its person erased. `held_at`: theirs since then."""

    kind: Kind
    number: int
    value: str | None
    set_at: datetime
    set_by: str | None
    session_id: str | None
    held_at: datetime | None


class Stated(NamedTuple):
    """A value that is to be written. None: it is taken away. `mark`: by which it is found."""

    kind: Kind
    value: str | None
    mark: bytes | None


async def to_state(keys: Safe, tenant_id: int, values: Mapping[Kind, str | None]) -> list[Stated]:
    """Values as they are written: with the keyed hashes of those that are found by equality."""
    return [
        Stated(kind, value, await mark_of(keys, tenant_id, kind, value) if value is not None else None)
        for kind, value in values.items()
    ]


async def mark_of(keys: Safe, tenant_id: int, kind: Kind, value: str) -> bytes | None:
    """The keyed hash of a value, if its field has any."""
    field = FIELDS[kind]
    return None if field.fold is None else await keys.index(tenant_id, field.name, field.fold(value))


async def edit_profile(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    person_id: str,
    given: Mapping[str, Value],
    removed: Iterable[str],
    by: By,
    why: str | None = None,
) -> list[str]:
    """Write fields of a person, by name, or take them away: the names of those that have changed.

    A person may change what is theirs to change; anybody else is staff, whose right to it the caller has looked at.
    Raises NotFound, Refusal, KeysUnavailable.
    """
    is_own = by.person_id == person_id
    async with in_tenant(pool, tenant_id) as connection:
        role = await connection.fetchval(READ_ROLE, tenant_id, person_id)
    if role is None:
        raise NotFound
    values: dict[Kind, str | None] = {**read_fields(Role(role), given)}
    values |= dict.fromkeys(read_names(removed))
    stated = await to_state(keys, tenant_id, values)
    cipher = await keys.one(tenant_id, person_id, create=True)
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(LOCK_PERSON, tenant_id, person_id)
        if row is None or row["role"] != role:
            raise Unavailable("The person was changed at the same moment.")
        status = PersonStatus(row["status"])
        if status is PersonStatus.CLOSED:
            raise Refusal("person_closed", field="person")
        before = await read_newest(connection, tenant_id, cipher)
        if is_own:
            _require_own(status, before, values)
            await _require_few(connection, tenant_id, person_id, len(values))
            needed = (await read_settings_in(connection, tenant_id)).needs(Role(role))
            for kind in needed:
                if kind in values and values[kind] is None:
                    raise Refusal("field_missing", field=FIELDS[kind].name)
        changed = await write(connection, tenant_id, cipher, stated, before, by, status, is_staffs=not is_own)
        if changed:
            names = [FIELDS[kind].name for kind in changed]
            await note(connection, tenant_id, by, Act.PROFILE_EDITED, person_id, why, {"fields": names})
    return [FIELDS[kind].name for kind in changed]


async def write(
    connection: Connection,
    tenant_id: int,
    cipher: Cipher,
    stated: Iterable[Stated],
    before: Mapping[Kind, Known],
    by: By,
    status: PersonStatus,
    *,
    is_staffs: bool,
) -> list[Kind]:
    """Write the fields of the cipher's person, in the connection's transaction: those that have changed.

    `is_staffs`: by the tenant itself, which may hear whose something is: Refusal `already_held`.
    """
    changed = []
    person_id = cipher.person_id
    for one in stated:
        kind, field, old = one.kind, FIELDS[one.kind], before.get(one.kind)
        if one.value == (None if old is None else old.value):
            continue
        number = 1 if old is None else old.number + 1
        sealed = cipher.seal(*PERSON_FIELD.at(person_id, str(int(kind)), str(number)), one.value)
        await connection.execute(
            WRITE, tenant_id, person_id, int(kind), number, sealed, one.mark, by.person_id, by.session_id
        )
        changed.append(kind)
        if kind is Kind.NAME and one.value is not None:
            await rename(connection, tenant_id, cipher, one.value)
        if old is not None and old.held_at is not None:
            await connection.execute(LET_GO, tenant_id, person_id, int(kind))
            if kind in CONTACTS:
                # Whoever took an account over changes the contact first: its holder hears of it there.
                contact = int(kind), old.number
                await leave(
                    connection,
                    tenant_id,
                    NoticeKind.CONTACT_CHANGED,
                    person_id,
                    Facts(at=datetime.now(UTC)),
                    session_id=by.session_id,
                    contact=contact,
                )
        if not field.is_held or one.mark is None:
            continue
        if kind in DOCUMENTS and status is not PersonStatus.PENDING:
            # Only the tenant itself writes it now, and has seen it.
            if not await hold(connection, tenant_id, one, person_id, number):
                raise Refusal("already_held", field=field.name)
            continue
        holder = await connection.fetchrow(FIND_HOLDER, tenant_id, int(kind), one.mark)
        if holder is not None and holder["person_id"] != person_id:
            if is_staffs:
                raise Refusal("already_held", field=field.name)
            await warn_holder(connection, tenant_id, by, kind, *holder)
    return changed


async def hold(connection: Connection, tenant_id: int, stated: Stated, person_id: str, number: int) -> bool:
    """Let a value be this person's alone. False: it is somebody else's."""
    if await connection.fetchval(HOLD, tenant_id, int(stated.kind), stated.mark, person_id, number):
        return True
    holder = await connection.fetchrow(FIND_HOLDER, tenant_id, int(stated.kind), stated.mark)
    return holder is not None and holder["person_id"] == person_id


async def read_newest(connection: Connection, tenant_id: int, cipher: Cipher) -> dict[Kind, Known]:
    """The fields of the cipher's person as they stand, those that were taken away, too."""
    rows = await connection.fetch(READ_NEWEST, tenant_id, cipher.person_id)
    return {known.kind: known for known in open_fields(cipher, rows)}


async def read_history(
    connection: Connection,
    tenant_id: int,
    cipher: Cipher,
    limit: int,
    *,
    kind: Kind | None = None,
    before: tuple[datetime, Kind, int] | None = None,
) -> list[Known]:
    """Fields of the cipher's person as they were set, newest first; those before (when, field, number)."""
    at, last, number = before or (None, None, None)
    rows = await connection.fetch(
        READ_HISTORY,
        tenant_id,
        cipher.person_id,
        None if kind is None else int(kind),
        at,
        None if last is None else int(last),
        number,
        limit,
    )
    return open_fields(cipher, rows)


def open_fields(cipher: Cipher, rows: Iterable[Any]) -> list[Known]:
    """Rows (field, number, sealed, …) as fields."""
    return [
        Known(
            Kind(field),
            number,
            cipher.open(*PERSON_FIELD.at(cipher.person_id, str(field), str(number)), sealed),
            *rest,
        )
        for field, number, sealed, *rest in rows
    ]


def read_names(names: Iterable[str]) -> list[Kind]:
    """Fields by their names. Raises Refusal."""
    try:
        return [Kind[name.upper()] for name in names]
    except KeyError:
        raise Refusal("invalid_field", "There is no such field.", field="remove") from None


def _require_own(status: PersonStatus, before: Mapping[Kind, Known], values: Mapping[Kind, str | None]) -> None:
    """Raises Refusal for what its person may not change any more.

    A document decides who somebody is: once the tenant has looked at them, the tenant alone writes one. What else says
    who they are, they may say once.
    """
    for kind in values:
        field, old = FIELDS[kind], before.get(kind)
        is_first = old is None or old.value is None
        if not (field.change is Change.OWN or status is PersonStatus.PENDING or (is_first and kind not in DOCUMENTS)):
            raise Refusal("ask_support", field=field.name)


async def _require_few(connection: Connection, tenant_id: int, person_id: str, count: int) -> None:
    if await connection.fetchval(COUNT_CHANGES, tenant_id, person_id, DAY) + count > CHANGES_A_DAY_MAX:
        raise TooOften(int(DAY.total_seconds() * 1000))


async def warn_holder(connection: Connection, tenant_id: int, by: By, kind: Kind, holder: str, number: int) -> None:
    """Tell a value's holder, once a day, and the trail, that somebody else named it as theirs."""
    name, act = FIELDS[kind].name, Act.PROFILE_CLAIMED
    is_warned = await connection.fetchval(IS_WARNED, tenant_id, holder, act.value, WARNED_AGAIN_AFTER, name)
    await note(connection, tenant_id, by, act, holder, details={"field": name})
    if not is_warned:
        contact = (int(kind), number) if kind in CONTACTS else None
        facts = Facts(at=datetime.now(UTC))
        await leave(connection, tenant_id, NoticeKind.CLAIMED, holder, facts, contact=contact)

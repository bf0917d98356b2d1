"""People as the tenant's staff see them: read and looked for, and each time written down in the same commit.

What is written down is who looked at whom, at which fields and why; never what stood there. A person who reads their
own leaves no entry.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import NotFound
from core.keys.safe import Safe
from core.nouns import Account
from core.people.credentials import find_login, open_login
from core.people.fields import BY_NAME, FIELDS, Kind
from core.people.opening import LIST_ACCOUNTS, to_account
from core.people.persons import PersonStatus, Role, open_names, read_names
from core.people.profiles import Known, mark_of, read_history, read_newest
from core.people.standing import Reason

# Whoever finds more has not asked for somebody, but for many.
FOUND_MAX: Final = 20

READ_STANDING = """
select role, status, status_reason, status_set_at, status_set_by::text, created_at
  from persons
 where tenant_id = $1 and id = $2
"""
READ_MANY = "select id::text, role, status from persons where tenant_id = $1 and id = any ($2::uuid[]) order by id"
FIND_BY_MARK = """
select one.person_id::text,
       exists (
           select from held_fields as held
            where held.tenant_id = one.tenant_id and held.field = one.field and held.mark = one.mark
              and held.person_id = one.person_id
       ) as is_held
  from person_fields as one
 where one.tenant_id = $1 and one.field = $2 and one.mark = $3
   and not exists (
       select from person_fields as later
        where later.tenant_id = one.tenant_id and later.person_id = one.person_id and later.field = one.field
          and later.number > one.number
   )
 order by is_held desc, one.person_id
 limit $4
"""
FIND_OWNER = "select person_id::text from accounts where tenant_id = $1 and id = $2 and person_id is not null"


class Look(NamedTuple):
    """That somebody of the staff looks, and why. `is_masked`: documents and contacts are not shown whole."""

    by: By
    why: str | None
    is_masked: bool


class Seen(NamedTuple):
    """A person as they are known. `accounts` None: what is in them was not asked for."""

    id: str
    role: Role
    status: PersonStatus
    reason: Reason | None
    status_set_at: datetime | None
    status_set_by: str | None
    opened_at: datetime
    name: str | None
    login: str | None
    fields: list[Known]
    account_numbers: list[int]
    accounts: list[Account] | None


class Found(NamedTuple):
    """Somebody who was looked for. `is_theirs`: what they were found by has been confirmed, or identifies them."""

    id: str
    role: Role
    status: PersonStatus
    name: str | None
    is_theirs: bool


async def read_person(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str, look: Look | None, *, with_accounts: bool
) -> Seen:
    """A person with all that is known of them. `look` None: it is the person who reads.

    Raises NotFound, KeysUnavailable.
    """
    cipher = await keys.one(tenant_id, person_id)
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_STANDING, tenant_id, person_id)
        if row is None:
            raise NotFound
        known = await read_newest(connection, tenant_id, cipher)
        login = await open_login(connection, tenant_id, cipher)
        names = await open_names(keys, tenant_id, await read_names(connection, tenant_id, [person_id]))
        accounts = [to_account(one) for one in await connection.fetch(LIST_ACCOUNTS, tenant_id, person_id)]
        fields = [field for field in known.values() if field.value is not None and field.kind is not Kind.NAME]
        if look is not None:
            shown = ["name", *(["login"] if login else []), *(FIELDS[field.kind].name for field in fields)]
            await _note(connection, tenant_id, look, person_id, {"fields": shown, "accounts": with_accounts})
    role, status, reason, set_at, set_by, opened_at = row
    return Seen(
        person_id,
        Role(role),
        PersonStatus(status),
        None if reason is None else Reason(reason),
        set_at,
        set_by,
        opened_at,
        names[0] if names else None,
        login,
        fields,
        [account.id for account in accounts],
        accounts if with_accounts else None,
    )


async def read_fields_history(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    person_id: str,
    look: Look | None,
    limit: int,
    *,
    kind: Kind | None = None,
    before: tuple[datetime, Kind, int] | None = None,
) -> list[Known]:
    """A page of what was known of a person, newest first. Raises NotFound, KeysUnavailable."""
    cipher = await keys.one(tenant_id, person_id)
    async with in_tenant(pool, tenant_id) as connection:
        if await connection.fetchrow(READ_STANDING, tenant_id, person_id) is None:
            raise NotFound
        page = await read_history(connection, tenant_id, cipher, limit, kind=kind, before=before)
        if look is not None:
            names = list(dict.fromkeys(FIELDS[field.kind].name for field in page))
            await _note(connection, tenant_id, look, person_id, {"fields": names, "history": len(page)})
    return page


async def find_people(pool: Pool, keys: Safe, tenant_id: int, what: str, value: str, look: Look) -> list[Found]:
    """Who has this document, contact, name or login, or this account: FOUND_MAX at most.

    By equality alone, of names without regard to capitals and accents: what is sealed is found by a keyed hash of the
    whole, and no index of parts is kept, which would tell of what the seal hides. So nobody is found by the beginning
    of a name. Whoever merely says that something is theirs is found, too. Raises Refusal for a value that cannot be
    one, KeysUnavailable.
    """
    field = BY_NAME.get(what)
    mark = None
    if field is not None:
        mark = await mark_of(keys, tenant_id, field.kind, field.read(value))
    async with in_tenant(pool, tenant_id) as connection:
        if field is not None:
            rows = await connection.fetch(FIND_BY_MARK, tenant_id, int(field.kind), mark, FOUND_MAX)
            theirs = {row["person_id"]: row["is_held"] or not field.is_held for row in rows}
        else:
            if what == "login":
                one = await find_login(connection, keys, tenant_id, value)
            else:
                one = await connection.fetchval(FIND_OWNER, tenant_id, int(value))
            theirs = {} if one is None else {one: True}
        people = await connection.fetch(READ_MANY, tenant_id, list(theirs))
        stored = await read_names(connection, tenant_id, [person["id"] for person in people])
        names = dict(zip([one.person_id for one in stored], await open_names(keys, tenant_id, stored), strict=True))
        about = people[0]["id"] if len(people) == 1 else None
        details = {"by": what, "found": [person["id"] for person in people], "fields": ["name"]}
        await _note(connection, tenant_id, look, about, details)
    return [Found(id_, Role(role), PersonStatus(status), names.get(id_), theirs[id_]) for id_, role, status in people]


def mask(known: Known) -> Known:
    """A field as support sees it."""
    return known._replace(value=None if known.value is None else FIELDS[known.kind].mask(known.value))


async def _note(connection: Connection, tenant_id: int, look: Look, about: str | None, details: dict[str, Any]) -> None:
    if look.is_masked:
        details["masked"] = True
    await note(connection, tenant_id, look.by, Act.PERSONAL_DATA_READ, about, look.why, details)

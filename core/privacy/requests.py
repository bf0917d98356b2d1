"""What a person asks of whoever holds their data, where somebody has to answer, and by when (LGPD art. 18, 19, 20).

A confirmation or access in full is due within 15 days of the request (art. 19, II); the law leaves the others' time to
a regulation that is not there yet, and here they get the same. What both sides write is sealed under the person's key.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant
from core.errors import Conflict, NotFound, Refusal
from core.keys.places import REQUEST_ANSWER, REQUEST_TEXT
from core.keys.safe import Safe
from core.people.fields import BY_NAME
from core.privacy.states import RequestStatus, Right

DUE_IN: Final = timedelta(days=15)
# Operators are told when a request has so little time left.
WARNED_BEFORE: Final = timedelta(days=5)
# Open ones of a person: whoever has more waits for an answer first.
OPEN_MAX: Final = 10
# What can be corrected by asking. What somebody may change by themselves has commands of its own.
FIELDS: Final = (*BY_NAME, "login", "other")
ANSWERS: Final = frozenset({RequestStatus.GRANTED, RequestStatus.PARTLY_GRANTED, RequestStatus.REFUSED})

COLUMNS: Final = """
id::text, person_id::text, what, field, status, asked_at, due_at, answered_at, text_sealed, answer_sealed
"""
READ: Final = f"select {COLUMNS} from privacy_requests where tenant_id = $1 and id = $2"  # noqa: S608 - a constant
LOCK: Final = f"{READ} for update"
LOCK_COUNT: Final = "select pg_advisory_xact_lock($1, hashtext('request ' || $2))"
COUNT_OPEN: Final = "select count(*) from privacy_requests where tenant_id = $1 and person_id = $2 and status = 0"
INSERT: Final = """
insert into privacy_requests (tenant_id, id, person_id, what, field, text_sealed, asked_at, due_at, session_id)
select $1, $2, persons.id, $4, $5, $6, $7, $8, $9
  from persons where persons.tenant_id = $1 and persons.id = $3
returning true
"""
ANSWER: Final = """
update privacy_requests
   set status = $3, answer_sealed = $4, answered_by = $5, answered_at = clock_timestamp()
 where tenant_id = $1 and id = $2
"""
LIST_OWN: Final = f"""
select {COLUMNS}
  from privacy_requests
 where tenant_id = $1 and person_id = $2
   and ($3::uuid is null or (asked_at, id) < (
       select asked_at, id from privacy_requests where tenant_id = $1 and person_id = $2 and id = $3
   ))
 order by asked_at desc, id desc
 limit $4
"""  # noqa: S608 - a constant
# The most urgent first.
LIST_OPEN: Final = f"""
select {COLUMNS}
  from privacy_requests
 where tenant_id = $1 and status = 0
   and ($2::uuid is null or (due_at, id) > (select due_at, id from privacy_requests where tenant_id = $1 and id = $2))
 order by due_at, id
 limit $3
"""  # noqa: S608 - a constant
COUNT_DUE: Final = """
select tenant_id, due_soon, overdue from count_due_requests($1, $2)
"""


class Request(NamedTuple):
    """A request as it stands. `field`: of a correction. Texts are None where there is none, or no key any more."""

    id: str
    person_id: str
    right: Right
    field: str | None
    status: RequestStatus
    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None
    text: str | None
    answer: str | None


class Due(NamedTuple):
    """How many open requests of a tenant are due soon, and how many are late."""

    tenant_id: int
    soon: int
    late: int


async def ask(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    person_id: str,
    request_id: str,
    right: Right,
    field: str | None,
    text: str | None,
    by: By,
    at: datetime | None = None,
) -> Request:
    """Ask for something. The same id again gives the request as it stands.

    Raises Conflict (the id is taken), NotFound, Refusal `too_many_requests`, `invalid_field`; KeysUnavailable.
    """
    if (field is None) == (right is Right.CORRECTION):
        raise Refusal("invalid_field", "A correction names its field, and nothing else has one.", field="field")
    cipher = await keys.one(tenant_id, person_id, create=text is not None)
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(LOCK_COUNT, tenant_id, person_id)
        known = await connection.fetchrow(READ, tenant_id, request_id)
        if known is None:
            if await connection.fetchval(COUNT_OPEN, tenant_id, person_id) >= OPEN_MAX:
                raise Refusal("too_many_requests")
            now: datetime = await connection.fetchval("select coalesce($1, clock_timestamp())", at)
            sealed = cipher.seal(*REQUEST_TEXT.at(request_id), text)
            if not await connection.fetchval(
                INSERT, tenant_id, request_id, person_id, int(right), field, sealed, now, now + DUE_IN, by.session_id
            ):
                raise NotFound
            details = {"request": request_id, "right": right.name.lower(), "field": field}
            await note(connection, tenant_id, by, Act.REQUEST_MADE, person_id, details=details)
            known = await connection.fetchrow(READ, tenant_id, request_id)
    request = await _opened(keys, tenant_id, known)
    if (request.person_id, request.right, request.field, request.text) != (person_id, right, field, text):
        raise Conflict
    return request


async def respond(
    pool: Pool, keys: Safe, tenant_id: int, request_id: str, status: RequestStatus, answer: str, by: By
) -> Request:
    """Answer a person's request. The same answer again changes nothing.

    Raises NotFound, Refusal `request_answered`, `invalid_field` (that is no answer); PersonErased: there is nobody to
    answer any more.
    """
    if status not in ANSWERS:
        raise Refusal("invalid_field", field="status")
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(LOCK, tenant_id, request_id)
        if row is None:
            raise NotFound
        known = await _opened(keys, tenant_id, row)
        if known.person_id == by.person_id:
            # Nobody decides about what they ask for themselves.
            raise Refusal("not_on_yourself", field="request")
        if (known.status, known.answer) == (status, answer):
            return known
        if known.status is not RequestStatus.OPEN:
            raise Refusal("request_answered")
        cipher = await keys.one(tenant_id, known.person_id, create=True)
        sealed = cipher.seal(*REQUEST_ANSWER.at(request_id), answer)
        await connection.execute(ANSWER, tenant_id, request_id, int(status), sealed, by.person_id)
        details = {"request": request_id, "status": status.name.lower()}
        await note(connection, tenant_id, by, Act.REQUEST_ANSWERED, known.person_id, details=details)
        return await _opened(keys, tenant_id, await connection.fetchrow(READ, tenant_id, request_id))


async def withdraw(pool: Pool, keys: Safe, tenant_id: int, person_id: str, request_id: str, by: By) -> Request:
    """Let a request of one's own be. Again it changes nothing. Raises NotFound, Refusal `request_answered`."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(LOCK, tenant_id, request_id)
        if row is None or row["person_id"] != person_id:
            raise NotFound
        if row["status"] == RequestStatus.OPEN:
            await connection.execute(ANSWER, tenant_id, request_id, int(RequestStatus.WITHDRAWN), None, person_id)
            details = {"request": request_id, "status": "withdrawn"}
            await note(connection, tenant_id, by, Act.REQUEST_ANSWERED, person_id, details=details)
        elif row["status"] != RequestStatus.WITHDRAWN:
            raise Refusal("request_answered")
        return await _opened(keys, tenant_id, await connection.fetchrow(READ, tenant_id, request_id))


async def read_request(pool: Pool, keys: Safe, tenant_id: int, request_id: str) -> Request:
    """A request as it stands. Who may see it is for the caller to know. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ, tenant_id, request_id)
    if row is None:
        raise NotFound
    return await _opened(keys, tenant_id, row)


async def list_requests(
    pool: Pool, keys: Safe, tenant_id: int, person_id: str, limit: int, before: str | None = None
) -> list[Request]:
    """A person's requests, newest first, before one of them."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_OWN, tenant_id, person_id, before, limit)
    return [await _opened(keys, tenant_id, row) for row in rows]


async def list_open(pool: Pool, keys: Safe, tenant_id: int, limit: int, after: str | None = None) -> list[Request]:
    """The tenant's open requests, the most urgent first, after one of them."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_OPEN, tenant_id, after, limit)
    return [await _opened(keys, tenant_id, row) for row in rows]


async def count_due(pool: Pool, at: datetime | None = None) -> list[Due]:
    """The tenants that have requests which are due soon or late."""
    async with acquire(pool) as connection:
        return [Due(*row) for row in await connection.fetch(COUNT_DUE, at, WARNED_BEFORE)]


async def _opened(keys: Safe, tenant_id: int, row: Any) -> Request:
    assert row is not None
    id_, person_id, what, field, status, asked_at, due_at, answered_at, text, answer = row
    cipher = await keys.one(tenant_id, person_id)
    return Request(
        id_,
        person_id,
        Right(what),
        field,
        RequestStatus(status),
        asked_at,
        due_at,
        answered_at,
        cipher.open(*REQUEST_TEXT.at(id_), text),
        cipher.open(*REQUEST_ANSWER.at(id_), answer),
    )

"""Contacts are confirmed by a code that is sent to them: six digits, a quarter of an hour, five tries.

What is kept of a code is a keyed hash, and, sealed under its person's key, the code itself until it is sent. A contact
that somebody else holds gets no code, and nobody but its holder hears of it: whoever asked is answered as ever, and no
code is ever right.
"""

import hmac
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Refusal, TooOften
from core.keys.safe import Safe
from core.notices.leaving import leave_code
from core.people.fields import FIELDS, Kind
from core.people.persons import PersonStatus
from core.people.profiles import (
    FIND_HOLDER,
    LOCK_PERSON,
    Known,
    Stated,
    hold,
    mark_of,
    read_newest,
    warn_holder,
)

CODE_DIGITS: Final = 6
LASTS: Final = timedelta(minutes=15)
# Of a million codes: with SENDS_PER_PERSON, somebody who guesses has 25 tries an hour.
TRIES: Final = 5
# What one person may have sent, and what one mailbox or telephone may get, whoever asks: enough for whoever looks into
# the wrong folder first, and no way to annoy a stranger or to spend a tenant's money on messages.
HOUR: Final = timedelta(hours=1)
SENDS_PER_PERSON: Final = 5
SENDS_PER_CONTACT: Final = 5
SENDS_PER_TENANT: Final = 5_000
# The field of the keyed hash.
CODE_FIELD: Final = "contact_code"

COUNT_SENDS = """
select (select count(*) from contact_codes
         where tenant_id = $1 and person_id = $2 and sent_at > clock_timestamp() - $4::interval) as person,
       (select min(sent_at) from contact_codes
         where tenant_id = $1 and person_id = $2 and sent_at > clock_timestamp() - $4::interval) as first,
       (select count(*) from contact_codes
         where tenant_id = $1 and mark = $3 and sent_at > clock_timestamp() - $4::interval) as contact,
       (select count(*) from (
            select from contact_codes
             where tenant_id = $1 and sent_at > clock_timestamp() - $4::interval
             limit $5
        ) as sent) as tenant,
       clock_timestamp() as now
"""
# Two who write to one mailbox at the same moment count each other.
LOCK_CONTACT = "select pg_advisory_xact_lock(hashtextextended('contact ' || encode($1::bytea, 'hex'), $2::int))"
INSERT_CODE = """
insert into contact_codes (tenant_id, id, person_id, field, number, mark, hash, expires_at, tries_left)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8::interval, $9)
returning expires_at
"""
# The try is spent before the code is looked at.
SPEND_TRY = """
update contact_codes
   set tries_left = tries_left - 1
 where tenant_id = $1 and used_at is null and tries_left > 0 and expires_at > clock_timestamp()
   and id = (
       select id from contact_codes
        where tenant_id = $1 and person_id = $2 and field = $3 and number = $4
        order by sent_at desc
        limit 1
   )
returning id::text, hash, mark, tries_left
"""
USE = "update contact_codes set used_at = clock_timestamp() where tenant_id = $1 and id = $2"


class Sent(NamedTuple):
    """A code was sent, as far as whoever asked is told."""

    expires_at: datetime


async def send_code(pool: Pool, keys: Safe, tenant_id: int, person_id: str, kind: Kind, by: By) -> Sent:
    """Send a new code to a contact of the person's; one that was sent before is good for nothing from now on.

    Raises NotFound (there is no such contact), Refusal (`already_confirmed`), TooOften, KeysUnavailable.
    """
    cipher = await keys.one(tenant_id, person_id)
    async with in_tenant(pool, tenant_id) as connection:
        known = await _read_contact(connection, tenant_id, person_id, kind, keys)
        assert known.value is not None
        mark = await mark_of(keys, tenant_id, kind, known.value)
        assert mark is not None
        await connection.execute(LOCK_CONTACT, mark, tenant_id)
        is_heard = await _count(connection, tenant_id, person_id, mark)
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        code_id = str(uuid.uuid4())
        hashed = await keys.index(tenant_id, CODE_FIELD, f"{code_id} {code}")
        expires_at = await connection.fetchval(
            INSERT_CODE, tenant_id, code_id, person_id, int(kind), known.number, mark, hashed, LASTS, TRIES
        )
        holder = await connection.fetchrow(FIND_HOLDER, tenant_id, int(kind), mark)
        if holder is not None:
            await warn_holder(connection, tenant_id, by, kind, *holder)
        elif is_heard:
            await leave_code(connection, tenant_id, cipher, (int(kind), known.number), code, LASTS)
        await note(connection, tenant_id, by, Act.CONTACT_CODE_SENT, person_id, details={"field": FIELDS[kind].name})
    return Sent(expires_at)


async def confirm(pool: Pool, keys: Safe, tenant_id: int, person_id: str, kind: Kind, code: str, by: By) -> datetime:
    """Let a contact be the person's, by the code that was sent to it: since when it is.

    Raises NotFound (there is no such contact); Refusal: `code_refused` for a wrong code, one that is over, used or
    tried too often; `already_held` by whoever confirmed the same contact a moment ago.
    """
    # Before the transaction, as in send_code: a key service may take its time.
    cipher = await keys.one(tenant_id, person_id)
    async with in_tenant(pool, tenant_id) as connection:
        known = await _read_contact(connection, tenant_id, person_id, kind, keys)
        row = await connection.fetchrow(SPEND_TRY, tenant_id, person_id, int(kind), known.number)
        is_right = False
        if row is not None:
            hashed = await keys.index(tenant_id, CODE_FIELD, f"{row['id']} {code}")
            is_right = hmac.compare_digest(hashed, row["hash"])
        if row is not None and is_right:
            await connection.execute(USE, tenant_id, row["id"])
            stated = Stated(kind, known.value, row["mark"])
            # Whoever knows the code reads the mailbox: they may hear that it is confirmed already.
            if not await hold(connection, tenant_id, stated, person_id, known.number):
                raise Refusal("already_held", field="contact")
            await note(
                connection, tenant_id, by, Act.CONTACT_CONFIRMED, person_id, details={"field": FIELDS[kind].name}
            )
            held_at = (await read_newest(connection, tenant_id, cipher))[kind].held_at
            assert held_at is not None
            return held_at
    # After the commit: the try stays spent.
    raise Refusal("code_refused", field="code")


async def _read_contact(connection: Connection, tenant_id: int, person_id: str, kind: Kind, keys: Safe) -> Known:
    """The contact, locked with its person: nothing is sent to one that is being changed."""
    row = await connection.fetchrow(LOCK_PERSON, tenant_id, person_id)
    if row is None or row["status"] == PersonStatus.CLOSED:
        raise NotFound
    known = (await read_newest(connection, tenant_id, await keys.one(tenant_id, person_id))).get(kind)
    if known is None or known.value is None:
        raise NotFound
    if known.held_at is not None:
        raise Refusal("already_confirmed", field="contact")
    return known


async def _count(connection: Connection, tenant_id: int, person_id: str, mark: bytes) -> bool:
    """Whether the contact may be written to. Raises TooOften.

    That others write to it is not told: it would say that somebody else is there.
    """
    row = await connection.fetchrow(COUNT_SENDS, tenant_id, person_id, mark, HOUR, SENDS_PER_TENANT)
    assert row is not None
    if row["person"] >= SENDS_PER_PERSON:
        raise TooOften(max(int((row["first"] + HOUR - row["now"]).total_seconds() * 1000), 1))
    if row["tenant"] >= SENDS_PER_TENANT:
        raise TooOften(int(HOUR.total_seconds() * 1000 / SENDS_PER_TENANT) + 1_000)
    return bool(row["contact"] < SENDS_PER_CONTACT)

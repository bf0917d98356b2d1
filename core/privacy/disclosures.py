"""Who was told what about whom (LGPD art. 18, VII): written by whatever sends data out, in its own transaction.

A webhook, a mail, a gateway, an answer to an authority: each calls `disclose` before anything leaves, and what rests on
consent does not leave without it. Nobody changes a row, and the person reads theirs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.privacy.classes import BASES, CONSENT, Basis, Kind
from core.privacy.consents import require

INSERT: Final = """
insert into disclosures (tenant_id, person_id, recipient, purpose, basis, consent, kinds)
select $1, told.id, $3, $4, $5, $6, $7 from unnest($2::uuid[]) as told (id)
"""
LIST: Final = """
select id::text, at, recipient, purpose, basis, consent, kinds
  from disclosures
 where tenant_id = $1 and person_id = $2
   and ($3::uuid is null
        or (at, id) < (select at, id from disclosures where tenant_id = $1 and person_id = $2 and id = $3))
 order by at desc, id desc
 limit $4
"""


class Told(NamedTuple):
    """What is told to whom. `recipient` is an institution or an authority, `purpose` a sentence without personal data.

    `consent`: the purpose of consent it rests on, if the basis is consent.
    """

    recipient: str
    purpose: str
    basis: Basis
    kinds: Sequence[Kind]
    consent: str | None = None


class Disclosure(NamedTuple):
    """What was told once, to the person it is about."""

    id: str
    at: datetime
    recipient: str
    purpose: str
    basis: str
    consent: str | None
    kinds: list[str]


async def disclose(connection: Connection, tenant_id: int, person_ids: Sequence[str], told: Told, by: By) -> None:
    """Write down that these persons' data go out, in the connection's transaction, which names their tenant.

    Raises Refusal `consent_missing` if it rests on consent and one of them has not given it: then nothing may leave.
    """
    assert (told.basis == CONSENT) == (told.consent is not None), "consent names its purpose"
    assert told.basis.code in BASES, told.basis
    for person_id in person_ids if told.consent is not None else ():
        await require(connection, tenant_id, person_id, told.consent or "")
    kinds = sorted({kind.value for kind in told.kinds})
    await connection.execute(
        INSERT, tenant_id, person_ids, told.recipient, told.purpose, told.basis.code, told.consent, kinds
    )
    for person_id in person_ids:
        details = {"basis": told.basis.code, "kinds": kinds}
        await note(connection, tenant_id, by, Act.DATA_SHARED, person_id, details=details)


async def list_disclosures(
    pool: Pool, tenant_id: int, person_id: str, limit: int, before: str | None = None
) -> list[Disclosure]:
    """Who was told of this person, newest first, before one of them; none before somebody else's."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST, tenant_id, person_id, before, limit)
    return [Disclosure(*row) for row in rows]

"""Requests to be paid: made, read, cancelled. Whether one is paid is the ledger's to say (core.nouns.PaymentStatus).

The id is its maker's idempotency key: the same charge again is the same charge.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple

import asyncpg

from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Refusal
from core.keys.places import CHARGE_DESCRIPTION, CHARGE_REFERENCE, DISPLAY_NAME
from core.keys.safe import Safe
from core.payments.brcode import (
    CITY_LENGTH_MAX,
    KEY_LENGTH_MAX,
    URL_LENGTH_MAX,
    Code,
    fold,
    from_txid,
    read,
    to_txid,
    write,
)

UUID_PATTERN: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PIX_KEY: Final = f"[!-~]{{1,{KEY_LENGTH_MAX}}}"
# Where Pix lives; a code has to name a city, and a tenant that says none should say so.
CITY: Final = "BRASILIA"

COLUMNS = """
charges.id::text, charges.payee, charges.amount, charges.description, charges.reference, charges.is_reusable,
charges.status, charges.paid_count, charges.paid_amount, charges.created_at, charges.lasts_s, charges.expires_at,
coalesce(charges.expires_at <= clock_timestamp(), false) as is_expired, profiles.display_name,
accounts.person_id::text, profiles.display_name_sealed, charges.description_sealed, charges.reference_sealed
"""
READ_CHARGE = f"""
select {COLUMNS}
  from charges
  join accounts on accounts.tenant_id = charges.tenant_id and accounts.id = charges.payee
  left join profiles on profiles.tenant_id = charges.tenant_id and profiles.person_id = accounts.person_id
 where charges.tenant_id = $1 and charges.id = $2
"""  # noqa: S608 - a constant
FIND_OWNER = "select person_id::text from accounts where tenant_id = $1 and id = $2"
INSERT_CHARGE = """
insert into charges (
    tenant_id, id, payee, amount, description_sealed, reference_sealed, is_reusable, asked_by, lasts_s, expires_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::int, now() + make_interval(secs => $9::int))
    on conflict do nothing
"""
# Each of the two lists walks an index of its own.
LIST_CHARGES = f"""
select {COLUMNS}
  from charges
  join accounts on accounts.tenant_id = charges.tenant_id and accounts.id = charges.payee
  left join profiles on profiles.tenant_id = charges.tenant_id and profiles.person_id = accounts.person_id
 where charges.tenant_id = $1 and charges.payee = $2 and {{of_status}}
   and ($4::uuid is null or (charges.created_at, charges.id) < (
       select one.created_at, one.id from charges as one where one.tenant_id = $1 and one.payee = $2 and one.id = $4))
 order by charges.created_at desc, charges.id desc
 limit $3
"""  # noqa: S608 - a constant
LIST_ALL = LIST_CHARGES.format(of_status="true")
LIST_OF_STATUS = LIST_CHARGES.format(
    of_status=(
        "charges.status = $5 and ($6::boolean is null or coalesce(charges.expires_at <= clock_timestamp(), false) = $6)"
    )
)
READ_PIX_SETTINGS = "select settings ->> 'pix_key', settings ->> 'pix_city' from tenants where id = $1"


class Status(IntEnum):
    """How a charge stands. As core.nouns.ChargeStatus, with the open ones told apart by ledger time."""

    OPEN = 0
    PAID = 1
    CANCELLED = 2
    EXPIRED = 3


class Asked(NamedTuple):
    """What is asked for. `amount` (minor units) None: the payer says. `lasts_s` None: it does not expire."""

    id: str
    payee: int
    amount: int | None
    description: str | None
    reference: str | None
    is_reusable: bool
    lasts_s: int | None


class Charge(NamedTuple):
    """A charge as it stood when it was read. `name` is the payee's; None: it was erased."""

    id: str
    payee: int
    amount: int | None
    description: str | None
    reference: str | None
    is_reusable: bool
    stored_status: int
    paid_count: int
    paid_amount: int
    created_at: datetime
    lasts_s: int | None
    expires_at: datetime | None
    is_expired: bool
    name: str | None

    @property
    def status(self) -> Status:
        """How it stood. What was paid or cancelled in time does not expire."""
        return Status.EXPIRED if self.is_expired and self.stored_status == Status.OPEN else Status(self.stored_status)


class PixSettings(NamedTuple):
    """How a tenant is known to Pix (tenants.settings: pix_key, pix_city). No key: each charge's id stands for one."""

    key: str | None
    city: str


async def create_charge(pool: Pool, keys: Safe, tenant_id: int, asked_by: str, asked: Asked) -> Charge:
    """Make a charge, or find the same one. Raises NotFound (no such account), Refusal `conflict` with the field.

    Its words are sealed under the key of whoever is to be paid. The tenant's own books ask nobody.
    """
    async with in_tenant(pool, tenant_id) as connection:
        owner = await connection.fetchval(FIND_OWNER, tenant_id, asked.payee)
    if owner is None:
        raise NotFound
    words = asked.description is not None or asked.reference is not None
    cipher = await keys.one(tenant_id, owner, create=words)
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(
            INSERT_CHARGE,
            tenant_id,
            asked.id,
            asked.payee,
            asked.amount,
            cipher.seal(*CHARGE_DESCRIPTION.at(asked.id), asked.description),
            cipher.seal(*CHARGE_REFERENCE.at(asked.id), asked.reference),
            asked.is_reusable,
            asked_by,
            asked.lasts_s,
        )
        row = await connection.fetchrow(READ_CHARGE, tenant_id, asked.id)
    assert row is not None, "a row that stood in the way is there"
    (known,) = await _opened(keys, tenant_id, [row])
    for field in Asked._fields:
        if getattr(known, field) != getattr(asked, field):
            # Of somebody else's charge, nothing more is told than that the id is taken.
            raise Refusal("conflict", field="id" if known.payee != asked.payee else field)
    return known


async def read_charge(pool: Pool, keys: Safe, tenant_id: int, charge_id: str) -> Charge:
    """The charge with its payee's name. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_CHARGE, tenant_id, charge_id)
    if row is None:
        raise NotFound
    return (await _opened(keys, tenant_id, [row]))[0]


async def cancel_charge(pool: Pool, keys: Safe, tenant_id: int, charge_id: str) -> Charge:
    """Let nobody pay it any more. Cancelling it again changes nothing. Raises NotFound, Refusal `charge_paid`."""
    async with in_tenant(pool, tenant_id) as connection:
        found: str | None = await connection.fetchval("select cancel_charge($1, $2)", tenant_id, charge_id)
    if found is None:
        raise NotFound
    if found == "paid":
        raise Refusal("charge_paid")
    return await read_charge(pool, keys, tenant_id, charge_id)


async def list_charges(
    pool: Pool, keys: Safe, tenant_id: int, payee: int, status: Status | None, before: str | None, limit: int
) -> list[Charge]:
    """An account's charges, newest first, below the one called `before`. Empty if that one is not among them."""
    page = tenant_id, payee, limit, before
    async with in_tenant(pool, tenant_id) as connection:
        if status is None:
            rows = await connection.fetch(LIST_ALL, *page)
        else:
            stored = Status.OPEN if status is Status.EXPIRED else status
            # What was paid or cancelled in time may be past it now.
            is_expired = None if stored is not Status.OPEN else status is Status.EXPIRED
            rows = await connection.fetch(LIST_OF_STATUS, *page, int(stored), is_expired)
    return await _opened(keys, tenant_id, rows)


async def _opened(keys: Safe, tenant_id: int, rows: Sequence[asyncpg.Record]) -> list[Charge]:
    """Rows of COLUMNS as charges. Words that nobody has sealed yet stand as they are."""
    ciphers = await keys.of(tenant_id, {row["person_id"] for row in rows if any(row[-3:])})
    found = []
    for row in rows:
        charge = Charge(*row[:-4])
        person, name, description, reference = row[-4:]
        cipher = ciphers.get(person)
        if cipher is not None:
            charge = charge._replace(
                name=charge.name or cipher.open(*DISPLAY_NAME.at(person), name),
                description=charge.description or cipher.open(*CHARGE_DESCRIPTION.at(charge.id), description),
                reference=charge.reference or cipher.open(*CHARGE_REFERENCE.at(charge.id), reference),
            )
        found.append(charge)
    return found


async def read_pix_settings(pool: Pool, tenant_id: int) -> PixSettings:
    """The tenant's Pix key and city, for its codes. A key that no code can hold is none."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_PIX_SETTINGS, tenant_id)
    key, city = row or (None, None)
    return PixSettings(key if key and re.fullmatch(PIX_KEY, key) else None, city or CITY)


def code_of(charge: Charge, link: str, tenant_name: str, settings: PixSettings) -> str:
    """The charge's BR Code. Of a poster it is static; what is paid once has its link in the code, if that fits."""
    name = charge.name or tenant_name
    url = link.partition("://")[2]
    if not charge.is_reusable and 0 < len(url) <= URL_LENGTH_MAX and url.isascii():
        return write(Code(name, settings.city, url=url, amount=charge.amount, is_once=True))
    return write(
        Code(
            name,
            settings.city,
            key=settings.key or charge.id,
            amount=charge.amount,
            info=charge.description,
            txid=to_txid(charge.id),
            is_once=not charge.is_reusable,
        )
    )


def charge_in(text: str, slug: str) -> str | None:
    """The id of the charge that a scanned text means in this tenant, or None.

    A hub goes by several names, so any host will do: whom the charge pays is read here and not there. Raises Refusal
    code_damaged for a text that is neither a link nor a BR Code.
    """
    link = re.fullmatch("https?://(.+)", text.strip(), re.IGNORECASE)
    if link is not None:
        url: str = link[1]
    else:
        code = read(text.strip())
        if code.url is None:
            return from_txid(code.txid)
        url = code.url
    found = re.fullmatch(rf"[^/?#\s]+/c/{re.escape(slug)}/({UUID_PATTERN})", url)
    return found[1] if found else None


async def set_pix_settings(admin: "Connection | Pool", slug: str, key: str, city: str) -> None:
    """Write a tenant's Pix key and city. For the administrator. Raises NotFound, ValueError for what no code holds."""
    if not re.fullmatch(PIX_KEY, key) or not city.strip():
        raise ValueError("A Pix key has at most 77 plain characters, and a city has a name.")
    settings = json.dumps({"pix_key": key, "pix_city": fold(city, CITY_LENGTH_MAX)})
    if not await admin.fetchval(
        "update payhub.tenants set settings = settings || $2::jsonb where slug = $1 returning true", slug, settings
    ):
        raise NotFound("There is no such tenant.")

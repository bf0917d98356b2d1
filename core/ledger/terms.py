"""Under which terms accounts are held: what is kept of a payment as a fee, and how large a tip may be.

A tenant has a few terms and puts accounts under them; changing them holds from the next payment on. The sums are
made in post_payments and, for comparison, in the oracle; never here.
"""

from typing import NamedTuple

import asyncpg

from core.database import Pool, acquire, in_tenant
from core.errors import NotFound

FEE_PPM_MAX = 500_000
TIP_PERCENT_MAX = 100

READ_TERMS = """
select id, name, fee_ppm, fee_fixed, fee_min, fee_max, returns_fee, tip_percent_max
  from terms
 where tenant_id = $1
 order by id
"""


READ_ACCOUNT_TERMS = """
select terms.id, terms.name, terms.fee_ppm, terms.fee_fixed, terms.fee_min, terms.fee_max, terms.returns_fee,
       terms.tip_percent_max
  from accounts
  join terms on terms.tenant_id = accounts.tenant_id and terms.id = accounts.terms
 where accounts.tenant_id = $1 and accounts.id = $2
"""


class Terms(NamedTuple):
    """One of a tenant's terms.

    The fee on a payment is `amount * fee_ppm / 1,000,000` rounded half up, plus `fee_fixed`; at least `fee_min`, at
    most `fee_max`, and never more than the amount. Minor units. `returns_fee`: a refund gives it back in proportion.
    A capture may exceed what was authorized by `tip_percent_max`.
    """

    id: int
    name: str
    fee_ppm: int = 0
    fee_fixed: int = 0
    fee_min: int = 0
    fee_max: int | None = None
    returns_fee: bool = False
    tip_percent_max: int = 0


async def set_terms(pool: Pool, tenant_id: int, terms: Terms, asked_by: str | None = None) -> None:
    """Write terms, new or changed. Raises ValueError when a value breaks a rule."""
    try:
        async with acquire(pool) as connection:
            await connection.execute(
                "select set_terms($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", tenant_id, asked_by, *terms
            )
    except asyncpg.CheckViolationError as error:
        raise ValueError(f"Terms break the rule {error.constraint_name}.") from None


async def put_under_terms(
    pool: Pool, tenant_id: int, account_id: int, terms_id: int | None, asked_by: str | None = None
) -> None:
    """Put an account under terms, or under none. Raises NotFound."""
    async with acquire(pool) as connection:
        if not await connection.fetchval(
            "select put_under_terms($1, $2, $3, $4)", tenant_id, asked_by, account_id, terms_id
        ):
            raise NotFound


async def read_terms(pool: Pool, tenant_id: int) -> list[Terms]:
    """All of a tenant's terms."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Terms(*row) for row in await connection.fetch(READ_TERMS, tenant_id)]


async def read_account_terms(pool: Pool, tenant_id: int, account_id: int) -> Terms | None:
    """The terms that an account is under, if it is under any."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_ACCOUNT_TERMS, tenant_id, account_id)
    return None if row is None else Terms(*row)

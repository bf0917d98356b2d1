"""What a tenant asks of its people before they do what matters: how fresh a proof, of whom, above which amount."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from core.database import Pool, acquire


class Demands(NamedTuple):
    """`step_up_s`: a proof counts for so long. `step_up_above`: paying more (minor units) needs one; None: no amount.

    `operators_need_factor`: an operator without a second factor may only enrol one.
    """

    step_up_s: int = 300
    step_up_above: int | None = None
    operators_need_factor: bool = False


DEFAULT: Final = Demands()


async def read_demands(pool: Pool, tenant_ids: Sequence[int]) -> dict[int, Demands]:
    """What each of these tenants asks."""
    async with acquire(pool) as connection:
        rows = await connection.fetch("select * from read_security($1)", tenant_ids)
    found = {row["tenant_id"]: Demands(*tuple(row)[1:]) for row in rows}
    return {tenant_id: found.get(tenant_id, DEFAULT) for tenant_id in tenant_ids}


async def set_demands(pool: Pool, tenant_id: int, demands: Demands, asked_by: str) -> None:
    """Ask this from now on, and write down who changed it."""
    async with acquire(pool) as connection:
        await connection.execute("select set_security($1, $2, $3, $4, $5)", tenant_id, asked_by, *demands)

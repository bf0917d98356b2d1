"""Proves the books against themselves: every tenant sums to zero, every account is the sum of its entries.

It reads, takes no locks, and repairs nothing.
"""

from typing import NamedTuple

from core.database import Connection, Pool, acquire

# Every account against its own stream: as many entries as its version says, numbered without a gap, each
# balance the one before plus the amount, the last one the account's; and what is held is what holds and disputes hold.
BROKEN_ACCOUNTS = """
with streams as (
    select tenant_id, account_id, number, amount, balance,
           lag(number, 1, 0::bigint) over stream as number_before,
           lag(balance, 1, 0::bigint) over stream as balance_before,
           lead(number) over stream is null as is_last
      from payhub.entries
    window stream as (partition by tenant_id, account_id order by number)
), sums as (
    select tenant_id, account_id, max(number) as version,
           max(balance) filter (where is_last) as balance,
           bool_and(number = number_before + 1 and balance = balance_before + amount) as whole
      from streams
     group by tenant_id, account_id
), holds as (
    -- Reserved for those it pays, and for those who dispute what it was paid.
    select tenant_id, account_id, sum(held) as held
      from (
          select payments.tenant_id, payments.payer as account_id, standings.held
            from payhub.standings
            join payhub.payments on payments.tenant_id = standings.tenant_id and payments.id = standings.payment_id
          union all
          select payments.tenant_id, payments.payee, standings.disputed
            from payhub.standings
            join payhub.payments on payments.tenant_id = standings.tenant_id and payments.id = standings.payment_id
      ) as reserved
     group by tenant_id, account_id
)
select accounts.tenant_id, accounts.id
  from payhub.accounts
  full join sums on sums.tenant_id = accounts.tenant_id and sums.account_id = accounts.id
  left join holds on holds.tenant_id = accounts.tenant_id and holds.account_id = accounts.id
 where accounts.id is null
    or coalesce(sums.version, 0) <> accounts.version
    or coalesce(sums.balance, 0) <> accounts.balance
    or coalesce(holds.held, 0) <> accounts.held
    or not coalesce(sums.whole, true)
 order by 1, 2
 limit 100
"""


class Verdict(NamedTuple):
    """What was looked at, and what is wrong: nothing, if both lists are empty."""

    accounts: int
    payments: int
    unbalanced_tenants: list[tuple[int, int]]
    broken_accounts: list[tuple[int, int]]

    @property
    def is_sound(self) -> bool:
        """Whether the books prove."""
        return not self.unbalanced_tenants and not self.broken_accounts


async def verify(admin: Connection) -> Verdict:
    """Check everything, in one snapshot. `admin` sees every tenant; payments go on meanwhile."""
    async with admin.transaction(isolation="repeatable_read", readonly=True):
        return Verdict(
            await admin.fetchval("select count(*) from payhub.accounts"),
            await admin.fetchval("select count(*) from payhub.payments"),
            [
                (tenant, int(sum_))
                for tenant, sum_ in await admin.fetch("select * from payhub.find_unbalanced_tenants()")
            ],
            [(tenant, account) for tenant, account in await admin.fetch(BROKEN_ACCOUNTS)],
        )


async def find_unbalanced_tenants(pool: Pool) -> list[int]:
    """The tenants whose accounts do not sum to zero: cheap enough to ask all the time."""
    async with acquire(pool) as connection:
        return [row[0] for row in await connection.fetch("select tenant_id from find_unbalanced_tenants()")]

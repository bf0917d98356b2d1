"""What has to be done first before somebody can leave: money, and promises that are still open.

Each is told with a stable code, and with what it is about, so that a client can lead there.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from core.database import Connection

# Of each kind as many as a screen shows.
SHOWN_MAX: Final = 20


class Code(StrEnum):
    """What is in the way, in the order in which one sees to it."""

    DISPUTE_OPEN = "dispute_open"
    PAYMENT_IN_REVIEW = "payment_in_review"
    HOLD_OPEN = "hold_open"
    SCHEDULE_GOING_ON = "schedule_going_on"
    BULK_OPEN = "bulk_open"
    MONEY_HELD = "money_held"
    BALANCE_LEFT = "balance_left"
    BALANCE_OWED = "balance_owed"
    LAST_OPERATOR = "last_operator"


ADVICE: Final[dict[Code, str]] = {
    Code.DISPUTE_OPEN: "Wait until the dispute is decided, or withdraw it.",
    Code.PAYMENT_IN_REVIEW: "Wait until an operator has released or declined the payment.",
    Code.HOLD_OPEN: "Capture or void the hold, or wait until it expires.",
    Code.SCHEDULE_GOING_ON: "Cancel the schedule.",
    Code.BULK_OPEN: "Cancel the bulk, or wait until it is posted.",
    Code.MONEY_HELD: "Money is reserved on the account: wait until it is taken or let go.",
    Code.BALANCE_LEFT: "Pay out what is left on the account.",
    Code.BALANCE_OWED: "Pay back what the account is below zero.",
    Code.LAST_OPERATOR: "Nobody else could run this tenant: open another operator first.",
}

# The accounts are locked by then, so that of what hangs on them nothing new comes.
FIND: Final = """
with mine as (
    select id, balance, held from accounts where tenant_id = $1 and person_id = $2
), open_standings as (
    select standings.payment_id, standings.in_review, payments.payer, payments.payee
      from standings
      join payments on payments.tenant_id = standings.tenant_id and payments.id = standings.payment_id
     where standings.tenant_id = $1 and standings.held > 0
)
(select 'dispute_open' as code, mine.id as account, disputes.id::text as about
   from disputes join mine on mine.id in (disputes.payer, disputes.payee)
  where disputes.tenant_id = $1 and disputes.closed_at is null limit $3)
union all
(select case when one.in_review then 'payment_in_review' else 'hold_open' end, mine.id, one.payment_id::text
   from open_standings as one join mine on mine.id in (one.payer, one.payee) limit $3)
union all
(select 'schedule_going_on', schedules.payer, schedules.id::text
   from schedules join mine on mine.id = schedules.payer
  where schedules.tenant_id = $1 and schedules.status in (0, 1) limit $3)
union all
(select 'bulk_open', bulks.account, bulks.id::text
   from bulks join mine on mine.id = bulks.account
  where bulks.tenant_id = $1 and bulks.status < 5 limit $3)
union all
(select 'money_held', mine.id, null from mine where mine.held > 0 limit $3)
union all
(select case when mine.balance > 0 then 'balance_left' else 'balance_owed' end, mine.id, null
   from mine where mine.balance <> 0 limit $3)
union all
(select 'last_operator', null, null
   from persons
  where tenant_id = $1 and id = $2 and role = 2
    and not exists (
        select from persons as other
         where other.tenant_id = $1 and other.role = 2 and other.status = 0 and other.id <> persons.id
    ))
"""


class Obstacle(NamedTuple):
    """One thing in the way. `about`: the id of the dispute, the payment, the schedule or the bulk."""

    code: Code
    account: int | None
    about: str | None


async def find_obstacles(connection: Connection, tenant_id: int, person_id: str) -> list[Obstacle]:
    """What is in the way of this person's leaving, in the connection's transaction, which names the tenant."""
    order = list(Code)
    rows = await connection.fetch(FIND, tenant_id, person_id, SHOWN_MAX)
    found = {Obstacle(Code(code), account, about) for code, account, about in rows}
    return sorted(found, key=lambda one: (order.index(one.code), one.account or 0, one.about or ""))

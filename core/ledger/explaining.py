"""One payment looked at from all sides, and what an operator asks of accounts beside it: holds, conditions.

Everything is found by key and bounded. It never writes, and it knows nobody's name.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from core.database import Connection, Pool, in_tenant
from core.keys.safe import Safe
from core.ledger.reading import to_entries
from core.ledger.rules import Decision
from core.ledger.words import Words, open_words
from core.nouns import Entry

# A payment with more steps is paged by read_steps; nobody reads more of them at once.
STEPS_MAX: Final = 100
# Each step has two sides, and a fee or some shares now and then.
ENTRIES_MAX: Final = 500

READ_STEPS: Final = """
select id::text, kind, status, amount, (extract(epoch from judged_at) * 1000000)::bigint, asked_by::text,
       session_id::text, rule, payer
  from payments
 where tenant_id = $1 and id = $2 and payer is not null
union all
(select id::text, kind, status, amount, (extract(epoch from judged_at) * 1000000)::bigint, asked_by::text,
        session_id::text, rule, payer
   from payments
  where tenant_id = $1 and subject = $2 and payer is not null
  order by judged_at, id
  limit $3)
"""
READ_ENTRIES: Final = """
select account_id, number, payment_id::text, amount, counterparty, balance,
       (extract(epoch from judged_at) * 1000000)::bigint as judged_at_us, description, kind, subject::text,
       charge::text, coalesce(hold, 0), held, coalesce(fee, 0), metadata::text, description_sealed, asked_by::text
  from entries
 where tenant_id = $1 and payment_id = any ($2::uuid[])
 order by judged_at, payment_id, account_id, number
 limit $3
"""
READ_DECISIONS: Final = """
select decisions.payment_id::text, payments.payer, payments.payee, payments.amount, decisions.rule, decisions.measure,
       decisions.measured, decisions.max, decisions.action,
       (extract(epoch from decisions.decided_at) * 1000000)::bigint
  from decisions
  join payments on payments.tenant_id = decisions.tenant_id and payments.id = decisions.payment_id
 where decisions.tenant_id = $1 and decisions.payment_id = any ($2::uuid[])
 order by decisions.decided_at, decisions.payment_id
"""
READ_OWNERS: Final = """
select id, person_id::text from accounts where tenant_id = $1 and id = any ($2::bigint[]) and person_id is not null
"""
READ_SEEN: Final = """
select account_id, person_id::text, number from acknowledgements
 where tenant_id = $1 and account_id = any ($2::bigint[])
 order by account_id, person_id
"""
READ_HOLDS: Final = """
select standings.payment_id::text, payments.payer, payments.payee, payments.amount, standings.held,
       standings.captured, (extract(epoch from payments.judged_at) * 1000000)::bigint, standings.expires_at,
       payments.description, payments.description_sealed, payments.asked_by::text
  from standings
  join payments on payments.tenant_id = standings.tenant_id and payments.id = standings.payment_id
 where standings.tenant_id = $1 and standings.held > 0 and not standings.in_review
   and ($2::timestamptz is null or (standings.expires_at, standings.payment_id) > ($2, $3::uuid))
 order by standings.expires_at, standings.payment_id
 limit $4
"""
READ_CONDITIONS: Final = "select person_id::text, limits, terms from accounts where tenant_id = $1 and id = $2"


class Taken(NamedTuple):
    """The payment itself or a step about it, done or refused: who asked for it, and in which session."""

    id: str
    kind: int
    status: int
    amount: int
    judged_at_us: int
    asked_by: str
    session_id: str | None
    rule: int | None
    payer: int


class Sight(NamedTuple):
    """What is known of a payment. `seen`: (account, person, up to which event number they said they saw)."""

    taken: list[Taken]
    entries: list[Entry]
    decisions: list[Decision]
    owners: dict[int, str]
    seen: list[tuple[int, str, int]]


class Hold(NamedTuple):
    """Money that is reserved, until a moment."""

    payment: str
    payer: int
    payee: int
    amount: int
    held: int
    captured: int
    judged_at_us: int
    expires_at: datetime
    description: str | None


class Conditions(NamedTuple):
    """What an account is under. `person_id` None: it is the tenant's own."""

    person_id: str | None
    limits: int | None
    terms: int | None


async def see_payment(pool: Pool, tenant_id: int, payment_id: str, keys: Safe | None = None) -> Sight | None:
    """All of a payment's life that the ledger has; None: there is no such payment. Without `keys`, without words."""
    async with in_tenant(pool, tenant_id) as connection:
        taken = [Taken(*row) for row in await connection.fetch(READ_STEPS, tenant_id, payment_id, STEPS_MAX)]
        if not taken or taken[0].id != payment_id:
            return None
        ids = [one.id for one in taken]
        rows = await connection.fetch(READ_ENTRIES, tenant_id, ids, ENTRIES_MAX)
        decisions = [Decision(*row) for row in await connection.fetch(READ_DECISIONS, tenant_id, ids)]
        accounts = sorted({row["account_id"] for row in rows} | {row["counterparty"] for row in rows})
        owners = await _owners(connection, tenant_id, accounts)
        seen = [tuple(row) for row in await connection.fetch(READ_SEEN, tenant_id, accounts)]
    return Sight(taken, await to_entries(keys, tenant_id, rows), decisions, owners, seen)


async def read_holds(
    pool: Pool, tenant_id: int, limit: int, after: tuple[datetime, str] | None = None, keys: Safe | None = None
) -> list[Hold]:
    """Money that is reserved, what ends first at the top, after a moment and payment. Reviews are another queue's."""
    at, id_ = after or (None, None)
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_HOLDS, tenant_id, at, id_, limit)
    texts = await open_words(
        keys,
        tenant_id,
        (Words(row["payment_id"], row["asked_by"], row["description_sealed"], row["description"]) for row in rows),
    )
    return [Hold(*row[:9])._replace(description=text) for row, text in zip(rows, texts, strict=True)]


async def read_conditions(pool: Pool, tenant_id: int, account_id: int) -> Conditions | None:
    """Whose an account is, and under which limits and terms; None: there is no such account."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_CONDITIONS, tenant_id, account_id)
    return Conditions(*row) if row else None


async def _owners(connection: Connection, tenant_id: int, accounts: Sequence[int]) -> dict[int, str]:
    return {row[0]: row[1] for row in await connection.fetch(READ_OWNERS, tenant_id, accounts)}

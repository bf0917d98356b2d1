"""Limits and risk rules: written here, judged in post_payments and, for comparison, in the oracle; never here.

A tenant has sets of limits and puts accounts under them. People may lower their own limits at once and raise them
after a wait; operators decide payments that a rule has set aside.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import NamedTuple

import asyncpg

from core.database import Pool, acquire, in_tenant
from core.errors import NotFound, Refusal
from core.keys.safe import Safe
from core.ledger.words import Words, open_words
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.nouns import Measure

# To be allowed beforehand waits like a raise of a limit (BCB Res. 142/2021), or a thief would allow himself.
ALLOWED_AFTER_S = 86_400
# In place of an account, in a listing that holds for everybody.
EVERYBODY = 0

FIND_OWNER = "select person_id::text from accounts where tenant_id = $1 and id = $2"
READ_RULES = """
select id, limits, name, measure, max, action, within_s, night_from, night_to, own_max, raise_wait_s, is_on
  from rules
 where tenant_id = $1
 order by limits, id
"""
READ_OWN_LIMITS = """
select ruled.measure, ruled.max, ruled.own_max, ruled.raise_wait_s,
       case when own.next_from <= now() then own.next_max else own.max end as own,
       case when own.next_from > now() then own.next_max end as next,
       case when own.next_from > now() then (extract(epoch from own.next_from) * 1000000)::bigint end as next_from_us
  from accounts
  join rules as ruled on ruled.tenant_id = accounts.tenant_id and ruled.limits = accounts.limits and ruled.is_on
  left join own_limits as own
    on own.tenant_id = accounts.tenant_id and own.account_id = accounts.id and own.measure = ruled.measure
   and ruled.own_max is not null
 where accounts.tenant_id = $1 and accounts.id = $2 and ruled.action = 1 and ruled.measure in (1, 2, 3, 4)
 order by ruled.measure, ruled.max
"""
READ_LISTED_PAYEES = """
select payee, listing, (extract(epoch from listed_from) * 1000000)::bigint
  from payees
 where tenant_id = $1 and account_id = $2 and listing is not null and payee > $3
 order by payee
 limit $4
"""
READ_REVIEWS = """
select standings.payment_id::text, payments.payer, payments.payee, payments.amount, payments.kind,
       (extract(epoch from payments.judged_at) * 1000000)::bigint,
       (extract(epoch from standings.expires_at) * 1000000)::bigint,
       decisions.rule, decisions.measure, decisions.measured, decisions.max, payments.description,
       payments.description_sealed, payments.asked_by::text
  from standings
  join payments on payments.tenant_id = standings.tenant_id and payments.id = standings.payment_id
  join decisions on decisions.tenant_id = standings.tenant_id and decisions.payment_id = standings.payment_id
 where standings.tenant_id = $1 and standings.in_review
 order by payments.judged_at, payments.id
 limit $2
"""
READ_DECISIONS = """
select decisions.payment_id::text, payments.payer, payments.payee, payments.amount, decisions.rule, decisions.measure,
       decisions.measured, decisions.max, decisions.action,
       (extract(epoch from decisions.decided_at) * 1000000)::bigint
  from decisions
  join payments on payments.tenant_id = decisions.tenant_id and payments.id = decisions.payment_id
 where decisions.tenant_id = $1
   and (decisions.decided_at, decisions.payment_id)
     < (to_timestamp($2::float8 / 1000000), coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')::uuid)
   and ($4::int is null or decisions.action = $4)
 order by decisions.decided_at desc, decisions.payment_id desc
 limit $5
"""
READ_CHANGES = """
select (extract(epoch from at) * 1000000)::bigint, who::text, substr(what, 9), about, details ->> 'before',
       details ->> 'after'
  from audit_entries
 where tenant_id = $1 and what >= 'setting.' and what < 'setting/' and at < to_timestamp($2::float8 / 1000000)
 order by at desc, id desc
 limit $3
"""


class Rule(NamedTuple):
    """One rule. `measure` and `action` as in core.nouns; amounts in minor units, a velocity's `max` is a count.

    `within_s`: of a velocity the while, of a new payee or device how long it is new. `night_from`, `night_to`: local
    time. `own_max`: how high a person may set it; None: not theirs to set. `raise_wait_s`: what a raise waits.
    A velocity lets `max` payments through at once and one more every `within_s / max` seconds (GCRA, ITU-T I.371).
    """

    id: int
    limits: int
    name: str
    measure: int
    max: int
    action: int
    within_s: int | None = None
    night_from: time | None = None
    night_to: time | None = None
    own_max: int | None = None
    raise_wait_s: int = 86_400
    is_on: bool = True


class OwnLimit(NamedTuple):
    """A limit as it stands for an account. `own` None: the owner has not set it; `next` holds from `next_from_us`."""

    measure: int
    max: int
    own_max: int | None
    raise_wait_s: int
    own: int | None
    next: int | None
    next_from_us: int | None


class ListedPayee(NamedTuple):
    """Somebody whom an account may pay beforehand (listing 1), or not at all (2), and from when."""

    payee: int
    listing: int
    from_us: int


class Review(NamedTuple):
    """A payment that waits for an operator, and what set it aside."""

    payment: str
    payer: int
    payee: int
    amount: int
    kind: int
    judged_at_us: int
    expires_at_us: int
    rule: int
    measure: int
    measured: int
    max: int
    description: str | None


class Decision(NamedTuple):
    """A rule that decided a payment: refused it, set it aside, or raised an alert."""

    payment: str
    payer: int
    payee: int
    amount: int
    rule: int
    measure: int
    measured: int
    max: int
    action: int
    decided_at_us: int


class Change(NamedTuple):
    """A setting that was changed: `before` and `after` are JSON, or None."""

    changed_at_us: int
    asked_by: str | None
    what: str
    key: str
    before: str | None
    after: str | None


async def set_limits(pool: Pool, tenant_id: int, limits_id: int, name: str, asked_by: str | None = None) -> None:
    """Open a set of limits, or name it anew."""
    async with acquire(pool) as connection:
        await connection.execute("select set_limits($1, $2, $3, $4)", tenant_id, asked_by, limits_id, name)


async def set_rule(pool: Pool, tenant_id: int, rule: Rule, asked_by: str | None = None) -> None:
    """Write a rule, new or changed. Raises NotFound (no such limits), Refusal when its parts do not fit together."""
    try:
        async with acquire(pool) as connection:
            known = await connection.fetchval(
                "select set_rule($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                tenant_id,
                asked_by,
                *rule,
            )
    except asyncpg.CheckViolationError as error:
        raise Refusal("rule_does_not_fit", f"The rule breaks {error.constraint_name}.") from None
    except asyncpg.UniqueViolationError:
        raise Refusal("rule_does_not_fit", "These limits have a night or a velocity already.") from None
    if not known:
        raise NotFound


async def put_under_limits(
    pool: Pool, tenant_id: int, account_id: int, limits_id: int | None, asked_by: str | None = None
) -> None:
    """Put an account under limits, or under none. Raises NotFound."""
    async with acquire(pool) as connection:
        if not await connection.fetchval(
            "select put_under_limits($1, $2, $3, $4)", tenant_id, asked_by, account_id, limits_id
        ):
            raise NotFound


async def read_rules(pool: Pool, tenant_id: int) -> list[Rule]:
    """All of a tenant's rules."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Rule(*row) for row in await connection.fetch(READ_RULES, tenant_id)]


async def set_own_limit(
    pool: Pool,
    tenant_id: int,
    account_id: int,
    measure: int,
    maximum: int,
    asked_by: str,
    session_id: str | None = None,
) -> tuple[int, int | None, int | None]:
    """Lower a limit at once, or raise it after the wait: (holds now, holds then, from when in microseconds).

    Whoever raises one hears of it, so that somebody else who did is found out before it holds.

    Raises Refusal when no rule of this measure is the owner's to set, or not so high.
    """
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(
            "select max, next_max, next_from_us from set_own_limit($1, $2, $3, $4, $5)",
            tenant_id,
            asked_by,
            account_id,
            measure,
            maximum,
        )
        if row is None:
            raise Refusal("limit_not_yours", field="max")
        if row["next_max"] is not None:
            owner = await connection.fetchval(FIND_OWNER, tenant_id, account_id)
            facts = Facts(
                at=datetime.now(UTC),
                amount=row["next_max"],
                code=Measure(measure).name.lower(),
                ends_at=datetime.fromtimestamp(row["next_from_us"] / 1_000_000, UTC),
            )
            await leave(connection, tenant_id, NoticeKind.LIMIT_RAISED, owner or asked_by, facts, session_id=session_id)
    return row[0], row[1], row[2]


async def read_own_limits(pool: Pool, tenant_id: int, account_id: int) -> list[OwnLimit]:
    """What an account may pay at most, and what its owner set."""
    async with in_tenant(pool, tenant_id) as connection:
        return [OwnLimit(*row) for row in await connection.fetch(READ_OWN_LIMITS, tenant_id, account_id)]


async def list_payee(
    pool: Pool, tenant_id: int, account_id: int, payee: int, listing: int | None, asked_by: str
) -> int:
    """Allow a payee beforehand (1), deny it (2), or forget either (None): from when, in microseconds.

    `account_id` EVERYBODY: for all accounts under limits. Raises NotFound.
    """
    async with acquire(pool) as connection:
        from_us: int | None = await connection.fetchval(
            "select list_payee($1, $2, $3, $4, $5, $6)",
            tenant_id,
            asked_by,
            account_id,
            payee,
            listing,
            ALLOWED_AFTER_S,
        )
    if from_us is None:
        raise NotFound
    return from_us


async def read_listed_payees(pool: Pool, tenant_id: int, account_id: int, after: int, limit: int) -> list[ListedPayee]:
    """Whom an account's owner has allowed beforehand or denied, by number, above `after`."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_LISTED_PAYEES, tenant_id, account_id, after, limit)
    return [ListedPayee(*row) for row in rows]


async def read_reviews(pool: Pool, tenant_id: int, limit: int, keys: Safe | None = None) -> list[Review]:
    """The queue of payments that wait for an operator, oldest first. Without `keys`, without words."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ_REVIEWS, tenant_id, limit)
    texts = await open_words(
        keys,
        tenant_id,
        (Words(row["payment_id"], row["asked_by"], row["description_sealed"], row["description"]) for row in rows),
    )
    return [Review(*row[:12])._replace(description=text) for row, text in zip(rows, texts, strict=True)]


async def read_decisions(
    pool: Pool, tenant_id: int, before_us: int, before_payment: str | None, action: int | None, limit: int
) -> list[Decision]:
    """What rules have decided before a moment, newest first."""
    async with in_tenant(pool, tenant_id) as connection:
        rows: Sequence[asyncpg.Record] = await connection.fetch(
            READ_DECISIONS, tenant_id, before_us, before_payment, action, limit
        )
    return [Decision(*row) for row in rows]


async def read_changes(pool: Pool, tenant_id: int, before_us: int, limit: int) -> list[Change]:
    """Which settings were changed before a moment, newest first."""
    async with in_tenant(pool, tenant_id) as connection:
        return [Change(*row) for row in await connection.fetch(READ_CHANGES, tenant_id, before_us, limit)]

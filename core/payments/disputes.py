"""Disputes: a payer wants money back; it is reserved, argued about, and stays or goes back.

    OPEN ──answer──► UNDER_REVIEW ──decide──► ACCEPTED | PARTLY_ACCEPTED ──claim──► (collecting) ──► closed
      │                    │                        │                └─ its clock ──► EXPIRED
      └───── decide ───────┼── nothing awarded ──► REJECTED
                           └── withdraw ─────────► WITHDRAWN

Here is who may do what, and when; what it does to the money is dispute_case's. As a rehearsal an act is done and
rolled back: its answer is what the act's would be, under other ids.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from core.database import Connection, Pool, acquire
from core.errors import NotFound, Refusal
from core.keys.places import DISPUTE_TEXT
from core.keys.safe import Safe
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave
from core.nouns import BEGINNING, SYSTEM_ACCOUNT_MAX
from core.payments.dispute_case import (
    COLUMNS,
    LOCK_DISPUTE,
    NOW,
    READ_DISPUTE,
    READ_PAID,
    REST,
    REST_LASTS,
    UNDECIDED,
    Actor,
    Case,
    Dispute,
    DisputeStatus,
    Done,
    locked_case,
    opened,
    read,
    seen,
    to_dispute,
    transaction,
)
from core.payments.dispute_profiles import BUILT_IN, Profile, check, default_name, from_json, to_json

INSERT_DISPUTE = """
insert into disputes (
    tenant_id, id, payment_id, payer, payee, amount, reason, text_sealed, rules, opened_by, by_operator, paid_at,
    opened_at, answer_due_at, decision_due_at, due_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $14)
    on conflict do nothing
returning true
"""
FIND_OWNER = "select person_id::text from accounts where tenant_id = $1 and id = $2"
READ_RULES = """
select rules::text
  from dispute_profiles
 where tenant_id = $1 and case when $2::text is null then is_default else name = $2 end
"""
LIST_ALL = f"""
select {COLUMNS}
  from disputes
 where tenant_id = $1
   and ($2::smallint is null or status = $2)
   and ($3::boolean is null or is_overdue = $3)
   and ($4::uuid is null or (opened_at, id) < (select opened_at, id from disputes where tenant_id = $1 and id = $4))
 order by opened_at desc, id desc
 limit $5
"""  # noqa: S608 - a constant
# Somebody else's dispute is no place to go on from, like one that is not there.
LIST_OWN = f"""
with own as (
    select * from disputes where tenant_id = $1 and (payer = any ($6::bigint[]) or payee = any ($6))
)
select {COLUMNS}
  from own
 where ($2::smallint is null or status = $2)
   and ($3::boolean is null or is_overdue = $3)
   and ($4::uuid is null or (opened_at, id) < (select opened_at, id from own where id = $4))
 order by opened_at desc, id desc
 limit $5
"""  # noqa: S608 - a constant
FIND_OF_PAYMENT = """
select id::text from disputes where tenant_id = $1 and payer = $2 and payment_id = $3 order by opened_at, id
"""
LIST_PROFILES = "select rules::text, is_default from dispute_profiles where tenant_id = $1"
UNSET_DEFAULT = "update dispute_profiles set is_default = false where tenant_id = $1 and is_default and name <> $2"
SET_PROFILE = """
insert into dispute_profiles (tenant_id, name, rules, is_default) values ($1, $2, $3, $4)
    on conflict (tenant_id, name) do update
   set rules = excluded.rules, is_default = excluded.is_default, updated_at = now()
"""


class Opening(NamedTuple):
    """What is asked for. `amount` None: all that can be disputed. `profile` None: the tenant's default."""

    id: str
    payment: str
    reason: int
    text: str | None = None
    amount: int | None = None
    profile: str | None = None


async def open_dispute(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    actor: Actor,
    opening: Opening,
    at: datetime | None = None,
    *,
    is_rehearsal: bool = False,
) -> Done:
    """Dispute a payment and reserve on the payee's account as much of it as is there.

    The same id again gives the dispute as it stands. Raises NotFound for a payment that the actor did not pay, Refusal
    for one that is too old, disputed already, or of which less is left; for a reason the profile does not cover; and,
    unless the actor is an operator, for a profile that is not the default.
    """
    async with transaction(pool, tenant_id, is_rehearsal=is_rehearsal) as connection:
        known = await read(connection, READ_DISPUTE, tenant_id, opening.id)
        if known is not None:
            return Done(_same((await opened(keys, tenant_id, [known]))[0], actor, opening), [], [])
        paid = await connection.fetchrow(READ_PAID, tenant_id, opening.payment)
        if paid is None or paid["kind"] not in BEGINNING or not actor.may_use(paid["payer"]):
            raise NotFound
        profile = await _profile(connection, tenant_id, actor, opening.profile)
        now: datetime = await connection.fetchval(NOW, at)
        amount = paid["rest"] if opening.amount is None else opening.amount
        if min(paid["payer"], paid["payee"]) <= SYSTEM_ACCOUNT_MAX or not 0 < amount <= paid["rest"]:
            raise Refusal("not_disputable", field="payment" if opening.amount is None else "amount")
        if opening.reason not in profile.reasons:
            raise Refusal("reason_not_covered", field="reason")
        if now > profile.last_opening(paid["paid_at"]):
            raise Refusal("dispute_deadline_passed", field="payment")
        inserted = await connection.fetchval(
            INSERT_DISPUTE,
            tenant_id,
            opening.id,
            opening.payment,
            paid["payer"],
            paid["payee"],
            amount,
            int(opening.reason),
            await _seal(connection, keys, tenant_id, paid["payer"], opening),
            to_json(profile),
            actor.person_id,
            actor.is_operator,
            paid["paid_at"],
            now,
            now + timedelta(seconds=profile.answer_s),
            now + timedelta(seconds=profile.decide_s),
        )
        dispute = await read(connection, LOCK_DISPUTE, tenant_id, opening.id)
        if not inserted:
            # Somebody was faster: with this id, or with another dispute of the payment.
            if dispute is None:
                raise Refusal("already_disputed", field="payment")
            return Done(_same((await opened(keys, tenant_id, [dispute]))[0], actor, opening), [], [])
        assert dispute is not None
        case = Case(connection, tenant_id, dispute._replace(text=opening.text), actor.person_id, now)
        await case.hold(amount)
        merchant = await connection.fetchval(FIND_OWNER, tenant_id, paid["payee"])
        if merchant is not None:
            ends_at = now + timedelta(seconds=profile.answer_s)
            facts = Facts(at=now, amount=amount, subject=opening.id, ends_at=ends_at)
            await leave(connection, tenant_id, NoticeKind.DISPUTE_OPENED, merchant, facts, notice_id=opening.id)
        return await case.save()


async def answer_dispute(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    actor: Actor,
    dispute_id: str,
    offered: int | None,
    text: str | None,
    at: datetime | None = None,
    *,
    is_rehearsal: bool = False,
) -> Done:
    """The payee's word: `offered` is what goes back without a quarrel. None: all of it; 0: the payee contests.

    All of it ends the matter; of less, an operator decides the rest. Raises NotFound, Refusal.
    """
    async with locked_case(pool, keys, tenant_id, dispute_id, actor, at, is_rehearsal=is_rehearsal) as case:
        dispute = case.dispute
        if not actor.may_use(dispute.payee):
            raise Refusal("forbidden")
        if offered is None:
            offered = dispute.amount
        if offered > dispute.amount:
            raise Refusal("not_disputable", field="amount")
        if dispute.answered_at is not None and (dispute.offered, dispute.answer) == (offered, text):
            return case.done()
        case.require(
            dispute.status == DisputeStatus.OPEN, dispute.answer_due_at if dispute.answered_at is None else None
        )
        await case.answer(keys, text)
        case.change(offered=offered, answered_at=case.now, status=DisputeStatus.UNDER_REVIEW)
        if offered == dispute.amount:
            await case.award(offered)
        return await case.save()


async def decide_dispute(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    actor: Actor,
    dispute_id: str,
    amount: int,
    note: str | None,
    at: datetime | None = None,
    *,
    is_rehearsal: bool = False,
) -> Done:
    """An operator's word: the payer gets `amount` back, 0 to all that is disputed. A late decision is one, too.

    Not by somebody whose own money it is, and not less than the payee offers. Raises NotFound, Refusal.
    """
    async with locked_case(pool, keys, tenant_id, dispute_id, actor, at, is_rehearsal=is_rehearsal) as case:
        dispute = case.dispute
        if not actor.is_operator or not {dispute.payer, dispute.payee}.isdisjoint(actor.accounts):
            raise Refusal("forbidden")
        if dispute.decided_by is not None and (dispute.awarded, dispute.note) == (amount, note):
            return case.done()
        case.require(dispute.status in UNDECIDED)
        if not (dispute.offered or 0) <= amount <= dispute.amount:
            raise Refusal("not_disputable", "Decide on at least what is offered and at most what is disputed.")
        await case.remark(keys, note)
        case.change(decided_by=actor.person_id)
        await case.award(amount)
        return await case.save()


async def claim_dispute(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    actor: Actor,
    dispute_id: str,
    at: datetime | None = None,
    *,
    is_rehearsal: bool = False,
) -> Done:
    """The payer takes what was awarded: it goes back now, as far as it is there. Raises NotFound, Refusal."""
    async with locked_case(pool, keys, tenant_id, dispute_id, actor, at, is_rehearsal=is_rehearsal) as case:
        dispute = case.dispute
        if not actor.may_use(dispute.payer):
            raise Refusal("forbidden")
        if dispute.claimed_at is not None:
            return case.done()
        case.require(dispute.claim_due_at is not None and dispute.closed_at is None)
        await case.claim()
        return await case.save()


async def withdraw_dispute(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    actor: Actor,
    dispute_id: str,
    at: datetime | None = None,
    *,
    is_rehearsal: bool = False,
) -> Done:
    """Whoever opened it lets it be, as long as nothing has gone back; operators do so for each other.

    What is reserved is let go. Raises NotFound, Refusal.
    """
    async with locked_case(pool, keys, tenant_id, dispute_id, actor, at, is_rehearsal=is_rehearsal) as case:
        dispute = case.dispute
        if actor.person_id != dispute.opened_by and not (dispute.by_operator and actor.is_operator):
            raise Refusal("forbidden")
        if dispute.status == DisputeStatus.WITHDRAWN:
            return case.done()
        case.require(dispute.closed_at is None and dispute.claimed_at is None)
        case.change(owed=0)
        await case.let_go(DisputeStatus.WITHDRAWN)
        return await case.save()


async def find_due_disputes(pool: Pool, limit: int, at: datetime | None = None) -> list[tuple[int, str]]:
    """(tenant, dispute) of what `tend_dispute` has something to do with, of all tenants."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            "select tenant_id, id::text from find_due_disputes(coalesce($1, clock_timestamp()), $2)", at, limit
        )
    return [tuple(row) for row in rows]


async def rest_dispute(pool: Pool, tenant_id: int, dispute_id: str, at: datetime | None = None) -> None:
    """Leave a dispute alone for a while, after a failure with it."""
    async with transaction(pool, tenant_id) as connection:
        await connection.execute(REST, tenant_id, dispute_id, at, REST_LASTS)


async def read_dispute(pool: Pool, keys: Safe, tenant_id: int, actor: Actor, dispute_id: str) -> Dispute:
    """The dispute, to its two sides and to operators. Raises NotFound."""
    return (await opened(keys, tenant_id, [await read_silent(pool, tenant_id, actor, dispute_id)]))[0]


async def read_silent(pool: Pool, tenant_id: int, actor: Actor, dispute_id: str) -> Dispute:
    """As `read_dispute`, without what was said in it."""
    async with transaction(pool, tenant_id) as connection:
        return seen(await read(connection, READ_DISPUTE, tenant_id, dispute_id), actor)


async def list_disputes(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    actor: Actor,
    limit: int,
    *,
    status: int | None = None,
    is_overdue: bool | None = None,
    before: str | None = None,
) -> list[Dispute]:
    """The disputes that the actor may see, newest first, below the one called `before`."""
    page = tenant_id, status, is_overdue, before, limit
    async with transaction(pool, tenant_id) as connection:
        if actor.is_operator:
            rows = await connection.fetch(LIST_ALL, *page)
        else:
            rows = await connection.fetch(LIST_OWN, *page, list(actor.accounts))
    return await opened(keys, tenant_id, [to_dispute(row) for row in rows])


async def find_disputes(pool: Pool, tenant_id: int, payer: int, payment_id: str) -> list[str]:
    """The ids of a payment's disputes, oldest first. `payer`: the payment's, by whom they are found."""
    async with transaction(pool, tenant_id) as connection:
        return [row[0] for row in await connection.fetch(FIND_OF_PAYMENT, tenant_id, payer, payment_id)]


async def set_profile(pool: Pool, tenant_id: int, profile: Profile, *, is_default: bool) -> None:
    """Write rules of the tenant's own. They hold for disputes opened from now on. Raises Refusal."""
    check(profile)
    async with transaction(pool, tenant_id) as connection:
        if is_default:
            await connection.execute(UNSET_DEFAULT, tenant_id, profile.name)
        await connection.execute(SET_PROFILE, tenant_id, profile.name, to_json(profile), is_default)


async def list_profiles(pool: Pool, tenant_id: int) -> list[tuple[Profile, bool]]:
    """The tenant's profiles by name, built in or its own; True: the default."""
    async with transaction(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST_PROFILES, tenant_id)
        built_in = await _default_name(connection, tenant_id)
    own = {(profile := from_json(rules)).name: (profile, is_default) for rules, is_default in rows}
    has_default = any(is_default for _, is_default in own.values())
    found = {name: (profile, False) for name, profile in BUILT_IN.items()} | own
    return [
        (profile, is_default if has_default else name == built_in)
        for name, (profile, is_default) in sorted(found.items())
    ]


def _same(known: Dispute, actor: Actor, opening: Opening) -> Dispute:
    """The dispute that has this id, if it is what was asked for. Raises Refusal with the field that differs."""
    if not actor.may_use(known.payer):
        raise Refusal("conflict", field="dispute")
    for field, before, now in (
        ("payment", known.payment, opening.payment),
        ("reason", known.reason, opening.reason),
        ("text", known.text, opening.text),
        ("amount", known.amount, opening.amount or known.amount),
        ("profile", known.profile.name, opening.profile or known.profile.name),
    ):
        if before != now:
            raise Refusal("conflict", field=field)
    return known


async def _seal(connection: Connection, keys: Safe, tenant_id: int, payer: int, opening: Opening) -> bytes | None:
    """The payer's text as it is kept."""
    if opening.text is None:
        return None
    owner: str = await connection.fetchval(FIND_OWNER, tenant_id, payer)
    return (await keys.one(tenant_id, owner, create=True)).seal(*DISPUTE_TEXT.at(opening.id), opening.text)


async def _profile(connection: Connection, tenant_id: int, actor: Actor, name: str | None) -> Profile:
    """The rules to open a dispute by. Which ones hold is the institution's to say, not the payer's."""
    rules = await connection.fetchval(READ_RULES, tenant_id, None)
    default = await _default_name(connection, tenant_id) if rules is None else from_json(rules).name
    if name is None:
        name = default
    elif name != default and not actor.is_operator:
        raise Refusal("forbidden", field="profile")
    rules = await connection.fetchval(READ_RULES, tenant_id, name)
    if rules is None and name not in BUILT_IN:
        raise NotFound
    return BUILT_IN[name] if rules is None else from_json(rules)


async def _default_name(connection: Connection, tenant_id: int) -> str:
    return default_name(await connection.fetchval("select currency from tenants where id = $1", tenant_id))

"""A payment from all sides, open holds, and what an account is under: for whoever oversees the tenant."""

from typing import Final

from msgspec import UNSET

from core.ledger import explaining
from core.ledger.explaining import Hold
from core.ledger.rules import Decision
from core.notices.telling import Told, read_told
from core.nouns import Action, Kind, Measure
from core.payments.disputes import find_disputes
from core.webhooks.replaying import Attempt, read_attempts_of
from hub.commands.context import STATUS_NAMES, Context, to_entry_state
from hub.commands.noticing import NAMES, ROADS
from hub.commands.operating import require_overseer
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import from_time, given, or_unset, time_of, time_or_unset, to_datetime, to_time
from hub.protocol import oversight
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.protocol.rules import DecisionState
from hub.session import Session


async def explain_payment(
    context: Context, session: Session, command: oversight.ExplainPayment
) -> oversight.PaymentExplained:
    """All that is known of it beside its life and its proof."""
    require_overseer(session)
    tenant_id = session.speaker.tenant_id
    sight = await explaining.see_payment(context.pool, tenant_id, command.payment, context.keys)
    if sight is None:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payment")
    disputes = await find_disputes(context.pool, tenant_id, sight.taken[0].payer, command.payment)
    events = [(entry.account, entry.number) for entry in sight.entries]
    persons = sorted(set(sight.owners.values()))
    subjects = [one.id for one in sight.taken] + disputes
    told = await read_told(context.pool, tenant_id, events, subjects, persons)
    hooked = await read_attempts_of(context.pool, tenant_id, persons, events)
    seen = {(account, person): number for account, person, number in sight.seen}
    return oversight.PaymentExplained(
        command.id,
        command.payment,
        [
            oversight.TakenState(
                one.id,
                Kind(one.kind).name.lower(),
                STATUS_NAMES[one.status],
                one.amount,
                to_time(one.judged_at_us),
                one.asked_by,
                or_unset(one.session_id),
                or_unset(one.rule),
            )
            for one in sight.taken
        ],
        [oversight.SideEntry(entry.account, to_entry_state(entry)) for entry in sight.entries],
        [
            oversight.OwnerState(account, person, or_unset(seen.get((account, person))))
            for account, person in sorted(sight.owners.items())
        ],
        [_to_decision(one) for one in sight.decisions],
        disputes,
        [_to_told(one) for one in told],
        [_to_hooked(webhook, attempt) for webhook, attempt in hooked],
    )


async def holds(context: Context, session: Session, command: oversight.ReadHolds) -> oversight.HoldsAnswer:
    """A page of what is reserved."""
    require_overseer(session)
    after, after_payment = given(command.after), given(command.after_payment)
    if (after is None) != (after_payment is None):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "after and after_payment come together.", field="after")
    limit = given(command.limit, PAGE_LENGTH)
    place = None if after is None or after_payment is None else (to_datetime(from_time(after)), after_payment)
    found = await explaining.read_holds(context.pool, session.speaker.tenant_id, limit + 1, place, context.keys)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return oversight.HoldsAnswer(
        command.id,
        [_to_hold(one) for one in page],
        UNSET if last is None else time_of(last.expires_at),
        UNSET if last is None else last.payment,
    )


async def conditions(
    context: Context, session: Session, command: oversight.ReadConditions
) -> oversight.ConditionsAnswer:
    """What an account is under."""
    require_overseer(session)
    found = await explaining.read_conditions(context.pool, session.speaker.tenant_id, command.account)
    if found is None:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account")
    return oversight.ConditionsAnswer(
        command.id, command.account, or_unset(found.person_id), or_unset(found.limits), or_unset(found.terms)
    )


def _to_decision(one: Decision) -> DecisionState:
    return DecisionState(
        one.payment,
        one.payer,
        one.payee,
        one.amount,
        one.rule,
        Measure(one.measure).name.lower(),
        one.measured,
        one.max,
        Action(one.action).name.lower(),
        to_time(one.decided_at_us),
    )


def _to_told(one: Told) -> oversight.ToldState:
    handed = [
        oversight.HandedState(
            ROADS[each.road],
            each.state.name.lower(),  # type: ignore[arg-type]
            each.tries,
            time_of(each.made_at),
            time_or_unset(each.ended_at),
            or_unset(each.code),
        )
        for each in one.handed
    ]
    return oversight.ToldState(
        NAMES[one.kind], one.person_id, time_of(one.at), time_or_unset(one.heard_at), handed or UNSET
    )


def _to_hooked(webhook: str, one: Attempt) -> oversight.HookedState:
    return oversight.HookedState(
        webhook,
        one.account,
        one.number,
        one.event_id,
        one.event,
        time_of(one.at),
        one.took_ms,
        one.code,
        one.tries,
        or_unset(one.status),
    )


def _to_hold(one: Hold) -> oversight.HoldState:
    return oversight.HoldState(
        one.payment,
        one.payer,
        one.payee,
        one.amount,
        one.held,
        one.captured,
        to_time(one.judged_at_us),
        time_of(one.expires_at),
        or_unset(one.description),
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(
        oversight.ExplainPayment,
        oversight.PaymentExplained,
        explain_payment,
        "GET",
        "/v1/payments/{payment}/explanation",
    ),
    Row(oversight.ReadHolds, oversight.HoldsAnswer, holds, "GET", "/v1/holds"),
    Row(
        oversight.ReadConditions,
        oversight.ConditionsAnswer,
        conditions,
        "GET",
        "/v1/accounts/{account}/conditions",
    ),
)

"""Limits and risk rules, own limits, known payees, and the queue of payments under review."""

from datetime import time
from typing import Final

from msgspec import UNSET, UnsetType

from core.errors import NotFound
from core.ledger import rules as core_rules
from core.ledger.rules import EVERYBODY, OwnLimit, Rule
from core.nouns import Action, EventName, Kind, Measure
from hub.commands.context import ALERTS, Context
from hub.commands.operating import require_operator, require_overseer
from hub.commands.reading import own_account, seen_account
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import from_time, given, to_time
from hub.protocol import rules
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH, PAGE_LENGTH_MAX
from hub.protocol.scopes import Scope
from hub.session import Session

LISTINGS: Final = {"none": None, "allowed": 1, "denied": 2}
NAMES: Final = {1: "allowed", 2: "denied"}


async def set_limits(context: Context, session: Session, command: rules.SetLimits) -> rules.LimitsSet:
    """Open a set of limits."""
    require_operator(session)
    speaker = session.speaker
    await core_rules.set_limits(context.pool, speaker.tenant_id, command.limits, command.name, speaker.person_id)
    return rules.LimitsSet(command.id, command.limits, command.name)


async def set_rule(context: Context, session: Session, command: rules.SetRule) -> rules.RuleSet:
    """Write a rule, from the next payment on."""
    require_operator(session)
    speaker = session.speaker
    rule = Rule(
        command.rule,
        command.limits,
        command.name,
        Measure[command.measure.upper()],
        command.max,
        Action[command.action.upper()],
        given(command.within_s),
        None if isinstance(command.night_from, UnsetType) else time.fromisoformat(command.night_from),
        None if isinstance(command.night_to, UnsetType) else time.fromisoformat(command.night_to),
        given(command.own_max),
        given(command.raise_wait_s, 86_400),
        command.off is not True,
    )
    try:
        await core_rules.set_rule(context.pool, speaker.tenant_id, rule, speaker.person_id)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="limits") from None
    return rules.RuleSet(command.id, _to_state(rule))


async def read_rules(context: Context, session: Session, command: rules.ReadRules) -> rules.RulesAnswer:
    """All rules."""
    require_overseer(session)
    found = await core_rules.read_rules(context.pool, session.speaker.tenant_id)
    return rules.RulesAnswer(command.id, list(map(_to_state, found)))


async def put_under_limits(context: Context, session: Session, command: rules.PutUnderLimits) -> rules.UnderLimits:
    """Put an account under limits, or under none."""
    require_operator(session)
    speaker = session.speaker
    await core_rules.put_under_limits(
        context.pool, speaker.tenant_id, command.account, given(command.limits), speaker.person_id
    )
    return rules.UnderLimits(command.id, command.account, command.limits)


async def own_limits(context: Context, session: Session, command: rules.ReadOwnLimits) -> rules.OwnLimits:
    """What the account may pay at most."""
    account = await seen_account(context, session, command.account)
    found = await core_rules.read_own_limits(context.pool, session.speaker.tenant_id, account.id)
    return rules.OwnLimits(command.id, account.id, list(map(_to_limit, found)))


async def set_own_limit(context: Context, session: Session, command: rules.SetOwnLimit) -> rules.OwnLimitSet:
    """Lower a limit at once, or raise it after its wait."""
    account = await own_account(context, session, command.account)
    speaker = session.speaker
    measure = Measure[command.measure.upper()]
    now, then, from_us = await core_rules.set_own_limit(
        context.pool, speaker.tenant_id, account.id, measure, command.max, speaker.person_id, speaker.session_id
    )
    limit = rules.LimitState(
        command.measure,
        now,
        next_max=UNSET if then is None else then,
        next_from=UNSET if from_us is None else to_time(from_us),
    )
    return rules.OwnLimitSet(command.id, account.id, limit)


async def list_payee(context: Context, session: Session, command: rules.ListPayee) -> rules.PayeeListed:
    """Allow, deny or forget a payee."""
    if isinstance(command.account, UnsetType):
        require_operator(session)
        account = EVERYBODY
    else:
        account = (await own_account(context, session, command.account)).id
    speaker = session.speaker
    try:
        from_us = await core_rules.list_payee(
            context.pool, speaker.tenant_id, account, command.payee, LISTINGS[command.listing], speaker.person_id
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payee") from None
    return rules.PayeeListed(command.id, command.payee, command.listing, to_time(from_us), command.account)


async def listed_payees(context: Context, session: Session, command: rules.ReadListedPayees) -> rules.ListedPayees:
    """A page of whom the account may pay beforehand or not at all."""
    account = await seen_account(context, session, command.account)
    limit = given(command.limit, PAGE_LENGTH)
    found = await core_rules.read_listed_payees(
        context.pool, session.speaker.tenant_id, account.id, given(command.after, 0), limit + 1
    )
    page = [rules.ListedPayeeState(one.payee, NAMES[one.listing], to_time(one.from_us)) for one in found[:limit]]
    return rules.ListedPayees(command.id, account.id, page, page[-1].payee if len(found) > limit else UNSET)


async def reviews(context: Context, session: Session, command: rules.ReadReviews) -> rules.Reviews:
    """The queue, oldest first."""
    require_overseer(session)
    limit = given(command.limit, PAGE_LENGTH_MAX)
    found = await core_rules.read_reviews(context.pool, session.speaker.tenant_id, limit, context.keys)
    return rules.Reviews(
        command.id,
        [
            rules.ReviewState(
                one.payment,
                one.payer,
                one.payee,
                one.amount,
                EventName.PAYMENT_SENT if one.kind == Kind.PAY else EventName.HOLD_PLACED,
                to_time(one.judged_at_us),
                to_time(one.expires_at_us),
                one.rule,
                Measure(one.measure).name.lower(),
                one.measured,
                one.max,
                UNSET if one.description is None else one.description,
            )
            for one in found
        ],
    )


async def alerts(context: Context, session: Session, command: rules.ReadAlerts) -> rules.Alerts:
    """What rules have decided, newest first; with `watch`, new ones are told as they happen."""
    require_overseer(session)
    if command.watch is not UNSET:
        (session.watching.add if command.watch else session.watching.discard)(ALERTS)
    limit = given(command.limit, PAGE_LENGTH)
    now_us = int(context.now() * 1_000_000) + 60_000_000
    found = await core_rules.read_decisions(
        context.pool,
        session.speaker.tenant_id,
        now_us if isinstance(command.before, UnsetType) else from_time(command.before),
        given(command.before_payment),
        None if isinstance(command.action, UnsetType) else Action[command.action.upper()],
        limit,
    )
    last = found[-1] if len(found) == limit else None
    return rules.Alerts(
        command.id,
        [
            rules.DecisionState(
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
            for one in found
        ],
        UNSET if last is None else to_time(last.decided_at_us),
        UNSET if last is None else last.payment,
    )


async def changes(context: Context, session: Session, command: rules.ReadChanges) -> rules.Changes:
    """Which settings were changed, newest first."""
    require_overseer(session)
    before = int(context.now() * 1_000_000) + 60_000_000
    if not isinstance(command.before, UnsetType):
        before = from_time(command.before)
    limit = given(command.limit, PAGE_LENGTH)
    found = await core_rules.read_changes(context.pool, session.speaker.tenant_id, before, limit)
    return rules.Changes(
        command.id,
        [
            rules.ChangeState(
                to_time(one.changed_at_us),
                one.what,
                one.key,
                UNSET if one.asked_by is None else one.asked_by,
                UNSET if one.before is None else one.before,
                UNSET if one.after is None else one.after,
            )
            for one in found
        ],
    )


def _to_state(rule: Rule) -> rules.RuleState:
    return rules.RuleState(
        rule.id,
        rule.limits,
        rule.name,
        Measure(rule.measure).name.lower(),
        rule.max,
        Action(rule.action).name.lower(),
        UNSET if rule.within_s is None else rule.within_s,
        UNSET if rule.night_from is None else rule.night_from.strftime("%H:%M"),
        UNSET if rule.night_to is None else rule.night_to.strftime("%H:%M"),
        UNSET if rule.own_max is None else rule.own_max,
        UNSET if rule.own_max is None else rule.raise_wait_s,
        UNSET if rule.is_on else True,
    )


def _to_limit(limit: OwnLimit) -> rules.LimitState:
    return rules.LimitState(
        Measure(limit.measure).name.lower(),
        limit.max if limit.own is None else limit.own,
        UNSET if limit.own_max is None else limit.own_max,
        UNSET if limit.next is None else limit.next,
        UNSET if limit.next_from_us is None else to_time(limit.next_from_us),
    )


ROWS: Final = (
    Row(rules.SetLimits, rules.LimitsSet, set_limits, "PUT", "/v1/limits/{limits}"),
    Row(rules.SetRule, rules.RuleSet, set_rule, "PUT", "/v1/rules/{rule}"),
    Row(rules.ReadRules, rules.RulesAnswer, read_rules, "GET", "/v1/rules"),
    Row(rules.PutUnderLimits, rules.UnderLimits, put_under_limits, "PUT", "/v1/accounts/{account}/limits"),
    Row(
        rules.ReadOwnLimits,
        rules.OwnLimits,
        own_limits,
        "GET",
        "/v1/accounts/{account}/limits",
        scope=Scope.LIMITS_READ,
    ),
    Row(rules.SetOwnLimit, rules.OwnLimitSet, set_own_limit, "PUT", "/v1/accounts/{account}/limits/{measure}"),
    Row(rules.ListPayee, rules.PayeeListed, list_payee, "PUT", "/v1/payees/{payee}/listing"),
    Row(
        rules.ReadListedPayees,
        rules.ListedPayees,
        listed_payees,
        "GET",
        "/v1/accounts/{account}/payees",
        scope=Scope.LIMITS_READ,
    ),
    Row(rules.ReadReviews, rules.Reviews, reviews, "GET", "/v1/reviews"),
    Row(rules.ReadAlerts, rules.Alerts, alerts, "GET", "/v1/alerts"),
    Row(rules.ReadChanges, rules.Changes, changes, "GET", "/v1/changes"),
)

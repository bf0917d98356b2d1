"""Paying, the later steps of a payment's life, and settling payments whose answer was lost."""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from core.errors import CoreError, OutcomeUnknown
from core.ledger.reading import Life, Settled, read_payments, read_shares, settle_payments
from core.nouns import BACKWARD, DONE, Kind, Payment, PaymentStatus, Posting
from hub.commands.context import STATUS_NAMES, Context
from hub.commands.refusal import CommandRefused, from_core
from hub.commands.row import Row
from hub.commands.values import or_unset, to_time
from hub.protocol import steps
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import Message
from hub.protocol.messages import Paid, Pay, SettledPayment
from hub.protocol.scopes import Scope
from hub.session import Session

UNKNOWN = "unknown"
# Steps that the payee of a payment takes; the answer tells the payee's balance, not the payer's.
BY_PAYEE: Final = frozenset({Kind.CAPTURE, Kind.VOID})
KINDS: Final[dict[type, Kind]] = {
    Pay: Kind.PAY,
    steps.Authorize: Kind.AUTHORIZE,
    steps.Capture: Kind.CAPTURE,
    steps.Void: Kind.VOID,
    steps.Refund: Kind.REFUND,
    steps.Reverse: Kind.REVERSE,
    steps.Release: Kind.RELEASE,
    steps.Decline: Kind.DECLINE,
}
KINDS_OF_PARTS: Final[dict[type, Kind]] = {part: KINDS[command] for command, part in steps.PARTS.items()}
FOR_OPERATORS: Final = frozenset({Kind.REVERSE, Kind.RELEASE, Kind.DECLINE})


def to_payment(session: Session, command: Pay) -> Payment:
    """The payment that the command asks for, by whom. Somebody else's account is like one that is not there."""
    if not session.may_use(command.payer):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payer")
    speaker = session.speaker
    description, charge, shares = command.description, command.charge, command.shares
    return Payment(
        speaker.tenant_id,
        command.payment,
        command.payer,
        command.payee,
        command.amount,
        session.asker,
        None if description is UNSET else description,
        charge=None if charge is UNSET else charge,
        shares=() if isinstance(shares, UnsetType) else tuple(shares),
        metadata=_to_json(command.metadata),
        session_at=session.began_at,
        session=speaker.session_id,
    )


def to_answer(id: int, payment: Payment, outcome: Posting | CoreError) -> Message:
    """What the client is told. Only a committed posting is `posted`; a doubtful one is `unknown`."""
    if isinstance(outcome, OutcomeUnknown):
        return Paid(id, payment.id, UNKNOWN)
    if isinstance(outcome, CoreError):
        return from_core(outcome).to_message(id)
    balance, number, held = _side(payment.kind, outcome)
    # What is kept of the amount is the payee's to know.
    is_payees = payment.kind in BY_PAYEE or payment.kind in BACKWARD
    # A rule that lets a payment through is between the institution and itself.
    is_rule_told = outcome.status != PaymentStatus.POSTED
    return Paid(
        id,
        payment.id,
        STATUS_NAMES[outcome.status],
        to_time(outcome.judged_at_us),
        balance,
        number,
        held,
        UNSET if outcome.amount is None else outcome.amount,
        (is_payees and outcome.fee) or UNSET,
        outcome.rule if outcome.rule is not None and is_rule_told else UNSET,
        UNSET if outcome.receipt is None else outcome.receipt,
    )


async def pay(context: Context, session: Session, command: Pay) -> Message:
    """Pay and wait for the commit. A connection that has much to send uses the batcher without waiting."""
    return await _post(context, command.id, to_payment(session, command))


async def take_step(context: Context, session: Session, command: Any) -> Message:
    """Take a step in a payment's life, and wait for the commit."""
    kind = KINDS[type(command)]
    lives = await _read_lives(context, session, [command])
    return await _post(context, command.id, await _to_step(context, session, command, kind, lives))


async def link(context: Context, session: Session, command: steps.Link) -> steps.Linked:
    """Post all or none."""
    payments = await to_payments(context, session, command.parts)
    try:
        postings = await context.batcher.post_linked(payments)
    except OutcomeUnknown:
        outcomes = [steps.Outcome(payment.id, UNKNOWN) for payment in payments]
        return steps.Linked(command.id, False, outcomes)
    is_posted = all(posting.status in DONE for posting in postings)
    return steps.Linked(command.id, is_posted, list(map(to_outcome, payments, postings)))


async def settle(context: Context, session: Session, ids: list[str]) -> list[SettledPayment]:
    """Each payment's answer, or `fenced`: it never arrived, and from now on never can."""
    if not ids:
        return []
    speaker = session.speaker
    found = await settle_payments(context.pool, speaker.tenant_id, session.asker, ids, sees_all=session.is_operator)
    return [_to_settled(each) for each in found]


async def _post(context: Context, id: int, payment: Payment) -> Message:
    try:
        return to_answer(id, payment, await context.batcher.post(payment))
    except CoreError as error:
        return to_answer(id, payment, error)


async def to_payments(context: Context, session: Session, parts: Sequence[Any]) -> list[Payment]:
    """The payments and steps that are asked for together, in order; a later one may be about an earlier one."""
    lives = await _read_lives(context, session, parts)
    payments: list[Payment] = []
    begun: dict[str, Payment] = {}
    for part in parts:
        kind = KINDS_OF_PARTS[type(part)]
        if kind == Kind.PAY:
            payment = to_payment(session, part)
        else:
            payment = await _to_step(context, session, part, kind, lives, begun)
        payments.append(payment)
        begun[payment.id] = payment
    return payments


async def _read_lives(context: Context, session: Session, commands: Sequence[Any]) -> dict[str, Life]:
    about = list({command.about for command in commands if hasattr(command, "about")})
    return await read_payments(context.pool, session.speaker.tenant_id, about) if about else {}


async def _to_step(
    context: Context,
    session: Session,
    command: Any,
    kind: Kind,
    lives: dict[str, Life],
    begun: dict[str, Payment] | None = None,
) -> Payment:
    """The step that the command asks for. Who is no party of the payment is told that there is none."""
    speaker = session.speaker
    if kind == Kind.AUTHORIZE:
        authorization = to_payment(session, _as_pay(command))
        lasts_s = command.lasts_s
        return authorization._replace(kind=kind, lasts_s=None if lasts_s is UNSET else lasts_s)
    # One that is begun in the same group is not in the books yet.
    subject: Life | Payment | None = lives.get(command.about) or (begun or {}).get(command.about)
    if subject is None or not (session.may_use(subject.payer) or session.may_use(subject.payee)):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="about")
    if not session.is_operator and (kind in FOR_OPERATORS or not session.may_use(subject.payee)):
        raise CommandRefused(ErrorCode.FORBIDDEN)
    parties = (subject.payee, subject.payer) if kind in BACKWARD else (subject.payer, subject.payee)
    shares: tuple[tuple[int, int], ...] = ()
    if kind == Kind.REVERSE:
        shares = tuple(await read_shares(context.pool, speaker.tenant_id, command.about))
    elif kind == Kind.RELEASE and isinstance(subject, Life) and subject.options is not None:
        shares = tuple((account, amount) for account, amount in json.loads(subject.options).get("shares", ()))
    description = getattr(command, "description", UNSET)
    return Payment(
        speaker.tenant_id,
        command.payment,
        *parties,
        getattr(command, "amount", 0),
        session.asker,
        None if description is UNSET else description,
        kind=kind,
        subject=command.about,
        charge=subject.charge if kind == Kind.RELEASE else None,
        is_final=getattr(command, "final", UNSET) is True,
        shares=shares,
        metadata=_to_json(getattr(command, "metadata", UNSET)),
        session_at=session.began_at,
        session=speaker.session_id,
    )


def _as_pay(command: Any) -> Pay:
    return Pay(
        0,
        command.payment,
        command.payer,
        command.payee,
        command.amount,
        command.description,
        metadata=command.metadata,
    )


def _to_json(metadata: dict[str, str] | UnsetType) -> str | None:
    return None if isinstance(metadata, UnsetType) else msgspec.json.encode(metadata).decode()


def _side(kind: int, outcome: Posting) -> tuple[int | UnsetType, int | UnsetType, int | UnsetType]:
    """Balance, number and what is held, of the account whose owner takes such a step."""
    if outcome.payer_balance is None or outcome.payee_balance is None:
        return UNSET, UNSET, UNSET
    if kind in BY_PAYEE:
        return outcome.payee_balance, outcome.payee_version or UNSET, UNSET
    return outcome.payer_balance, outcome.payer_version or UNSET, or_unset(outcome.payer_held)


def to_outcome(payment: Payment, posting: Posting) -> steps.Outcome:
    """What became of one of several, or would."""
    balance, number, held = _side(payment.kind, posting)
    return steps.Outcome(
        payment.id,
        STATUS_NAMES[posting.status],
        balance,
        number,
        or_unset(posting.amount),
        ((payment.kind in BY_PAYEE or payment.kind in BACKWARD) and posting.fee) or UNSET,
        held,
        or_unset(posting.rule) if posting.status != PaymentStatus.POSTED else UNSET,
        or_unset(posting.receipt),
    )


def _to_settled(found: Settled) -> SettledPayment:
    balance, number = (
        (found.payee_balance, found.payee_version)
        if found.kind in BY_PAYEE
        else (found.payer_balance, found.payer_version)
    )
    return SettledPayment(
        found.id,
        STATUS_NAMES[found.status],
        to_time(found.judged_at_us),
        or_unset(balance),
        or_unset(number),
    )


ROWS: Final = (
    Row(Pay, Paid, pay, "POST", "/v1/payments", scope=Scope.PAYMENTS_WRITE),
    Row(steps.Authorize, Paid, take_step, "POST", "/v1/payments/authorize", scope=Scope.PAYMENTS_WRITE),
    Row(steps.Capture, Paid, take_step, "POST", "/v1/payments/{about}/capture", scope=Scope.HOLDS_WRITE),
    Row(steps.Void, Paid, take_step, "POST", "/v1/payments/{about}/void", scope=Scope.HOLDS_WRITE),
    Row(steps.Refund, Paid, take_step, "POST", "/v1/payments/{about}/refund", scope=Scope.REFUNDS_WRITE),
    Row(steps.Reverse, Paid, take_step, "POST", "/v1/payments/{about}/reverse"),
    Row(steps.Release, Paid, take_step, "POST", "/v1/payments/{about}/release"),
    Row(steps.Decline, Paid, take_step, "POST", "/v1/payments/{about}/decline"),
    Row(steps.Link, steps.Linked, link, "POST", "/v1/payments/link", scope=Scope.PAYMENTS_WRITE),
)

"""Paying, and settling payments whose answer was lost."""

from msgspec import UNSET

from core.errors import CoreError, OutcomeUnknown
from core.ledger.reading import Settled, settle_payments
from core.nouns import Payment, PaymentStatus, Posting
from hub.commands.context import STATUS_NAMES, Context, to_time
from hub.commands.refusal import CommandRefused, from_core
from hub.protocol.codes import ErrorCode
from hub.protocol.messages import Message, Paid, Pay, SettledPayment
from hub.session import Session

UNKNOWN = "unknown"


def to_payment(session: Session, command: Pay) -> Payment:
    """The payment that the command asks for, by whom. Somebody else's account is like one that is not there."""
    if not session.may_use(command.payer):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payer")
    speaker = session.speaker
    description = command.description
    return Payment(
        speaker.tenant_id,
        command.payment,
        command.payer,
        command.payee,
        command.amount,
        speaker.person_id,
        None if description is UNSET else description,
    )


def to_answer(id: int, payment: Payment, outcome: Posting | CoreError) -> Message:
    """What the client is told. Only a committed posting is `posted`; a doubtful one is `unknown`."""
    if isinstance(outcome, Posting):
        if outcome.status == PaymentStatus.POSTED:
            assert outcome.payer_balance is not None, "a posted payment has both sides"
            assert outcome.payer_version is not None, "a posted payment has both sides"
            return Paid(
                id, payment.id, "posted", to_time(outcome.judged_at_us), outcome.payer_balance, outcome.payer_version
            )
        return Paid(id, payment.id, STATUS_NAMES[outcome.status], to_time(outcome.judged_at_us))
    if isinstance(outcome, OutcomeUnknown):
        return Paid(id, payment.id, UNKNOWN)
    return from_core(outcome).to_message(id)


async def pay(context: Context, session: Session, command: Pay) -> Message:
    """Pay and wait for the commit. A connection that has much to send uses the batcher without waiting."""
    payment = to_payment(session, command)
    try:
        return to_answer(command.id, payment, await context.batcher.post(payment))
    except CoreError as error:
        return to_answer(command.id, payment, error)


async def settle(context: Context, session: Session, ids: list[str]) -> list[SettledPayment]:
    """Each payment's answer, or `fenced`: it never arrived, and from now on never can."""
    if not ids:
        return []
    speaker = session.speaker
    found = await settle_payments(context.pool, speaker.tenant_id, speaker.person_id, ids, sees_all=session.is_operator)
    return [_to_settled(each) for each in found]


def _to_settled(found: Settled) -> SettledPayment:
    posted = found.status == PaymentStatus.POSTED
    return SettledPayment(
        found.id,
        STATUS_NAMES[found.status],
        to_time(found.judged_at_us),
        found.payer_balance if posted and found.payer_balance is not None else UNSET,
        found.payer_version if posted and found.payer_version is not None else UNSET,
    )

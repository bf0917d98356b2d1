"""The words of the domain, as plain values. Pure: no asyncio, no I/O.

Money is an integer of minor units in the tenant's one currency. Times are UTC.
"""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

# A payment of 100 billion in a currency of two decimals; sums of balances stay far from 64 bits.
AMOUNT_MAX = 10**13
# The largest integer every client's number type holds exactly (IEEE 754 double, 2**53 - 1).
BALANCE_MAX = 2**53 - 1
DESCRIPTION_LENGTH_MAX = 140
# How long an authorization holds unless it says so, and at most: card networks give 7 days and extend to 30.
HOLD_LASTS_S = 7 * 86_400
HOLD_LASTS_S_MAX = 30 * 86_400
# Payments that can be posted all or none: well within one batch.
GROUP_SIZE_MAX = 100
# Receivers that a payment can be split to: a marketplace's cart, not a payroll.
SHARES_MAX = 20
# Account numbers below this are the tenant's own books, not people's.
SYSTEM_ACCOUNT_MAX = 9_999


class Kind(IntEnum):
    """What a payment does. Stored in payments.kind.

    All but the first two are steps in another payment's life, which `Payment.subject` names.
    """

    PAY = 0
    AUTHORIZE = 1  # reserve the amount for the payee
    CAPTURE = 2  # take it, or a part of it
    VOID = 3  # let the rest of it go
    EXPIRE = 4  # the same, because its time is over
    REFUND = 5  # the payee gives back what was paid or captured, or a part of it
    REVERSE = 6  # the whole payment undone: fee and shares go back, too
    DISPUTE = 7  # reserve on the payee's account what the payer disputes
    CHARGEBACK = 8  # the payer gets it back, against the payee's will
    ABSOLVE = 9  # the payee keeps it: what is still reserved is let go
    RELEASE = 10  # an operator lets through what a rule had set aside for review
    DECLINE = 11  # an operator does not


# Kinds that begin a life of their own.
BEGINNING = frozenset({Kind.PAY, Kind.AUTHORIZE})
# Kinds whose money goes against the direction of the payment they are about.
RETURNING = frozenset({Kind.REFUND, Kind.REVERSE, Kind.CHARGEBACK})
# Kinds whose payer is the payee of the payment they are about.
BACKWARD = RETURNING | {Kind.DISPUTE, Kind.ABSOLVE}
# Kinds that let go of what is reserved and move nothing.
RELEASING = frozenset({Kind.VOID, Kind.EXPIRE, Kind.ABSOLVE, Kind.DECLINE})
# Kinds whose amount the ledger says.
UNASKED_AMOUNT = RELEASING | {Kind.REVERSE, Kind.RELEASE}
# Kinds that no account's status stands in the way of: they are the institution's, or give people their money back.
UNSTOPPABLE = RELEASING | {Kind.DISPUTE, Kind.CHARGEBACK}


class PaymentStatus(IntEnum):
    """What became of a payment, in order of precedence: the first that applies is the answer.

    Stored in payments.status and decided in core/sql/functions/post_payments.sql. The numbers are only names.
    """

    POSTED = 0
    IN_REVIEW = 1  # its money is reserved, and an operator will release or decline it
    FENCED = 10
    EXISTS_WITH_DIFFERENT_KIND = 24
    EXISTS_WITH_DIFFERENT_SUBJECT = 25
    EXISTS_WITH_DIFFERENT_CHARGE = 28
    EXISTS_WITH_DIFFERENT_PAYER = 20
    EXISTS_WITH_DIFFERENT_PAYEE = 21
    EXISTS_WITH_DIFFERENT_AMOUNT = 22
    EXISTS_WITH_DIFFERENT_DESCRIPTION = 23
    EXISTS_WITH_DIFFERENT_OPTIONS = 26
    EXISTS_WITH_DIFFERENT_METADATA = 27
    AMOUNT_OUT_OF_RANGE = 30
    SUBJECT_NOT_FOUND = 50
    NOT_IN_REVIEW = 62
    STILL_IN_REVIEW = 61
    HOLD_CLOSED = 51
    HOLD_EXPIRED = 52
    HOLD_NOT_EXPIRED = 53
    CAPTURE_EXCEEDS_HOLD = 54
    REFUND_EXCEEDS_CAPTURED = 55
    DISPUTE_OPEN = 63
    CHARGE_NOT_FOUND = 56
    CHARGE_CLOSED = 57
    CHARGE_EXPIRED = 58
    CHARGE_AMOUNT_DIFFERS = 59
    ACCOUNTS_MUST_DIFFER = 31
    PAYER_NOT_FOUND = 40
    PAYEE_NOT_FOUND = 41
    PAYER_NOT_OPEN = 42
    PAYEE_NOT_OPEN = 43
    SHARES_NOT_PAYABLE = 32
    PAYEE_DENIED = 47
    LIMIT_EXCEEDED = 46
    INSUFFICIENT_FUNDS = 44
    BALANCE_OUT_OF_RANGE = 45
    LINKED_REFUSED = 60


# What has happened on both accounts: these payments are events there.
DONE = frozenset({PaymentStatus.POSTED, PaymentStatus.IN_REVIEW})


class Measure(IntEnum):
    """What a rule looks at. Stored in rules.measure. The last three look at the payee, all others at the payer."""

    PAYMENT = 1  # one payment's amount
    DAY = 2  # the sum of a day in the tenant's time zone, this payment included
    NIGHT = 3  # the sum of a night, this payment included
    MONTH = 4  # the sum of a month
    VELOCITY = 5  # the number of payments within a while
    NEW_PAYEE = 6  # the amount to somebody first paid within a while
    NEW_DEVICE = 7  # the amount from a session that began within a while
    NEW_DEVICE_DAY = 8  # the sum of the day, from such a session
    RECEIVED_PAYMENT = 11  # the amount of one payment received
    RECEIVED_DAY = 12  # the sum of a day
    RECEIVED_MONTH = 13  # the sum of a month


class Action(IntEnum):
    """What a rule does when its measure is above its limit. Stored in rules.action."""

    REFUSE = 1
    REVIEW = 2  # reserve the money and ask an operator
    ALERT = 3  # let it through and tell the operators


class ChargeStatus(IntEnum):
    """Whether a charge can still be paid. Stored in charges.status."""

    OPEN = 0
    PAID = 1
    CANCELLED = 2


class AccountStatus(IntEnum):
    """Whether an account may pay and be paid. Stored in accounts.status."""

    OPEN = 0
    BLOCKED = 1
    CLOSED = 2
    RECEIVING = 3  # may be paid, and not pay


# Accounts that may be paid.
PAYABLE = frozenset({AccountStatus.OPEN, AccountStatus.RECEIVING})


class SystemAccount(IntEnum):
    """The tenant's own books, the other side of money that enters or leaves. They have no floor."""

    CASH_IN = 1
    CASH_OUT = 2
    FEES = 3
    PARTNER_BANKS = 4


class Payment(NamedTuple):
    """What a client asks for, once, under this id: move `amount` from `payer` to `payee`, or a step in such a life.

    `subject`: of a step, the payment it is about. Its payer is that payment's payer, or of a BACKWARD kind its payee.
    `charge`: what a PAY, or the RELEASE of one, pays. `amount` is 0 where the ledger says it (UNASKED_AMOUNT).
    `lasts_s`: how long an authorization holds. `is_final`: what is left of the hold after this capture or chargeback
    is let go. `as_available`: a dispute reserves as much of the amount as is there. `shares`: (account, amount) that go
    on from the payee to others; of a REVERSE, those that come back. `metadata`: a JSON object as text, or None.
    `session_at`: when the asking session began, seconds since the epoch; None: no person's device. `session`: which.
    Payments that follow each other with the same `group` are posted all or none.
    """

    tenant_id: int
    id: str
    payer: int
    payee: int
    amount: int
    asked_by: str
    description: str | None = None
    kind: int = Kind.PAY
    subject: str | None = None
    charge: str | None = None
    lasts_s: int | None = None
    is_final: bool = False
    as_available: bool = False
    shares: tuple[tuple[int, int], ...] = ()
    metadata: str | None = None
    session_at: int | None = None
    group: int | None = None
    session: str | None = None


class Leg(NamedTuple):
    """What a payment did to an account that is neither its payer's nor its payee's: a fee's or a share's."""

    account: int
    amount: int
    balance: int
    version: int


class Posting(NamedTuple):
    """The ledger's answer to one payment.

    Balances (after) and versions are None unless the status is in DONE. A version is the number of
    the payment's event in that account's gap-free stream. `judged_at_us` is microseconds since the epoch.
    `hold` is the change of what is reserved on the payer's account and `payer_held` the sum after, if it changed.
    `fee` went to the tenant's fees account, out of what the payee got; negative: a refund's payer got it back.
    `shared` went on from the payee to others; negative: came back from them.
    `amount` is what the payment was for, where the ledger says it; else None.
    `rule` is the rule that refused the payment, set it aside or raised an alert, and `action` which of these it did.
    `batch` is the row of the outbox that it is in; None: nothing was done, or it was done before. `receipt`: see
    core/proof/receipts.py.
    """

    status: int
    payer_balance: int | None
    payer_version: int | None
    payee_balance: int | None
    payee_version: int | None
    judged_at_us: int
    hold: int = 0
    payer_held: int | None = None
    fee: int = 0
    shared: int = 0
    amount: int | None = None
    rule: int | None = None
    action: int | None = None
    legs: tuple[Leg, ...] = ()
    batch: int | None = None
    receipt: bytes | None = None


class Entry(NamedTuple):
    """A payment seen from one of its accounts: also the account's event number `number`.

    `amount` is negative when money left the account and 0 when none moved; `balance` is the balance after.
    `hold` is the change of what the payment reserves, `held` what is reserved on the account after: None unless it
    changed. `fee`: what was kept of the amount on its way.
    """

    account: int
    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int
    judged_at_us: int
    description: str | None
    kind: int = Kind.PAY
    subject: str | None = None
    charge: str | None = None
    hold: int = 0
    held: int | None = None
    fee: int = 0
    metadata: str | None = None


class EventName(StrEnum):
    """What happened, as the account sees it that the event belongs to. The words of the wire."""

    PAYMENT_SENT = "payment.sent"
    PAYMENT_RECEIVED = "payment.received"
    CHARGE_PAID = "charge.paid"
    PAYMENT_REVERSED = "payment.reversed"
    HOLD_PLACED = "hold.placed"
    HOLD_CAPTURED = "hold.captured"
    HOLD_VOIDED = "hold.voided"
    HOLD_EXPIRED = "hold.expired"
    REFUND_SENT = "refund.sent"
    REFUND_RECEIVED = "refund.received"
    REVIEW_OPENED = "review.opened"
    REVIEW_RELEASED = "review.released"
    REVIEW_DECLINED = "review.declined"
    DISPUTE_HELD = "dispute.held"
    DISPUTE_CHARGED_BACK = "dispute.charged_back"
    DISPUTE_RELEASED = "dispute.released"
    FEE_KEPT = "fee.kept"
    FEE_RETURNED = "fee.returned"


class Account(NamedTuple):
    """An account as its owner sees it. `version` is the number of its last event, `held` what is reserved on it."""

    id: int
    person_id: str | None
    status: int
    version: int
    balance: int
    floor: int
    held: int = 0


WHAT_HAPPENED: Final[dict[int, EventName]] = {
    Kind.AUTHORIZE: EventName.HOLD_PLACED,
    Kind.CAPTURE: EventName.HOLD_CAPTURED,
    Kind.VOID: EventName.HOLD_VOIDED,
    Kind.EXPIRE: EventName.HOLD_EXPIRED,
    Kind.REVERSE: EventName.PAYMENT_REVERSED,
    Kind.DISPUTE: EventName.DISPUTE_HELD,
    Kind.CHARGEBACK: EventName.DISPUTE_CHARGED_BACK,
    Kind.ABSOLVE: EventName.DISPUTE_RELEASED,
    Kind.RELEASE: EventName.REVIEW_RELEASED,
    Kind.DECLINE: EventName.REVIEW_DECLINED,
}


def what_happened(entry: Entry) -> EventName:
    """The name of an entry as its account sees it."""
    if entry.account <= SYSTEM_ACCOUNT_MAX and entry.account == SystemAccount.FEES:
        return EventName.FEE_RETURNED if entry.amount < 0 else EventName.FEE_KEPT
    kind = entry.kind
    if kind == Kind.PAY:
        if entry.amount == 0 and entry.hold:
            return EventName.REVIEW_OPENED
        if entry.amount < 0:
            return EventName.PAYMENT_SENT
        return EventName.PAYMENT_RECEIVED if entry.charge is None else EventName.CHARGE_PAID
    if kind == Kind.RELEASE and entry.charge is not None and entry.amount > 0:
        return EventName.CHARGE_PAID
    if kind == Kind.REFUND:
        return EventName.REFUND_SENT if entry.amount < 0 else EventName.REFUND_RECEIVED
    return WHAT_HAPPENED[kind]

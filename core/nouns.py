"""The words of the domain, as plain values. Pure: no asyncio, no I/O.

Money is an integer of minor units in the tenant's one currency. Times are UTC.
"""

from enum import IntEnum
from typing import NamedTuple

# A payment of 100 billion in a currency of two decimals; sums of balances stay far from 64 bits.
AMOUNT_MAX = 10**13
# The largest integer every client's number type holds exactly (IEEE 754 double, 2**53 - 1).
BALANCE_MAX = 2**53 - 1
DESCRIPTION_LENGTH_MAX = 140
# Account numbers below this are the tenant's own books, not people's.
SYSTEM_ACCOUNT_MAX = 9_999


class PaymentStatus(IntEnum):
    """What became of a payment, in order of precedence: the first that applies is the answer.

    Stored in payments.status and decided in core/sql/functions/post_payments.sql.
    """

    POSTED = 0
    FENCED = 10
    EXISTS_WITH_DIFFERENT_PAYER = 20
    EXISTS_WITH_DIFFERENT_PAYEE = 21
    EXISTS_WITH_DIFFERENT_AMOUNT = 22
    EXISTS_WITH_DIFFERENT_DESCRIPTION = 23
    AMOUNT_OUT_OF_RANGE = 30
    ACCOUNTS_MUST_DIFFER = 31
    PAYER_NOT_FOUND = 40
    PAYEE_NOT_FOUND = 41
    PAYER_NOT_OPEN = 42
    PAYEE_NOT_OPEN = 43
    INSUFFICIENT_FUNDS = 44
    BALANCE_OUT_OF_RANGE = 45


class AccountStatus(IntEnum):
    """Whether an account may pay and be paid. Stored in accounts.status."""

    OPEN = 0
    BLOCKED = 1
    CLOSED = 2


class SystemAccount(IntEnum):
    """The tenant's own books, the other side of money that enters or leaves. They have no floor."""

    CASH_IN = 1
    CASH_OUT = 2
    FEES = 3
    PARTNER_BANKS = 4


class Payment(NamedTuple):
    """What a client asks for: move `amount` from `payer` to `payee`, once, under this id."""

    tenant_id: int
    id: str
    payer: int
    payee: int
    amount: int
    asked_by: str
    description: str | None = None


class Posting(NamedTuple):
    """The ledger's answer to one payment.

    Balances (after) and versions are None unless the status is POSTED. A version is the number of
    the payment's event in that account's gap-free stream. `judged_at_us` is microseconds since the epoch.
    """

    status: int
    payer_balance: int | None
    payer_version: int | None
    payee_balance: int | None
    payee_version: int | None
    judged_at_us: int


class Entry(NamedTuple):
    """A transfer seen from one of its accounts: also the account's event number `number`.

    `amount` is negative when money left the account; `balance` is the balance after.
    """

    account: int
    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int
    judged_at_us: int
    description: str | None


class Account(NamedTuple):
    """An account as its owner sees it. `version` is the number of its last event."""

    id: int
    person_id: str | None
    status: int
    version: int
    balance: int
    floor: int

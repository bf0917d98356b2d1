"""What a machine may be allowed to do, or who sits in a seat: the closed list of scopes (RFC 9068, 2.2.3).

A person may do whatever their role allows. A machine may do, of that, what the scopes of its key allow; which
command needs which scope stands in the command table. What needs none there is for people themselves: opening people,
rules, fees, keys, tills and seats, the second pair of eyes on a file of payments.
"""

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """A right that a key or a seat may have."""

    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    PAYEES_READ = "payees:read"
    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    HOLDS_WRITE = "holds:write"
    REFUNDS_WRITE = "refunds:write"
    CHARGES_READ = "charges:read"
    CHARGES_WRITE = "charges:write"
    BULKS_READ = "bulks:read"
    BULKS_WRITE = "bulks:write"
    SCHEDULES_READ = "schedules:read"
    SCHEDULES_WRITE = "schedules:write"
    DISPUTES_READ = "disputes:read"
    DISPUTES_WRITE = "disputes:write"
    LIMITS_READ = "limits:read"
    REPORTS_READ = "reports:read"


SCOPE_MEANINGS: Final[dict[Scope, str]] = {
    Scope.ACCOUNTS_READ: "See the merchant's accounts, their history and their events.",
    Scope.ACCOUNTS_WRITE: "Write words about the accounts (metadata).",
    Scope.PAYEES_READ: "See the name behind an account number.",
    Scope.PAYMENTS_READ: "See the whole life of a payment.",
    Scope.PAYMENTS_WRITE: "Pay, reserve, capture and let go, and settle payments in doubt.",
    Scope.HOLDS_WRITE: "Take what was reserved for the merchant, or let it go; `payments:write` includes it.",
    Scope.REFUNDS_WRITE: "Give back what was paid.",
    Scope.CHARGES_READ: "See charges, and what a scanned code asks for.",
    Scope.CHARGES_WRITE: "Ask to be paid, and stop asking.",
    Scope.BULKS_READ: "See files of payments and their reports.",
    Scope.BULKS_WRITE: "Send files of payments. A person approves them.",
    Scope.SCHEDULES_READ: "See schedules, and try dates.",
    Scope.SCHEDULES_WRITE: "Make, pause, resume and cancel schedules.",
    Scope.DISPUTES_READ: "See disputes and their evidence.",
    Scope.DISPUTES_WRITE: "Open, answer, claim and withdraw disputes, and bring evidence.",
    Scope.LIMITS_READ: "See the limits that the accounts are under.",
    Scope.REPORTS_READ: "Search, sums, balances at a past moment, refusals.",
}
# Whoever may do more may do this, too: keys that were made before it was a right of its own go on.
INCLUDED_IN: Final[dict[Scope, Scope]] = {Scope.HOLDS_WRITE: Scope.PAYMENTS_WRITE}

"""The ledger's meaning in plain Python: what PostgreSQL must answer, and nothing else.

It ships with the product so that anyone can replay a history against it. Pure: no asyncio, no I/O,
no clock. It is written one payment at a time on purpose; being fast is post_payments' business.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.nouns import AMOUNT_MAX, BALANCE_MAX, AccountStatus, Payment, PaymentStatus


@dataclass(slots=True)
class OracleAccount:
    """One account's state."""

    floor: int = 0
    status: int = AccountStatus.OPEN
    balance: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class OraclePosting:
    """The answer to one payment, without the time: the oracle has no clock."""

    status: int
    payer_balance: int | None = None
    payer_version: int | None = None
    payee_balance: int | None = None
    payee_version: int | None = None


@dataclass(frozen=True, slots=True)
class OracleEvent:
    """What a follower of the account sees as event `number`."""

    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int


@dataclass(slots=True)
class Oracle:
    """Every tenant's books, in memory."""

    accounts: dict[tuple[int, int], OracleAccount] = field(default_factory=dict)
    events: dict[tuple[int, int], list[OracleEvent]] = field(default_factory=dict)
    judged: dict[tuple[int, str], tuple[Payment | None, OraclePosting]] = field(default_factory=dict)

    def open_account(self, tenant_id: int, account: int, *, floor: int = 0, status: int = AccountStatus.OPEN) -> None:
        """Add an empty account."""
        self.accounts[tenant_id, account] = OracleAccount(floor=floor, status=status)
        self.events[tenant_id, account] = []

    def post(self, batch: Iterable[Payment]) -> list[OraclePosting]:
        """Post each payment in turn. A batch means nothing more than its order."""
        return [self.post_one(payment) for payment in batch]

    def post_one(self, payment: Payment) -> OraclePosting:
        """The first answer of an id is its answer for ever; another body under it names the difference."""
        key = payment.tenant_id, payment.id
        if key in self.judged:
            first, answer = self.judged[key]
            difference = None if first is None else _difference(first, payment)
            return answer if difference is None else OraclePosting(difference)
        answer = self._judge(payment)
        self.judged[key] = payment, answer
        return answer

    def fence(self, tenant_id: int, payment_id: str) -> OraclePosting:
        """Settle an id: its first answer, or from now on a refusal."""
        return self.judged.setdefault((tenant_id, payment_id), (None, OraclePosting(PaymentStatus.FENCED)))[1]

    def sum_of_balances(self, tenant_id: int) -> int:
        """Always zero."""
        return sum(account.balance for (tenant, _), account in self.accounts.items() if tenant == tenant_id)

    def _judge(self, payment: Payment) -> OraclePosting:
        tenant, amount = payment.tenant_id, payment.amount
        payer = self.accounts.get((tenant, payment.payer))
        payee = self.accounts.get((tenant, payment.payee))
        if not 0 < amount <= AMOUNT_MAX:
            return OraclePosting(PaymentStatus.AMOUNT_OUT_OF_RANGE)
        if payment.payer == payment.payee:
            return OraclePosting(PaymentStatus.ACCOUNTS_MUST_DIFFER)
        if payer is None:
            return OraclePosting(PaymentStatus.PAYER_NOT_FOUND)
        if payee is None:
            return OraclePosting(PaymentStatus.PAYEE_NOT_FOUND)
        if payer.status != AccountStatus.OPEN:
            return OraclePosting(PaymentStatus.PAYER_NOT_OPEN)
        if payee.status != AccountStatus.OPEN:
            return OraclePosting(PaymentStatus.PAYEE_NOT_OPEN)
        if payer.balance - amount < payer.floor:
            return OraclePosting(PaymentStatus.INSUFFICIENT_FUNDS)
        if payer.balance - amount < -BALANCE_MAX or payee.balance + amount > BALANCE_MAX:
            return OraclePosting(PaymentStatus.BALANCE_OUT_OF_RANGE)
        self._move(tenant, payment.payer, payment, -amount, payment.payee)
        self._move(tenant, payment.payee, payment, amount, payment.payer)
        return OraclePosting(PaymentStatus.POSTED, payer.balance, payer.version, payee.balance, payee.version)

    def _move(self, tenant: int, account_id: int, payment: Payment, amount: int, counterparty: int) -> None:
        account = self.accounts[tenant, account_id]
        account.balance += amount
        account.version += 1
        self.events[tenant, account_id].append(
            OracleEvent(account.version, payment.id, amount, counterparty, account.balance)
        )


def _difference(first: Payment, again: Payment) -> PaymentStatus | None:
    if first.payer != again.payer:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_PAYER
    if first.payee != again.payee:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_PAYEE
    if first.amount != again.amount:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_AMOUNT
    if first.description != again.description:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_DESCRIPTION
    return None

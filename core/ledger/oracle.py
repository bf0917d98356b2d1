"""The ledger's meaning in plain Python: what PostgreSQL must answer, and nothing else.

It ships with the product so that anyone can replay a history against it. Pure: no asyncio, no I/O,
no clock. It is written one payment at a time on purpose; being fast is post_payments' business.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import groupby

from core.nouns import (
    AMOUNT_MAX,
    BACKWARD,
    BALANCE_MAX,
    BEGINNING,
    DONE,
    HOLD_LASTS_S,
    PAYABLE,
    RELEASING,
    RETURNING,
    UNASKED_AMOUNT,
    UNSTOPPABLE,
    AccountStatus,
    Action,
    ChargeStatus,
    Kind,
    Leg,
    Measure,
    Payment,
    PaymentStatus,
    SystemAccount,
)


@dataclass(slots=True)
class OracleTerms:
    """An account's fees and tips. Amounts in minor units, `fee_ppm` in parts per million of the amount."""

    fee_ppm: int = 0
    fee_fixed: int = 0
    fee_min: int = 0
    fee_max: int | None = None
    returns_fee: bool = False
    tip_percent_max: int = 0

    def fee(self, amount: int) -> int:
        """The fee on what is paid: rounded half up, at least the minimum, at most the maximum and the amount."""
        fee = max((amount * self.fee_ppm + 500_000) // 1_000_000 + self.fee_fixed, self.fee_min)
        return min(fee, amount if self.fee_max is None else self.fee_max, amount)


@dataclass(slots=True)
class OracleRule:
    """One limit or risk rule, as core/sql/migrations/0007_create_rules.sql."""

    id: int
    measure: int
    max: int
    action: int = Action.REFUSE
    within_s: int = 0
    night_from: time = time(20)
    night_to: time = time(6)
    is_own: bool = False


@dataclass(slots=True)
class OracleUsage:
    """What an account has paid and received in its current day, night and month."""

    sums: dict[str, tuple[date, int]] = field(default_factory=dict)
    full_at_us: float = 0

    def sum(self, of: str, period: date) -> int:
        """The sum so far, if the period is still the same."""
        known, total = self.sums.get(of, (None, 0))
        return total if known == period else 0

    def add(self, of: str, period: date, amount: int) -> None:
        """Count an amount."""
        self.sums[of] = period, self.sum(of, period) + amount


@dataclass(slots=True)
class OracleAccount:
    """One account's state. `rules` None: no rule looks at it. `own`: what its owner set, by measure."""

    floor: int = 0
    status: int = AccountStatus.OPEN
    balance: int = 0
    held: int = 0
    version: int = 0
    terms: OracleTerms | None = None
    rules: list[OracleRule] | None = None
    own: dict[int, int] = field(default_factory=dict)
    usage: OracleUsage = field(default_factory=OracleUsage)
    payees_since_us: dict[int, int] = field(default_factory=dict)
    allowed: set[int] = field(default_factory=set)
    denied: set[int] = field(default_factory=set)


@dataclass(slots=True)
class OracleStanding:
    """What the steps of one payment add up to. `expires_at_us`: of an authorization, microseconds."""

    payment: Payment
    held: int = 0
    captured: int = 0
    refunded: int = 0
    disputed: int = 0
    fee: int = 0
    fee_returned: int = 0
    shared: int = 0
    capture_max: int = 0
    expires_at_us: int | None = None
    in_review: bool = False

    def take(self, kind: int, step: "Step", fee: int, shared: int) -> None:
        """Add what a step did."""
        if kind in BACKWARD:
            self.disputed += step.hold
            if kind in RETURNING:
                self.refunded += step.move
                self.fee_returned -= fee
        else:
            self.held += step.hold
            self.captured += step.move
            self.fee += fee
            self.shared += shared
            self.in_review = False

    def returned_fee(self, amount: int) -> int:
        """Of the fee, what goes back with this much more of the amount, in proportion: not positive."""
        return self.fee_returned - self.fee * (self.refunded + amount) // self.captured


@dataclass(slots=True)
class OracleCharge:
    """A request to be paid. `amount` None: the payer says."""

    payee: int
    amount: int | None = None
    is_reusable: bool = False
    status: int = ChargeStatus.OPEN
    expires_at_us: int | None = None
    paid_count: int = 0
    paid_amount: int = 0


@dataclass(frozen=True, slots=True)
class OraclePosting:
    """The answer to one payment, without the time: the oracle is told it."""

    status: int
    payer_balance: int | None = None
    payer_version: int | None = None
    payee_balance: int | None = None
    payee_version: int | None = None
    hold: int = 0
    payer_held: int | None = None
    fee: int = 0
    shared: int = 0
    amount: int | None = None
    rule: int | None = None
    action: int | None = None
    legs: tuple[Leg, ...] = ()


@dataclass(frozen=True, slots=True)
class OracleEvent:
    """What a follower of the account sees as event `number`."""

    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int
    kind: int = Kind.PAY
    hold: int = 0
    held: int | None = None
    fee: int = 0


@dataclass(slots=True)
class Step:
    """What a payment would do, while it is judged."""

    amount: int
    move: int = 0
    hold: int = 0


@dataclass(slots=True)
class Oracle:
    """Every tenant's books, in memory. `zones`: the tenants' time zones; UTC if not said."""

    accounts: dict[tuple[int, int], OracleAccount] = field(default_factory=dict)
    events: dict[tuple[int, int], list[OracleEvent]] = field(default_factory=dict)
    judged: dict[tuple[int, str], tuple[Payment | None, OraclePosting]] = field(default_factory=dict)
    standings: dict[tuple[int, str], OracleStanding] = field(default_factory=dict)
    charges: dict[tuple[int, str], OracleCharge] = field(default_factory=dict)
    zones: dict[int, tzinfo] = field(default_factory=dict)

    def open_account(
        self,
        tenant_id: int,
        account: int,
        *,
        floor: int = 0,
        status: int = AccountStatus.OPEN,
        terms: OracleTerms | None = None,
        rules: list[OracleRule] | None = None,
    ) -> None:
        """Add an empty account."""
        self.accounts[tenant_id, account] = OracleAccount(floor=floor, status=status, terms=terms, rules=rules)
        self.events[tenant_id, account] = []

    def post(self, batch: Sequence[Payment], now_us: int = 0) -> list[OraclePosting]:
        """Post each payment in turn, at ledger time `now_us`. A batch means nothing more than its order and groups."""
        answers: list[OraclePosting] = []
        for group, neighbours in groupby(batch, key=lambda payment: payment.group):
            members = list(neighbours)
            if group is None:
                answers += [self.post_one(payment, now_us) for payment in members]
            else:
                answers += self._post_group(members, now_us)
        return answers

    def post_one(self, payment: Payment, now_us: int = 0) -> OraclePosting:
        """The first answer of an id is its answer for ever; another body under it names the difference."""
        key = payment.tenant_id, payment.id
        if key in self.judged:
            first, answer = self.judged[key]
            difference = None if first is None else _difference(first, payment)
            # The shares' events were told with the first answer.
            return (
                replace(answer, legs=answer.legs[:1] if answer.fee else ())
                if difference is None
                else OraclePosting(difference)
            )
        answer = self._judge(payment, now_us)
        self.judged[key] = payment, answer
        return answer

    def fence(self, tenant_id: int, payment_id: str) -> OraclePosting:
        """Settle an id: its first answer, or from now on a refusal."""
        return self.judged.setdefault((tenant_id, payment_id), (None, OraclePosting(PaymentStatus.FENCED)))[1]

    def sum_of_balances(self, tenant_id: int) -> int:
        """Always zero."""
        return sum(account.balance for (tenant, _), account in self.accounts.items() if tenant == tenant_id)

    def sum_of_holds(self, tenant_id: int, account: int) -> int:
        """Always what is held on the account: for those it pays, and for those who dispute what it was paid."""
        return sum(
            standing.held * (standing.payment.payer == account)
            + standing.disputed * (standing.payment.payee == account)
            for (tenant, _), standing in self.standings.items()
            if tenant == tenant_id
        )

    def _post_group(self, members: list[Payment], now_us: int) -> list[OraclePosting]:
        """All of them, or none: then those that would have been posted are refused for the others' sake."""
        before = deepcopy((self.accounts, self.events, self.standings, self.charges))
        known = {payment.id for payment in members if (payment.tenant_id, payment.id) in self.judged}
        answers = [self.post_one(payment, now_us) for payment in members]
        if all(answer.status in DONE for answer in answers):
            return answers
        self.accounts, self.events, self.standings, self.charges = before
        for at, payment in enumerate(members):
            if answers[at].status in DONE and payment.id not in known:
                answers[at] = OraclePosting(PaymentStatus.LINKED_REFUSED)
                self.judged[payment.tenant_id, payment.id] = payment, answers[at]
        return answers

    def _judge(self, payment: Payment, now_us: int) -> OraclePosting:
        tenant, kind = payment.tenant_id, payment.kind
        payer = self.accounts.get((tenant, payment.payer))
        payee = self.accounts.get((tenant, payment.payee))
        standing = self.standings.get((tenant, payment.subject or ""))
        # Without an account nothing is there; the payment is refused for that further down.
        available = 0 if payer is None else payer.balance - payer.held - payer.floor
        status, step = judge_step(payment, standing, available, now_us)
        if status == PaymentStatus.POSTED and payment.charge is not None and kind in {Kind.PAY, Kind.RELEASE}:
            status = self._judge_charge(payment, step, now_us)
        if status != PaymentStatus.POSTED:
            return OraclePosting(status)
        if kind not in UNSTOPPABLE and not 0 < step.amount <= AMOUNT_MAX:
            return OraclePosting(PaymentStatus.AMOUNT_OUT_OF_RANGE)
        if payment.payer == payment.payee:
            return OraclePosting(PaymentStatus.ACCOUNTS_MUST_DIFFER)
        if payer is None:
            return OraclePosting(PaymentStatus.PAYER_NOT_FOUND)
        if payee is None:
            return OraclePosting(PaymentStatus.PAYEE_NOT_FOUND)
        if kind not in UNSTOPPABLE:
            if payer.status != AccountStatus.OPEN:
                return OraclePosting(PaymentStatus.PAYER_NOT_OPEN)
            if payee.status not in PAYABLE:
                return OraclePosting(PaymentStatus.PAYEE_NOT_OPEN)

        decided = self._ask_rules(payment, payer, payee, now_us) if kind in BEGINNING else None
        rule, action = (None, None) if decided is None else decided
        if action == Action.REVIEW:
            step.move, step.hold = 0, step.amount
        is_denied = kind in BEGINNING and payer.rules and payment.payee in payer.denied

        fee = 0
        if not is_denied and action != Action.REFUSE and step.move:
            fee = self._fee(kind, step, payer, payee, standing)
        shared: int | None = 0
        if not is_denied and action not in {Action.REFUSE, Action.REVIEW} and payment.shares:
            shared = self._share(payment)
        if kind == Kind.REVERSE:
            assert standing is not None
            shared = None if shared != standing.shared else -shared
        if shared is None or (shared > 0 and shared > step.move - fee):
            return OraclePosting(PaymentStatus.SHARES_NOT_PAYABLE)
        if is_denied:
            return OraclePosting(PaymentStatus.PAYEE_DENIED)
        if action == Action.REFUSE:
            assert rule is not None
            return OraclePosting(PaymentStatus.LIMIT_EXCEEDED, rule=rule.id, action=action)
        if kind in RETURNING:
            payer_change, payee_change = -step.move - fee - shared, step.move
        else:
            payer_change, payee_change = -step.move, step.move - fee - shared
        if step.move + step.hold > 0 and payer.balance + payer_change - payer.held - step.hold < payer.floor:
            return OraclePosting(PaymentStatus.INSUFFICIENT_FUNDS)
        if step.amount <= 0:
            return OraclePosting(PaymentStatus.INSUFFICIENT_FUNDS)
        if payer.balance + payer_change < -BALANCE_MAX or payee.balance + payee_change > BALANCE_MAX:
            return OraclePosting(PaymentStatus.BALANCE_OUT_OF_RANGE)

        payer.held += step.hold
        held = payer.held if step.hold else None
        fee_of_payer, fee_of_payee = (fee, 0) if kind in RETURNING else (0, fee)
        self._move(tenant, payment.payer, payment, payer_change, payment.payee, step.hold, held, fee_of_payer)
        self._move(tenant, payment.payee, payment, payee_change, payment.payer, step.hold, None, fee_of_payee)
        between = payment.payer if kind in RETURNING else payment.payee
        moved = [(int(SystemAccount.FEES), fee)] if fee else []
        if shared:
            moved += [(account, amount if shared > 0 else -amount) for account, amount in payment.shares]
        legs = [self._move(tenant, account, payment, change, between) for account, change in moved]
        self._note(payment, standing, step, fee, shared, action, now_us)
        if kind in BEGINNING:
            self._use(payment, payer, payee, now_us)
        return OraclePosting(
            PaymentStatus.IN_REVIEW if action == Action.REVIEW else PaymentStatus.POSTED,
            payer.balance,
            payer.version,
            payee.balance,
            payee.version,
            step.hold,
            held,
            fee,
            shared,
            step.amount if kind in UNASKED_AMOUNT or (kind == Kind.DISPUTE and payment.as_available) else None,
            None if rule is None else rule.id,
            action,
            tuple(legs),
        )

    def _judge_charge(self, payment: Payment, step: Step, now_us: int) -> PaymentStatus:
        if payment.kind == Kind.RELEASE and not step.move:
            return PaymentStatus.POSTED
        if not 0 < step.amount <= AMOUNT_MAX:
            return PaymentStatus.AMOUNT_OUT_OF_RANGE
        charge = self.charges.get((payment.tenant_id, payment.charge or ""))
        if charge is None or charge.payee != payment.payee:
            return PaymentStatus.CHARGE_NOT_FOUND
        if charge.status != ChargeStatus.OPEN:
            return PaymentStatus.CHARGE_CLOSED
        if payment.kind == Kind.PAY and charge.expires_at_us is not None and now_us >= charge.expires_at_us:
            return PaymentStatus.CHARGE_EXPIRED
        if charge.amount not in {None, step.amount}:
            return PaymentStatus.CHARGE_AMOUNT_DIFFERS
        return PaymentStatus.POSTED

    def _ask_rules(
        self, payment: Payment, payer: OracleAccount, payee: OracleAccount, now_us: int
    ) -> tuple[OracleRule, Action] | None:
        """The rule that decides, if one does, and how: a refusal before a review before an alert, then the first."""
        if payer.rules and payment.payee in payer.denied:
            return None
        local = self._local(payment.tenant_id, now_us)
        found: tuple[OracleRule, Action] | None = None
        of_payer = [(rule, payer) for rule in payer.rules or [] if rule.measure < Measure.RECEIVED_PAYMENT]
        of_payee = [(rule, payee) for rule in payee.rules or [] if rule.measure >= Measure.RECEIVED_PAYMENT]
        for rule, account in of_payer + of_payee:
            measured = self._measure(rule, account, payment, local, now_us)
            limit = account.own.get(rule.measure, rule.max) if rule.is_own else rule.max
            # A group is posted now or not at all: nothing of it can wait for an operator.
            is_refusal = payment.group is not None and rule.action == Action.REVIEW
            action = Action.REFUSE if is_refusal else Action(rule.action)
            if measured is not None and measured > limit and (found is None or action < found[1]):
                found = rule, action
        return found

    def _measure(
        self, rule: OracleRule, account: OracleAccount, payment: Payment, local: datetime, now_us: int
    ) -> int | None:
        amount, usage, day, month = payment.amount, account.usage, local.date(), local.date().replace(day=1)
        is_new_device = payment.session_at is not None and payment.session_at > now_us // 1_000_000 - rule.within_s
        if rule.measure in {Measure.PAYMENT, Measure.RECEIVED_PAYMENT}:
            return amount
        if rule.measure == Measure.DAY:
            return usage.sum("day", day) + amount
        if rule.measure == Measure.NIGHT:
            night = _night(rule, local)
            if night is None or payment.payee in account.allowed:
                return None
            return usage.sum("night", night) + amount
        if rule.measure == Measure.MONTH:
            return usage.sum("month", month) + amount
        if rule.measure == Measure.VELOCITY:
            waiting = max(usage.full_at_us - now_us, 0) / 1_000_000
            return 1 + -int(-(waiting * rule.max / rule.within_s) // 1)
        if rule.measure == Measure.NEW_PAYEE:
            since = account.payees_since_us.get(payment.payee)
            is_new = since is None or since > now_us - rule.within_s * 1_000_000
            return amount if is_new and payment.payee not in account.allowed else None
        if rule.measure == Measure.NEW_DEVICE:
            return amount if is_new_device else None
        if rule.measure == Measure.NEW_DEVICE_DAY:
            return usage.sum("day", day) + amount if is_new_device else None
        if rule.measure == Measure.RECEIVED_DAY:
            return usage.sum("received_day", day) + amount
        return usage.sum("received_month", month) + amount

    def _use(self, payment: Payment, payer: OracleAccount, payee: OracleAccount, now_us: int) -> None:
        """Count what was paid and received."""
        local = self._local(payment.tenant_id, now_us)
        day, month = local.date(), local.date().replace(day=1)
        if payer.rules:
            payer.usage.add("day", day, payment.amount)
            payer.usage.add("month", month, payment.amount)
            payer.payees_since_us.setdefault(payment.payee, now_us)
            for rule in payer.rules:
                if rule.measure == Measure.NIGHT and payment.payee not in payer.allowed:
                    night = _night(rule, local)
                    if night is not None:
                        payer.usage.add("night", night, payment.amount)
                elif rule.measure == Measure.VELOCITY:
                    step_us = rule.within_s * 1_000_000 / rule.max
                    payer.usage.full_at_us = max(payer.usage.full_at_us, now_us) + step_us
        if payee.rules:
            payee.usage.add("received_day", day, payment.amount)
            payee.usage.add("received_month", month, payment.amount)

    def _local(self, tenant_id: int, now_us: int) -> datetime:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)
        return at.astimezone(self.zones.get(tenant_id, UTC)).replace(tzinfo=None)

    def _fee(
        self, kind: int, step: Step, payer: OracleAccount, payee: OracleAccount, standing: OracleStanding | None
    ) -> int:
        if kind == Kind.REVERSE:
            assert standing is not None
            return -standing.fee
        if kind in RETURNING:
            assert standing is not None
            if payer.terms is None or not payer.terms.returns_fee:
                return 0
            return standing.returned_fee(step.amount)
        return 0 if payee.terms is None else payee.terms.fee(step.move)

    def _share(self, payment: Payment) -> int | None:
        """The sum of the shares, or None if one of them cannot be paid, or given back."""
        receivers = [account for account, _ in payment.shares]
        if len({*receivers, payment.payer, payment.payee}) != len(receivers) + 2:
            return None
        for account, amount in payment.shares:
            receiver = self.accounts.get((payment.tenant_id, account))
            if receiver is None or account == SystemAccount.FEES or not 0 < amount <= AMOUNT_MAX:
                return None
            if payment.kind == Kind.REVERSE:
                if receiver.balance - receiver.held - amount < receiver.floor:
                    return None
            elif receiver.status not in PAYABLE or receiver.balance + amount > BALANCE_MAX:
                return None
        return sum(amount for _, amount in payment.shares)

    def _note(
        self,
        payment: Payment,
        standing: OracleStanding | None,
        step: Step,
        fee: int,
        shared: int,
        action: int | None,
        now_us: int,
    ) -> None:
        """What the step adds to the life it belongs to."""
        if payment.kind in BEGINNING:
            payee = self.accounts[payment.tenant_id, payment.payee]
            tip_percent_max = payee.terms.tip_percent_max if payee.terms is not None else 0
            tip = payment.amount * tip_percent_max // 100 if payment.kind == Kind.AUTHORIZE else 0
            lasts_s = HOLD_LASTS_S if payment.lasts_s is None else payment.lasts_s
            self.standings[payment.tenant_id, payment.id] = OracleStanding(
                payment,
                held=step.hold,
                captured=step.move,
                fee=fee,
                shared=shared,
                capture_max=payment.amount + tip,
                expires_at_us=now_us + lasts_s * 1_000_000 if step.hold else None,
                in_review=action == Action.REVIEW,
            )
        else:
            assert standing is not None
            standing.take(payment.kind, step, fee, shared)
        charge = self.charges.get((payment.tenant_id, payment.charge or ""))
        if charge is not None and step.move and payment.kind in {Kind.PAY, Kind.RELEASE}:
            charge.paid_count += 1
            charge.paid_amount += step.amount
            if not charge.is_reusable:
                charge.status = ChargeStatus.PAID

    def _move(
        self,
        tenant: int,
        account_id: int,
        payment: Payment,
        amount: int,
        counterparty: int,
        hold: int = 0,
        held: int | None = None,
        fee: int = 0,
    ) -> Leg:
        account = self.accounts[tenant, account_id]
        account.balance += amount
        account.version += 1
        self.events[tenant, account_id].append(
            OracleEvent(
                account.version, payment.id, amount, counterparty, account.balance, payment.kind, hold, held, fee
            )
        )
        return Leg(account_id, amount, account.balance, account.version)


def judge_step(
    payment: Payment, standing: OracleStanding | None, available: int, now_us: int
) -> tuple[PaymentStatus, Step]:
    """Whether this step can be taken in that payment's life, and what it would do. `available`: what its payer has."""
    kind, amount = payment.kind, payment.amount
    if kind == Kind.PAY:
        return PaymentStatus.POSTED, Step(amount, move=amount)
    if kind == Kind.AUTHORIZE:
        return PaymentStatus.POSTED, Step(amount, hold=amount)
    if kind not in UNASKED_AMOUNT and not 0 < amount <= AMOUNT_MAX:
        return PaymentStatus.AMOUNT_OUT_OF_RANGE, Step(amount)
    if standing is None:
        return PaymentStatus.SUBJECT_NOT_FOUND, Step(amount)
    subject = standing.payment
    parties = (payment.payee, payment.payer) if kind in BACKWARD else (payment.payer, payment.payee)
    if (
        (subject.payer, subject.payee) != parties
        or (kind in {Kind.CAPTURE, Kind.VOID} and subject.kind != Kind.AUTHORIZE)
        or (kind == Kind.EXPIRE and standing.expires_at_us is None)
    ):
        return PaymentStatus.SUBJECT_NOT_FOUND, Step(amount)
    step = _step(payment, standing, available)
    expires_at_us = standing.expires_at_us or 0
    left = standing.captured - standing.refunded
    for is_so, status in (
        (kind in {Kind.RELEASE, Kind.DECLINE} and not standing.in_review, PaymentStatus.NOT_IN_REVIEW),
        (kind == Kind.CAPTURE and standing.in_review, PaymentStatus.STILL_IN_REVIEW),
        (kind in {Kind.CAPTURE, Kind.VOID, Kind.EXPIRE} and standing.held == 0, PaymentStatus.HOLD_CLOSED),
        (kind == Kind.ABSOLVE and standing.disputed == 0, PaymentStatus.HOLD_CLOSED),
        (kind in {Kind.CAPTURE, Kind.RELEASE} and now_us >= expires_at_us, PaymentStatus.HOLD_EXPIRED),
        (kind == Kind.EXPIRE and now_us < expires_at_us, PaymentStatus.HOLD_NOT_EXPIRED),
        (
            kind == Kind.CAPTURE and amount > max(standing.held, standing.capture_max - standing.captured),
            PaymentStatus.CAPTURE_EXCEEDS_HOLD,
        ),
        (kind in {Kind.DISPUTE, Kind.REVERSE} and standing.disputed > 0, PaymentStatus.DISPUTE_OPEN),
        (
            kind == Kind.REVERSE and (standing.refunded > 0 or standing.captured == 0),
            PaymentStatus.REFUND_EXCEEDS_CAPTURED,
        ),
        (kind == Kind.REFUND and amount > left - standing.disputed, PaymentStatus.REFUND_EXCEEDS_CAPTURED),
        (kind in {Kind.DISPUTE, Kind.CHARGEBACK} and amount > left, PaymentStatus.REFUND_EXCEEDS_CAPTURED),
    ):
        if is_so:
            return status, step
    return PaymentStatus.POSTED, step


def _step(payment: Payment, standing: OracleStanding, available: int) -> Step:
    kind, amount = payment.kind, payment.amount
    if kind == Kind.CAPTURE:
        return Step(amount, amount, -standing.held if payment.is_final else -min(standing.held, amount))
    if kind == Kind.ABSOLVE:
        return Step(standing.disputed, 0, -standing.disputed)
    if kind in RELEASING:
        return Step(standing.held, 0, -standing.held)
    if kind == Kind.REVERSE:
        return Step(standing.captured, standing.captured)
    if kind == Kind.DISPUTE:
        if payment.as_available:
            amount = min(amount, max(available, 0))
        return Step(amount, 0, amount)
    if kind == Kind.CHARGEBACK:
        return Step(amount, amount, -standing.disputed if payment.is_final else -min(standing.disputed, amount))
    if kind == Kind.RELEASE:
        is_payment = standing.payment.kind == Kind.PAY
        return Step(standing.held, standing.held, -standing.held) if is_payment else Step(standing.held)
    return Step(amount, amount)


def _night(rule: OracleRule, local: datetime) -> date | None:
    """The evening that the night began, or None by day."""
    now = local.time()
    if rule.night_from < rule.night_to:
        is_night = rule.night_from <= now < rule.night_to
    else:
        is_night = now >= rule.night_from or now < rule.night_to
    end = timedelta(hours=rule.night_to.hour, minutes=rule.night_to.minute, seconds=rule.night_to.second)
    return (local - end).date() if is_night else None


def _difference(first: Payment, again: Payment) -> PaymentStatus | None:
    if first.kind != again.kind:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_KIND
    if first.subject != again.subject:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_SUBJECT
    if first.charge != again.charge:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_CHARGE
    if first.payer != again.payer:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_PAYER
    if first.payee != again.payee:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_PAYEE
    if first.amount != again.amount and first.kind not in UNASKED_AMOUNT and not first.as_available:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_AMOUNT
    if first.description != again.description:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_DESCRIPTION
    options = [(one.lasts_s, one.is_final, one.as_available and one.amount, one.shares) for one in (first, again)]
    if options[0] != options[1]:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_OPTIONS
    if first.metadata != again.metadata:
        return PaymentStatus.EXISTS_WITH_DIFFERENT_METADATA
    return None

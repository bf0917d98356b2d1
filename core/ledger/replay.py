"""Does everything that was done once more, by the oracle's rules, and names the first thing that differs.

One tenant's books in memory: a few numbers for each account, and of lives those that are not yet what they are in the
end. Pure: payments are told to it in about the order in which they were judged. What an account's numbers say of the
order is what counts; a payment that is told too early waits for those before it.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from core.ledger.oracle import OracleStanding, Step, judge_step
from core.nouns import (
    AMOUNT_MAX,
    BEGINNING,
    HOLD_LASTS_S,
    RETURNING,
    UNASKED_AMOUNT,
    Kind,
    Payment,
    PaymentStatus,
    SystemAccount,
)

# Payments that may wait for others, about a kilobyte each. Of two batches that ran at once, hundreds do; a hundred
# thousand mean that what they wait for is not there.
WAITING_MAX: Final = 100_000
FEES: Final = int(SystemAccount.FEES)
POSTED: Final = int(PaymentStatus.POSTED)
IN_REVIEW: Final = int(PaymentStatus.IN_REVIEW)
IS_DONE: Final = (POSTED, IN_REVIEW)
PAY: Final = int(Kind.PAY)
KINDS: Final = frozenset(int(kind) for kind in Kind)
NOBODY: Final = "00000000-0000-0000-0000-000000000000"


class Done(NamedTuple):
    """A payment that was done, as its row has it, and what its life is in the end (its own, or its subject's).

    `shares`: (account, amount, version, balance). `subject` fields and `life` are None where there is no such row.
    """

    id: str
    kind: int
    status: int
    payer: int
    payee: int
    amount: int
    payer_version: int
    payee_version: int
    payer_balance: int
    payee_balance: int
    judged_at_us: int
    hold: int
    payer_held: int | None
    fee: int
    fee_version: int | None
    fee_balance: int | None
    shared: int
    shares: tuple[tuple[int, int, int, int], ...]
    subject: str | None
    is_final: bool
    available: int | None
    lasts_s: int | None
    root_kind: int | None
    root_payer: int | None
    root_payee: int | None
    root_amount: int | None
    life: "Life | None"


class Life(NamedTuple):
    """What the steps of one payment add up to: its row in standings."""

    held: int
    captured: int
    refunded: int
    disputed: int
    fee: int
    fee_returned: int
    shared: int
    capture_max: int | None
    expires_at_us: int | None
    in_review: bool


class Divergence(Exception):
    """The first thing that is not as it should be: of which payment, which field, what it should be and what it is."""

    def __init__(self, payment: str | None, field: str, expected: Any, found: Any, note: str = "") -> None:
        of = f"payment {payment}: " if payment else ""
        super().__init__(f"{of}{field} is {found}, and should be {expected}.{' ' + note if note else ''}")
        self.payment = payment
        self.field = field
        self.expected = expected
        self.found = found


class _Account:
    __slots__ = ("balance", "held", "last", "version")

    def __init__(self) -> None:
        self.balance = self.held = self.version = 0
        self.last: str | None = None


class _Open(NamedTuple):
    """A life that is not yet what it is in the end."""

    standing: OracleStanding
    end: Life


class Replay:
    """One tenant's books, from the first payment on."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self.accounts: dict[int, _Account] = {}
        self.count = 0
        self._lives: dict[str, _Open] = {}
        # By the account and the number that has to come first.
        self._waiting: dict[tuple[int, int], Done] = {}
        # Entries of the fees account: its row is locked last, so they come in no order of time.
        self._fees_waiting: dict[int, Done] = {}
        self._waiting_max = waiting_max

    def tell(self, done: Done) -> None:
        """The next payment. Raises Divergence."""
        ready = [done]
        while ready:
            one = ready.pop()
            before = self._what_is_missing(one)
            if before is not None:
                other = self._waiting.setdefault(before, one)
                if other is not one:
                    account, number = before
                    raise Divergence(
                        one.id, f"number {number + 1} of account {account}", "its own", f"also {other.id}'s"
                    )
                continue
            self._do(one)
            self.count += 1
            for account in (one.payer, one.payee, *(share[0] for share in one.shares)):
                next_one = self._waiting.pop((account, self.accounts[account].version), None)
                if next_one is not None:
                    ready.append(next_one)
            if self._fees_waiting:
                ready += self._flush_fees()
        if len(self._waiting) + len(self._fees_waiting) > self._waiting_max:
            self._name_gap()

    def end(self, accounts: Iterable[tuple[int, int, int, int]]) -> None:
        """All payments were told. `accounts`: (id, balance, held, version) of each there is. Raises Divergence."""
        if self._waiting or self._fees_waiting:
            self._name_gap()
        for id_, life in self._lives.items():
            _compare_lives(id_, life)
        for account, balance, held, version in accounts:
            mine = self.accounts.pop(account, None) or _Account()
            for field, expected, found in (
                ("version", mine.version, version),
                ("balance", mine.balance, balance),
                ("held", mine.held, held),
            ):
                if expected != found:
                    note = f"Its last entry is of payment {mine.last}." if mine.last else "It has no entry."
                    raise Divergence(None, f"accounts.{field} of {account}", expected, found, note)
        for account, mine in self.accounts.items():
            if mine.version:
                raise Divergence(mine.last, f"account {account}", "a row in accounts", "none")

    def _what_is_missing(self, done: Done) -> tuple[int, int] | None:
        """The account, and its number, that has to come before this payment; None: everything is there."""
        for account, number in (
            (done.payer, done.payer_version),
            (done.payee, done.payee_version),
            *((share[0], share[2]) for share in done.shares),
        ):
            known = self.accounts.get(account)
            version = 0 if known is None else known.version
            if number > version + 1:
                return account, number - 1
            if number <= version:
                raise _used_before(done.id, account, version, number)
        return None

    def _do(self, done: Done) -> None:
        if done.kind not in KINDS:
            raise Divergence(done.id, "kind", "one that there is", done.kind)
        if done.status not in IS_DONE:
            raise Divergence(done.id, "status", "one of those that have numbers", done.status)
        if (
            done.kind == PAY
            and done.status == POSTED
            and done.life is None
            and not (done.fee or done.shared or done.hold or done.shares)
        ):
            # As most payments are: it moves its amount.
            self._move(done, "payer", done.payer, -done.amount, done.payer_balance)
            self._move(done, "payee", done.payee, done.amount, done.payee_balance)
            if done.payer_held is not None or done.fee_version is not None:
                raise Divergence(done.id, "payer_held", None, done.payer_held)
            return
        standing = None if done.kind in BEGINNING else self._standing(done)
        step = _judge(done, standing)
        _check_fee(done, step, standing)
        _check_shares(done, step, standing)
        if done.kind in RETURNING:
            payer_change, payee_change = -step.move - done.fee - done.shared, step.move
        else:
            payer_change, payee_change = -step.move, step.move - done.fee - done.shared
        self._move(done, "payer", done.payer, payer_change, done.payer_balance)
        self._move(done, "payee", done.payee, payee_change, done.payee_balance)
        self._hold(done, step)
        for account, amount, _, balance in done.shares:
            self._move(done, f"share of {account}: its", account, amount, balance)
        if done.fee:
            assert done.fee_version is not None
            mine = self.accounts.get(FEES)
            if mine is not None and done.fee_version <= mine.version:
                raise _used_before(done.id, FEES, mine.version, done.fee_version)
            other = self._fees_waiting.setdefault(done.fee_version, done)
            if other is not done:
                raise Divergence(done.id, "fee_version", "its own", f"also {other.id}'s")
        elif done.fee_version is not None or done.fee_balance is not None:
            raise Divergence(done.id, "fee_version", None, done.fee_version)
        self._live_on(done, standing, step)

    def _move(self, done: Done, side: str, account: int, change: int, balance: int) -> None:
        mine = self.accounts.get(account)
        if mine is None:
            mine = self.accounts[account] = _Account()
        mine.balance += change
        mine.version += 1
        mine.last = done.id
        if mine.balance != balance:
            raise Divergence(done.id, f"{side}_balance", mine.balance, balance)

    def _hold(self, done: Done, step: Step) -> None:
        mine = self.accounts[done.payer]
        mine.held += step.hold
        expected = mine.held if step.hold else None
        if done.payer_held != expected:
            raise Divergence(done.id, "payer_held", expected, done.payer_held)

    def _flush_fees(self) -> Iterator[Done]:
        """Whatever of the fees account is in turn now; and the payments that waited for one of these numbers."""
        mine = self.accounts.get(FEES)
        if mine is None:
            mine = self.accounts[FEES] = _Account()
        while (done := self._fees_waiting.pop(mine.version + 1, None)) is not None:
            assert done.fee_balance is not None
            self._move(done, "fee", FEES, done.fee, done.fee_balance)
            next_one = self._waiting.pop((FEES, mine.version), None)
            if next_one is not None:
                yield next_one

    def _standing(self, done: Done) -> OracleStanding:
        """What the life that a step belongs to is, before the step."""
        subject = done.subject
        if subject is None or done.root_payer is None or done.root_payee is None or done.root_kind is None:
            raise Divergence(done.id, "subject", "a payment that was done", subject)
        known = self._lives.get(subject)
        if known is not None:
            return known.standing
        if done.life is None:
            raise Divergence(subject, "standings", "a row", "none", f"Payment {done.id} is a step of it.")
        # It was left when it was what it is in the end.
        root = Payment(0, subject, done.root_payer, done.root_payee, done.root_amount or 0, NOBODY, kind=done.root_kind)
        return OracleStanding(root, *done.life[:7], done.life.capture_max or 0, *done.life[8:])

    def _live_on(self, done: Done, standing: OracleStanding | None, step: Step) -> None:
        if standing is not None:
            assert done.subject is not None
            standing.take(done.kind, step, done.fee, done.shared)
            id_ = done.subject
        elif done.life is None:
            if done.kind == PAY and done.status == POSTED:
                return
            raise Divergence(done.id, "standings", "a row", "none")
        else:
            standing, id_ = _begin(done, step), done.id
        assert done.life is not None
        life = _Open(standing, done.life)
        if _difference(life) is None:
            self._lives.pop(id_, None)
        else:
            self._lives[id_] = life

    def _name_gap(self) -> None:
        """The number that the payment waits for which was judged first. Everything before it was done."""
        places = [(done.judged_at_us, account, done) for (account, _), done in self._waiting.items()]
        if not places:
            # The fees account's entries wait for each other and hold up no payment; so they are looked at last.
            places = [(done.judged_at_us, FEES, done) for done in self._fees_waiting.values()]
        _, account, done = min(places, key=lambda place: place[:2])
        known = self.accounts.get(account)
        number = 1 if known is None else known.version + 1
        raise Divergence(done.id, f"entry {number} of account {account}", "there, before this", "not there")


def _used_before(payment: str, account: int, version: int, number: int) -> Divergence:
    return Divergence(payment, f"number in account {account}", f"above {version}", number, "It was used before.")


def _judge(done: Done, standing: OracleStanding | None) -> Step:
    """What the payment did by the oracle's rules; its amount and what it holds have to be that."""
    if not 0 < done.amount <= AMOUNT_MAX and done.kind in BEGINNING:
        raise Divergence(done.id, "amount", f"from 1 to {AMOUNT_MAX}", done.amount)
    payment = Payment(
        *(0, done.id, done.payer, done.payee, done.amount, NOBODY),
        kind=done.kind,
        subject=done.subject,
        is_final=done.is_final,
    )
    # Of a dispute for what is available, the row says how much that was.
    status, step = judge_step(payment, standing, done.amount, done.judged_at_us)
    if status != PaymentStatus.POSTED:
        raise Divergence(done.id, "status", status.name.lower(), PaymentStatus(done.status).name.lower())
    if done.status == IN_REVIEW:
        step.move, step.hold = 0, step.amount
    if done.kind in UNASKED_AMOUNT and done.amount != step.amount:
        raise Divergence(done.id, "amount", step.amount, done.amount)
    if done.available is not None and done.amount > done.available:
        raise Divergence(done.id, "amount", f"at most {done.available}", done.amount)
    if done.hold != step.hold:
        raise Divergence(done.id, "hold", step.hold, done.hold)
    return step


def _check_fee(done: Done, step: Step, standing: OracleStanding | None) -> None:
    """Terms are as they were, and are not known any more: a fee is within what it may be, what goes back is exact."""
    fee = done.fee
    if done.kind == Kind.REVERSE:
        assert standing is not None
        expected = {-standing.fee}
    elif done.kind in RETURNING:
        assert standing is not None
        expected = {0, standing.returned_fee(step.amount)}
    elif step.move:
        if not 0 <= fee <= step.move:
            raise Divergence(done.id, "fee", f"from 0 to {step.move}", fee)
        return
    else:
        expected = {0}
    if fee not in expected:
        raise Divergence(done.id, "fee", " or ".join(map(str, sorted(expected))), fee)


def _check_shares(done: Done, step: Step, standing: OracleStanding | None) -> None:
    total = sum(share[1] for share in done.shares)
    if done.shared != total:
        raise Divergence(done.id, "shared", total, done.shared, "That is what its shares sum up to.")
    if done.kind == Kind.REVERSE:
        assert standing is not None
        if total != -standing.shared:
            raise Divergence(done.id, "shared", -standing.shared, total)
    elif not 0 <= total <= max(step.move - done.fee, 0) or (done.kind in RETURNING and total):
        raise Divergence(done.id, "shared", f"from 0 to {max(step.move - done.fee, 0)}", total)


def _begin(done: Done, step: Step) -> OracleStanding:
    assert done.life is not None
    lasts_s = HOLD_LASTS_S if done.lasts_s is None else done.lasts_s
    payment = Payment(0, done.id, done.payer, done.payee, done.amount, NOBODY, kind=done.kind)
    capture_max = done.life.capture_max or 0
    if done.kind == Kind.AUTHORIZE and not done.amount <= capture_max <= 2 * done.amount:
        # The tip depends on terms as they were; it is at most the amount.
        raise Divergence(done.id, "standings.capture_max", f"from {done.amount} to {2 * done.amount}", capture_max)
    return OracleStanding(
        payment,
        held=step.hold,
        captured=step.move,
        fee=done.fee,
        shared=done.shared,
        capture_max=capture_max,
        expires_at_us=done.judged_at_us + lasts_s * 1_000_000 if step.hold else None,
        in_review=done.status == IN_REVIEW,
    )


COMPARED: Final = (
    *("held", "captured", "refunded", "disputed"),
    *("fee", "fee_returned", "shared", "in_review", "expires_at_us"),
)


def _difference(life: _Open) -> str | None:
    """The first field in which a life is not what it is in the end."""
    standing, end = life
    for field in COMPARED:
        if getattr(standing, field) != getattr(end, field):
            return field
    return None


def _compare_lives(id_: str, life: _Open) -> None:
    field = _difference(life)
    if field is not None:
        raise Divergence(id_, f"standings.{field}", getattr(life.standing, field), getattr(life.end, field))

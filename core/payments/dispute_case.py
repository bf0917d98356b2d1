"""One dispute in hand: locked, changed, its money moved, written back, all in one commit.

A process that is killed has done all of an act or nothing, and nobody does it twice. The steps' ids are therefore
drawn at random; derived from the dispute's they could be guessed, and used up by somebody who does not want the step.
What was said is sealed, and opened for those who act or read alone: no clock waits for a key.
The payee's account is never taken below its floor: what is not there is owed, shown, and collected from what comes in.

`at` is the time of an act; None, as outside tests: the database's clock, read under the lock.
"""

import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple

from core.database import Connection, Pool, acquire, without_doubt
from core.database import transaction as begin
from core.errors import CoreError, NotFound, Refusal
from core.keys.places import DISPUTE_ANSWER, DISPUTE_NOTE, DISPUTE_TEXT, Place
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.nouns import Kind, Payment, PaymentStatus, Posting
from core.payments.dispute_profiles import Lapse, Profile, from_json

# What could not be helped along lets others go first.
REST_LASTS = timedelta(minutes=10)

COLUMNS = """
       id::text, payment_id::text, payer, payee, amount, reason, text, rules::text, status, held, offered, answer,
       awarded, note, charged_back, owed, is_overdue, opened_by::text, by_operator, paid_at, opened_at, answer_due_at,
       answered_at, decision_due_at, decided_at, decided_by::text, claim_due_at, claimed_at, refund_due_at,
       collect_until, closed_at, text_sealed, answer_sealed, note_sealed,
       (select accounts.person_id::text from accounts where accounts.tenant_id = $1 and accounts.id = payer),
       (select accounts.person_id::text from accounts where accounts.tenant_id = $1 and accounts.id = payee)
"""
READ_DISPUTE = f"select {COLUMNS} from disputes where tenant_id = $1 and id = $2"  # noqa: S608 - a constant
LOCK_DISPUTE = f"{READ_DISPUTE} for update"
LOCK_DISPUTE_IF_FREE = f"{READ_DISPUTE} for update skip locked"
SAVE_DISPUTE = """
update disputes
   set status = $3, held = $4, offered = $5, answer_sealed = $6, awarded = $7, note_sealed = $8, charged_back = $9,
       owed = $10, is_overdue = $11, answered_at = $12, decided_at = $13, decided_by = $14, claim_due_at = $15,
       claimed_at = $16, refund_due_at = $17, collect_until = $18, closed_at = $19, due_at = $20, rest_until = null
 where tenant_id = $1 and id = $2
"""
REST = "update disputes set rest_until = coalesce($3, clock_timestamp()) + $4 where tenant_id = $1 and id = $2"
NOW = "select coalesce($1::timestamptz, clock_timestamp())"
# A payment's money moved when it was paid or, of one that waited, when it was last captured or released.
READ_PAID = """
select life.kind, life.payer, life.payee, life.captured - life.refunded as rest,
       coalesce(
           (select max(steps.judged_at)
              from payments as steps
             where steps.tenant_id = $1 and steps.subject = $2 and steps.status = 0 and steps.kind in (2, 10)),
           to_timestamp(life.judged_at_us / 1000000.0)
       ) as paid_at
  from read_payments($1, array[$2::uuid]) as life
"""
READ_AVAILABLE = """
select greatest(balance - held - floor, 0) from accounts where tenant_id = $1 and id = $2
"""


class DisputeStatus(IntEnum):
    """Where a dispute stands. Stored in disputes.status. Whether its money has all arrived: `closed_at`."""

    OPEN = 0  # the payee has not answered
    UNDER_REVIEW = 1  # an operator is to decide
    ACCEPTED = 2
    PARTLY_ACCEPTED = 3
    REJECTED = 4
    WITHDRAWN = 5
    EXPIRED = 6  # accepted, and not claimed in time


UNDECIDED = frozenset({DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW})


class Side(IntEnum):
    """Whose word it is. Stored in dispute_evidence.side."""

    PAYER = 0
    PAYEE = 1
    OPERATOR = 2


class Actor(NamedTuple):
    """Who acts: a person, the accounts they own, and whether they may act for everybody."""

    person_id: str
    accounts: Collection[int]
    is_operator: bool = False

    def may_use(self, account: int) -> bool:
        """Whether they may act for this account."""
        return account in self.accounts or self.is_operator


class Sealed(NamedTuple):
    """What was said in a dispute, as it is kept, and the persons whose keys open it."""

    text: bytes | None
    answer: bytes | None
    note: bytes | None
    payer: str
    payee: str


class Dispute(NamedTuple):
    """A dispute as it stands. `offered` and `awarded` are None until the payee has answered and it is decided.

    `text`, `answer` and `note` are None until `opened` has opened them, and of whoever was erased.
    """

    id: str
    payment: str
    payer: int
    payee: int
    amount: int
    reason: int
    text: str | None
    profile: Profile
    status: int
    held: int
    offered: int | None
    answer: str | None
    awarded: int | None
    note: str | None
    charged_back: int
    owed: int
    is_overdue: bool
    opened_by: str
    by_operator: bool
    paid_at: datetime
    opened_at: datetime
    answer_due_at: datetime
    answered_at: datetime | None
    decision_due_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    claim_due_at: datetime | None
    claimed_at: datetime | None
    refund_due_at: datetime | None
    collect_until: datetime | None
    closed_at: datetime | None
    sealed: Sealed

    @property
    def due_at(self) -> datetime | None:
        """The clock that runs out next, if one runs."""
        if self.closed_at is not None:
            return None
        if self.claimed_at is not None:
            return self.collect_until if self.is_overdue else self.refund_due_at
        if self.status == DisputeStatus.OPEN:
            return self.answer_due_at
        if self.is_overdue:
            return None
        return self.decision_due_at if self.status == DisputeStatus.UNDER_REVIEW else self.claim_due_at


class Done(NamedTuple):
    """A dispute after an act, and the payments that the act posted."""

    dispute: Dispute
    batch: list[Payment]
    postings: list[Posting]


async def tend_dispute(pool: Pool, tenant_id: int, dispute_id: str, at: datetime | None = None) -> Done | None:
    """Do what is due with a dispute: clocks that have run out, and what has become possible with new money.

    None: somebody else has it in hand, or there was nothing to do, and it is left alone for a while.
    """
    async with transaction(pool, tenant_id) as connection:
        dispute = await read(connection, LOCK_DISPUTE_IF_FREE, tenant_id, dispute_id)
        if dispute is None:
            return None
        case = Case(connection, tenant_id, dispute, dispute.opened_by, await connection.fetchval(NOW, at))
        await case.tend()
        if case.batch or case.dispute != dispute:
            return await case.save()
        await connection.execute(REST, tenant_id, dispute_id, at, REST_LASTS)
        return None


class Case:
    """A dispute that is locked, and what is being done with it."""

    def __init__(self, connection: Connection, tenant_id: int, dispute: Dispute, person_id: str, now: datetime) -> None:
        self.connection = connection
        self.tenant_id = tenant_id
        self.dispute = dispute
        self.person_id = person_id
        self.now = now
        self.batch: list[Payment] = []
        self.postings: list[Posting] = []

    def require(self, is_possible: bool, due_at: datetime | None = None) -> None:
        """Raises Refusal unless the dispute is where this can be done, and it is in time."""
        if self.dispute.closed_at is None and due_at is not None and self.now > due_at:
            raise Refusal("dispute_deadline_passed")
        if not is_possible:
            raise Refusal("dispute_moved_on")

    def change(self, **fields: Any) -> None:
        """Note what is different now."""
        self.dispute = self.dispute._replace(**fields)

    async def answer(self, keys: Safe, text: str | None) -> None:
        """Note what the payee says."""
        sealed = self.dispute.sealed
        kept = await self._seal(keys, DISPUTE_ANSWER, sealed.payee, text)
        self.change(answer=text, sealed=sealed._replace(answer=kept))

    async def remark(self, keys: Safe, text: str | None) -> None:
        """Note what an operator says."""
        sealed = self.dispute.sealed
        kept = await self._seal(keys, DISPUTE_NOTE, sealed.payer, text)
        self.change(note=text, sealed=sealed._replace(note=kept))

    async def _seal(self, keys: Safe, place: Place, person_id: str, text: str | None) -> bytes | None:
        if text is None:
            return None
        cipher = await keys.one(self.tenant_id, person_id, create=True)
        return cipher.seal(*place.at(self.dispute.id), text)

    def done(self) -> Done:
        """The outcome so far."""
        return Done(self.dispute, self.batch, self.postings)

    async def save(self) -> Done:
        """Write the row."""
        one = self.dispute
        await self.connection.execute(
            SAVE_DISPUTE,
            self.tenant_id,
            one.id,
            int(one.status),
            one.held,
            one.offered,
            one.sealed.answer,
            one.awarded,
            one.sealed.note,
            one.charged_back,
            one.owed,
            one.is_overdue,
            one.answered_at,
            one.decided_at,
            one.decided_by,
            one.claim_due_at,
            one.claimed_at,
            one.refund_due_at,
            one.collect_until,
            one.closed_at,
            one.due_at,
        )
        return self.done()

    async def award(self, amount: int) -> None:
        """It is decided that the payer gets so much back."""
        dispute = self.dispute
        self.change(awarded=amount, owed=amount, decided_at=self.now, is_overdue=False)
        if amount == 0:
            await self.let_go(DisputeStatus.REJECTED)
            return
        self.change(status=DisputeStatus.ACCEPTED if amount == dispute.amount else DisputeStatus.PARTLY_ACCEPTED)
        claim_s = dispute.profile.claim_s
        if claim_s is None:
            await self.claim()
            return
        self.change(claim_due_at=self.now + timedelta(seconds=claim_s))
        if dispute.held > amount:
            await self.hold(amount)

    async def claim(self) -> None:
        """The refund's clock begins, and the money goes back."""
        profile = self.dispute.profile
        refund_due_at = self.now + timedelta(seconds=profile.refund_s)
        self.change(
            claimed_at=self.now,
            refund_due_at=refund_due_at,
            collect_until=profile.collects_until(self.dispute.paid_at, refund_due_at),
            is_overdue=False,
        )
        await self.charge_back()

    async def tend(self) -> None:
        """Clocks that have run out; if none had anything to do with money, what has become possible."""
        while not self.batch and (due_at := self.dispute.due_at) is not None and due_at < self.now:
            await self.lapse()
        if not self.batch and self.dispute.closed_at is None:
            await self.top_up()

    async def lapse(self) -> None:
        """The clock that runs has run out: do what the profile says."""
        dispute, profile = self.dispute, self.dispute.profile
        if dispute.claimed_at is not None:
            if dispute.is_overdue:
                # Not collected in time: what is owed stays to be seen.
                await self.let_go(dispute.status)
            else:
                self.change(is_overdue=True)
        elif dispute.status not in UNDECIDED:
            if profile.on_no_claim == Lapse.PAYER_WINS:
                await self.claim()
            elif profile.on_no_claim == Lapse.PAYEE_WINS:
                self.change(owed=0)
                await self.let_go(DisputeStatus.EXPIRED)
            else:
                self.change(is_overdue=True)
        else:
            is_unanswered = dispute.status == DisputeStatus.OPEN
            lapse = profile.on_no_answer if is_unanswered else profile.on_no_decision
            if lapse == Lapse.PAYER_WINS:
                await self.award(dispute.amount)
            elif lapse == Lapse.PAYEE_WINS:
                await self.award(dispute.offered or 0)
            elif is_unanswered:
                self.change(status=DisputeStatus.UNDER_REVIEW)
            else:
                self.change(is_overdue=True)

    async def top_up(self) -> None:
        """Take what has come in since, for what the refund or the hold still lacks."""
        dispute = self.dispute
        if dispute.claimed_at is not None:
            await self.charge_back()
        else:
            wanted = dispute.amount if dispute.awarded is None else dispute.awarded
            target = min(wanted, await self._left())
            if dispute.held < target and await self._available() > 0:
                await self.hold(target)

    async def hold(self, amount: int) -> None:
        """Have so much reserved, or as much of it as is there: a smaller hold gives way to a larger one, or back.

        The payee may have refunded meanwhile, where nothing was reserved: only what is left can be.
        """
        dispute = self.dispute
        amount = min(amount, await self._left())
        if amount <= 0:
            return
        batch = [self._step(Kind.DISPUTE, amount, as_available=True)]
        if dispute.held:
            batch = [one._replace(group=1) for one in (self._step(Kind.ABSOLVE), *batch)]
        posting = (await self._post(batch))[-1]
        if posting.status == PaymentStatus.REFUND_EXCEEDS_CAPTURED:
            # The payee has refunded since what is left was read. A hold that is there stays as it is.
            if not dispute.held:
                raise Refusal("not_disputable", field="amount")
        elif posting.status not in {PaymentStatus.POSTED, PaymentStatus.INSUFFICIENT_FUNDS}:
            raise _unexpected(posting)

    async def charge_back(self) -> None:
        """Return what is owed, as far as it is there; what the payee has refunded meanwhile is owed no more."""
        owed = min(self.dispute.owed, await self._left())
        self.change(owed=owed)
        amount = min(owed, self.dispute.held + await self._available())
        # Somebody may spend what is available before it is locked; what is held is there.
        for wanted in dict.fromkeys((amount, min(owed, self.dispute.held))):
            if wanted == 0:
                continue
            posting = (await self._post([self._step(Kind.CHARGEBACK, wanted, is_final=True)]))[0]
            if posting.status == PaymentStatus.POSTED:
                self.change(charged_back=self.dispute.charged_back + wanted, owed=owed - wanted)
                break
            # Or the payee refunds at this very moment: what is owed is counted anew the next time.
            if posting.status not in {PaymentStatus.INSUFFICIENT_FUNDS, PaymentStatus.REFUND_EXCEEDS_CAPTURED}:
                raise _unexpected(posting)
        if self.dispute.owed == 0:
            await self.let_go(self.dispute.status)

    async def let_go(self, status: int) -> None:
        """Nothing is reserved any more, and the dispute is closed."""
        if self.dispute.held:
            (posting,) = await self._post([self._step(Kind.ABSOLVE)])
            if posting.status != PaymentStatus.POSTED:
                raise _unexpected(posting)
        self.change(status=status, closed_at=self.now, is_overdue=False)

    def _step(self, kind: Kind, amount: int = 0, *, as_available: bool = False, is_final: bool = False) -> Payment:
        dispute = self.dispute
        return Payment(
            self.tenant_id,
            str(uuid.uuid4()),
            dispute.payee,
            dispute.payer,
            amount,
            self.person_id,
            kind=kind,
            subject=dispute.payment,
            as_available=as_available,
            is_final=is_final,
        )

    async def _post(self, batch: list[Payment]) -> list[Posting]:
        postings = await post_payments(self.connection, batch)
        self.batch += batch
        self.postings += postings
        self.change(held=self.dispute.held + sum(one.hold for one in postings if one.status == PaymentStatus.POSTED))
        return postings

    async def _available(self) -> int:
        available: int = await self.connection.fetchval(READ_AVAILABLE, self.tenant_id, self.dispute.payee)
        return available

    async def _left(self) -> int:
        """How much of the payment has not gone back yet."""
        paid = await self.connection.fetchrow(READ_PAID, self.tenant_id, self.dispute.payment)
        assert paid is not None, "a disputed payment is there"
        return int(paid["rest"])


@asynccontextmanager
async def transaction(pool: Pool, tenant_id: int, *, is_rehearsal: bool = False) -> AsyncIterator[Connection]:
    """As core.database.in_tenant, and OutcomeUnknown if the commit may not survive a failover: money moves in it."""
    async with (
        acquire(pool) as connection,
        without_doubt(connection),
        begin(connection, is_rehearsal=is_rehearsal),
    ):
        await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant_id))
        yield connection


@asynccontextmanager
async def locked_case(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    dispute_id: str,
    actor: Actor,
    at: datetime | None,
    *,
    is_rehearsal: bool = False,
) -> AsyncIterator[Case]:
    """The dispute, locked for one of its sides or an operator. Clocks come first, whoever notices. Raises NotFound."""
    while True:
        async with transaction(pool, tenant_id, is_rehearsal=is_rehearsal) as connection:
            dispute = seen(await read(connection, LOCK_DISPUTE, tenant_id, dispute_id), actor)
            now = await connection.fetchval(NOW, at)
            # A rehearsal leaves nothing behind, what the clocks do neither.
            while is_rehearsal and dispute.due_at is not None and dispute.due_at < now:
                clocks = Case(connection, tenant_id, dispute, dispute.opened_by, now)
                await clocks.tend()
                dispute = clocks.dispute
            if dispute.due_at is None or now <= dispute.due_at:
                (dispute,) = await opened(keys, tenant_id, [dispute])
                yield Case(connection, tenant_id, dispute, actor.person_id, now)
                return
        await tend_dispute(pool, tenant_id, dispute_id, at)


async def read(connection: Connection, query: str, tenant_id: int, dispute_id: str) -> Dispute | None:
    """One dispute by one of the queries above."""
    row = await connection.fetchrow(query, tenant_id, dispute_id)
    return None if row is None else to_dispute(row)


def to_dispute(row: Any) -> Dispute:
    """A row of COLUMNS, with what was said still sealed."""
    found = Dispute._make((*row[: -len(Sealed._fields)], Sealed(*row[-len(Sealed._fields) :])))
    return found._replace(profile=from_json(row["rules"]))


async def opened(keys: Safe, tenant_id: int, disputes: Sequence[Dispute]) -> list[Dispute]:
    """The same disputes with what was said in them. What nobody has sealed yet stands as it is."""
    persons = {
        person_id
        for one in disputes
        for person_id, sealed in (
            (one.sealed.payer, one.sealed.text),
            (one.sealed.payer, one.sealed.note),
            (one.sealed.payee, one.sealed.answer),
        )
        if sealed is not None
    }
    ciphers = await keys.of(tenant_id, persons)

    def said(place: Place, one: Dispute, person_id: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else ciphers[person_id].open(*place.at(one.id), sealed)

    return [
        one._replace(
            text=one.text or said(DISPUTE_TEXT, one, one.sealed.payer, one.sealed.text),
            note=one.note or said(DISPUTE_NOTE, one, one.sealed.payer, one.sealed.note),
            answer=one.answer or said(DISPUTE_ANSWER, one, one.sealed.payee, one.sealed.answer),
        )
        for one in disputes
    ]


def seen(dispute: Dispute | None, actor: Actor) -> Dispute:
    """The dispute, if it is theirs to see: somebody else's is like one that is not there. Raises NotFound."""
    if dispute is None or not (actor.may_use(dispute.payer) or actor.may_use(dispute.payee)):
        raise NotFound
    return dispute


def _unexpected(posting: Posting) -> CoreError:
    return CoreError(f"The ledger refused a step of a dispute: {PaymentStatus(posting.status).name.lower()}.")

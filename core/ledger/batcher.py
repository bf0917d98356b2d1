"""Makes payments wait for company: many askers, few commits.

Idle, a payment leaves on the next turn of the loop, alone. Busy, payments gather while batches are in
flight. Tenants take turns at filling a batch, so a loud one waits behind itself. It decides nothing
about money, holds nothing durable, and never answers before the commit.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from core.database import is_payments_fault, is_race, is_rolled_back
from core.errors import CoreError, KeysUnavailable, OutcomeUnknown, Overloaded, Unavailable
from core.nouns import GROUP_SIZE_MAX, Payment, Posting

log = logging.getLogger(__name__)

# Larger batches save nothing more per payment, and everyone in one waits for its slowest lock.
BATCH_SIZE_MAX = 256
# One batch commits while the next is judged; a third only fragments them.
FLIGHTS_MAX = 2
# A second batch departs beside the first only when it is worth a commit of its own: ten payments in one
# batch are answered sooner than five in each of two.
COMPANY_MIN = 4
# About a second of work at full speed: what waits longer is better refused and asked again.
QUEUE_LENGTH_MAX = 20_000
# One tenant may fill at most half of the queue.
TENANT_QUEUE_LENGTH_MAX = QUEUE_LENGTH_MAX // 2
# A deadlock or a lost race for an id rolls the batch back whole; each try settles at least one of them.
TRIES_MAX = 6
RETRY_AFTER_MS = 500

Outcome: TypeAlias = Posting | CoreError
Answer: TypeAlias = Callable[[Payment, Outcome], None]
Committed: TypeAlias = Callable[[Sequence[Payment], Sequence[Posting], float], None]
# A payment, whom to answer, and when it was asked for.
Waiting: TypeAlias = tuple[Payment, Answer, float]
Post: TypeAlias = Callable[[Sequence[Payment]], Awaitable[list[Posting]]]


class Batcher:
    """Collects payments and posts them in batches.

    `submit` calls `answer(payment, outcome)` exactly once per payment, from the event loop, after the commit:
    a Posting, or an Unavailable (nothing was done) or OutcomeUnknown (ask again with the same id).
    `on_commit(batch, postings, took_s)` is told of each committed batch after its answers have left; `took_s` is what
    the slowest of them waited, from when it was asked for.
    """

    def __init__(self, post: Post, *, on_commit: Committed | None = None) -> None:
        self._post = post
        self._on_commit = on_commit
        self._queues: dict[int, deque[Waiting]] = {}
        self._turns: deque[int] = deque()
        self._waiting = 0
        # Whoever asks now counts as asking then, by the loop's clock: the last departure, or the first to ask after it.
        self._asked_at = 0.0
        self._wake_scheduled = False
        self._flights: set[asyncio.Task[None]] = set()
        self._closed = False
        self._groups = 0

    @property
    def waiting(self) -> int:
        """How many payments have not left yet."""
        return self._waiting

    @property
    def in_flight(self) -> int:
        """How many batches are at the database."""
        return len(self._flights)

    def submit(self, payment: Payment, answer: Answer) -> None:
        """Queue a payment. Raises Overloaded or Unavailable at once, without calling `answer`, if it cannot be."""
        if self._closed:
            raise Unavailable("This hub is stopping. Ask another.", retry_after_ms=RETRY_AFTER_MS)
        queue = self._queues.get(payment.tenant_id)
        # Refused before anything is put down: a tenant in the turns must have a payment to give.
        if self._waiting >= QUEUE_LENGTH_MAX or (queue is not None and len(queue) >= TENANT_QUEUE_LENGTH_MAX):
            raise Overloaded(retry_after_ms=RETRY_AFTER_MS)
        if queue is None:
            queue = self._queues[payment.tenant_id] = deque()
            self._turns.append(payment.tenant_id)
        if not self._waiting:
            self._asked_at = asyncio.get_running_loop().time()
        queue.append((payment, answer, self._asked_at))
        self._waiting += 1
        if not self._wake_scheduled and self._may_depart():
            # Not now but on the loop's next turn: what arrived in the same read shares the commit.
            self._wake_scheduled = True
            asyncio.get_running_loop().call_soon(self._depart)

    async def post_linked(self, payments: Sequence[Payment]) -> list[Posting]:
        """Post payments all or none, in one batch. Raises what `submit` raises or `answer` is given."""
        if len(payments) > GROUP_SIZE_MAX:
            raise ValueError(f"At most {GROUP_SIZE_MAX} payments are posted together.")
        self._groups += 1
        members = [payment._replace(group=self._groups) for payment in payments]
        answered: list[Outcome] = []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answer(_: Payment, outcome: Outcome) -> None:
            answered.append(outcome)
            if len(answered) == len(members) and not done.done():
                done.set_result(None)

        if self._is_full(payments[0].tenant_id, len(members)):
            raise Overloaded(retry_after_ms=RETRY_AFTER_MS)
        for payment in members:
            self.submit(payment, answer)
        await done
        postings = [outcome for outcome in answered if isinstance(outcome, Posting)]
        if len(postings) < len(answered):
            raise next(outcome for outcome in answered if isinstance(outcome, CoreError))
        return postings

    async def post(self, payment: Payment) -> Posting:
        """Submit and wait. Raises what `submit` raises or `answer` is given."""
        future: asyncio.Future[Posting] = asyncio.get_running_loop().create_future()

        def answer(_: Payment, outcome: Outcome) -> None:
            if future.done():
                return
            if isinstance(outcome, CoreError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.submit(payment, answer)
        return await future

    async def close(self) -> None:
        """Take no more payments and wait until every one taken is answered."""
        self._closed = True
        while self._flights or self._waiting:
            if not self._flights:
                self._depart()
            await asyncio.wait(self._flights)

    def _depart(self) -> None:
        self._wake_scheduled = False
        while self._may_depart():
            flight = asyncio.get_running_loop().create_task(self._fly(self._take()))
            self._flights.add(flight)
            flight.add_done_callback(self._land)

    def _may_depart(self) -> bool:
        if not self._flights:
            return self._waiting > 0
        return self._waiting >= COMPANY_MIN and len(self._flights) < FLIGHTS_MAX

    def _land(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._depart()

    def _is_full(self, tenant_id: int, count: int) -> bool:
        """Whether so many more would be too many: a group is taken whole or not at all."""
        queued = len(self._queues.get(tenant_id, ()))
        return self._waiting + count > QUEUE_LENGTH_MAX or queued + count > TENANT_QUEUE_LENGTH_MAX

    def _take(self) -> list[Waiting]:
        """Up to a batch, one payment, or one group of them, per tenant per turn."""
        self._asked_at = asyncio.get_running_loop().time()
        if len(self._turns) == 1 and self._waiting <= BATCH_SIZE_MAX:
            queue = self._queues.pop(self._turns.pop())
            self._waiting = 0
            return list(queue)
        taken: list[Waiting] = []
        while self._turns and len(taken) < BATCH_SIZE_MAX:
            tenant = self._turns.popleft()
            queue = self._queues[tenant]
            taken.append(queue.popleft())
            group = taken[-1][0].group
            while group is not None and queue and queue[0][0].group == group:
                taken.append(queue.popleft())
            if queue:
                self._turns.append(tenant)
            else:
                del self._queues[tenant]
        self._waiting -= len(taken)
        return taken

    async def _fly(self, taken: list[Waiting]) -> None:
        batch = [payment for payment, _, _ in taken]
        outcomes = await self._settle(batch)
        for (payment, answer, _), outcome in zip(taken, outcomes, strict=True):
            try:
                answer(payment, outcome)
            except Exception:
                # The money is safe; one client's broken callback must not cost the others their answers.
                log.exception("answer_failed")
        if self._on_commit is not None:
            posted = [(p, o) for p, o in zip(batch, outcomes, strict=True) if isinstance(o, Posting)]
            if posted:
                # After the answers: what they wrote leaves on the loop's next turn, before the announcement is made.
                payments, postings = zip(*posted, strict=True)
                loop = asyncio.get_running_loop()
                took_s = loop.time() - min(asked_at for _, _, asked_at in taken)
                loop.call_soon(self._on_commit, payments, postings, took_s)

    async def _settle(self, batch: Sequence[Payment]) -> Sequence[Outcome]:
        """Post the batch; if it keeps being rolled back, find out which payment it is by posting each alone."""
        for tried in range(1, TRIES_MAX + 1):
            try:
                return await self._post(batch)
            except KeysUnavailable as error:
                return await self._settle_without_words(batch, error)
            except (Unavailable, OutcomeUnknown) as error:
                return [error] * len(batch)
            except Exception as error:
                if not is_rolled_back(error):
                    log.warning("outcome_unknown", extra={"payments": len(batch), "error": type(error).__name__})
                    return [OutcomeUnknown()] * len(batch)
                log.warning("batch_rolled_back", extra={"payments": len(batch), "error": type(error).__name__})
                if not is_payments_fault(error):
                    return [Unavailable(retry_after_ms=RETRY_AFTER_MS)] * len(batch)
                if tried == TRIES_MAX or not is_race(error):
                    break
                await asyncio.sleep(random.uniform(0, 0.005 * 2**tried))  # noqa: S311
        members = _members(batch)
        if len(members) == 1:
            unable = Unavailable("The ledger could not judge this payment. Nothing was done.", retry_after_ms=5_000)
            return [unable] * len(batch)
        return [outcome for group in members for outcome in await self._settle(group)]

    async def _settle_without_words(self, batch: Sequence[Payment], error: KeysUnavailable) -> Sequence[Outcome]:
        """Words cannot be sealed now: those who wrote some are told so, and hold up nobody else."""
        members = _members(batch)
        quiet = [group for group in members if all(payment.description is None for payment in group)]
        if not quiet:
            return [error] * len(batch)
        settled = iter(await self._settle([payment for group in quiet for payment in group]))
        return [next(settled) if group in quiet else error for group in members for _ in group]


def _members(batch: Sequence[Payment]) -> list[list[Payment]]:
    """Each payment alone, those of a group together."""
    members: list[list[Payment]] = []
    for payment in batch:
        if payment.group is not None and members and members[-1][-1].group == payment.group:
            members[-1].append(payment)
        else:
            members.append([payment])
    return members

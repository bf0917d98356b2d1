"""Walks with an account's events to one place, one after another, until there is none, or one that is not taken.

Each walk is a task of its own, so whoever hangs holds up nobody else; how many walk at once is bounded, and so is what
each of them holds: a page of events and one answer's head. A worker that is killed loses its claims; what it had
brought and not written down is brought again, under the same id.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client import Counter, Gauge

from core.database import Pool
from core.errors import KeysRefused, SealBroken, Unavailable
from core.keys.safe import Safe
from core.ledger.reading import read_entries_after
from core.nouns import Entry, what_happened
from core.outside import Outside, OutsideRefused, OutsideUnavailable, Way
from core.webhooks import cursors
from core.webhooks.cursors import Claim, Tried
from core.webhooks.messages import event_id, message_of
from core.webhooks.schedule import ASIDES_IN_ROW_MAX, after_failure, after_refusal, rest
from core.webhooks.sending import Sent, bring
from core.webhooks.states import Code, State
from core.webhooks.webhooks import Opened, unseal

log = logging.getLogger(__name__)

# Of one worker. Each is a socket and a page of events.
WALKS_MAX: Final = 200
# Claims of one question to the database.
CLAIMS_MAX: Final = 64
PAGE: Final = 50
# Then others of the same webhook, or of the same tenant, have their turn.
WALK_LENGTH_MAX: Final = 100
WALK_LASTS: Final = timedelta(seconds=15)
# The moment of the last success is written so often.
TAKEN_WRITTEN: Final = timedelta(minutes=1)
# While keys cannot be had, nobody can read where to go.
KEYS_WAIT: Final = timedelta(seconds=5)
# The worker's own way of being told to stop: walks have so long to hear their answer.
STOP_S: Final = 5.0
# An idle look costs the database about this share of one of its cores at most, however many cursors there are.
SHARE_MAX: Final = 0.05
LOOK_S: Final = 0.25

webhooks_brought = Counter("payhub_webhooks", "Webhooks brought, by what came of it.", ["code"])
walks = Gauge("payhub_webhook_walks", "Accounts whose events are on their way to a webhook.")


def _now() -> datetime:
    return datetime.now(UTC)


class Bringing:
    """All that a worker brings. `now` and `draw` are the clock and the dice."""

    def __init__(
        self,
        pool: Pool,
        keys: Safe,
        outside: Outside,
        *,
        now: Callable[[], datetime] = _now,
        draw: Callable[[], float] = random.random,
        walks_max: int = WALKS_MAX,
        share_max: float = SHARE_MAX,
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._outside = outside
        self._now = now
        self._draw = draw
        self._walks_max = walks_max
        self._share_max = share_max
        self._walks: set[asyncio.Task[None]] = set()
        self._looks_at = 0.0

    async def look(self) -> int:
        """Wake what has moved, and begin walks for what is due; how many. It waits for none of them."""
        await self._wake()
        free = min(self._walks_max - len(self._walks), CLAIMS_MAX)
        if free <= 0:
            return 0
        claims = await cursors.claim(self._pool, self._now(), free)
        for claim in claims:
            task = asyncio.create_task(self._walk(claim))
            self._walks.add(task)
            task.add_done_callback(self._walks.discard)
        walks.set(len(self._walks))
        return len(claims)

    async def spread(self) -> int:
        """Follow accounts that merchants were given since; how many."""
        return await cursors.spread(self._pool)

    async def forget(self, limit: int) -> int:
        """Remove attempts that are kept no longer; how many."""
        return await cursors.forget_attempts(self._pool, limit)

    async def settle(self) -> None:
        """Wait until nobody walks."""
        while self._walks:
            await asyncio.wait(self._walks)

    async def close(self, stop_s: float = STOP_S) -> None:
        """Give walks a moment to hear their answer, and end them."""
        if self._walks:
            _, late = await asyncio.wait(self._walks, timeout=stop_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _wake(self) -> None:
        """The more cursors there are, the longer a look takes, and the more seldom one is had."""
        began = asyncio.get_running_loop().time()
        if began < self._looks_at:
            return
        await cursors.wake(self._pool, self._now())
        ended = asyncio.get_running_loop().time()
        self._looks_at = ended + (ended - began) / self._share_max

    async def _walk(self, claim: Claim) -> None:
        try:
            opened = await self._open(claim)
            if opened is not None:
                await self._go(claim, opened)
        except Exception as error:
            # The claim runs out, and somebody begins where the database says that this one came.
            log.warning("webhook_walk_failed", extra={"error": type(error).__name__})

    async def _open(self, claim: Claim) -> Opened | None:
        at = self._now()
        try:
            cipher = await self._keys.one(claim.tenant_id, claim.person_id)
            opened = unseal(cipher, claim.webhook_id, claim.url_sealed, claim.secret_sealed, claim.old_secret_sealed)
        except (Unavailable, KeysRefused):
            await cursors.give_back(self._pool, claim, at, at + KEYS_WAIT)
            return None
        except SealBroken:
            opened = None
        if opened is None:
            await cursors.disable(self._pool, claim, at, State.ENDED, None)
        return opened

    async def _go(self, claim: Claim, opened: Opened) -> None:
        entries = await self._read(claim)
        if not any(_is_wanted(claim, entry) for entry in entries):
            # Nobody is asked for nothing.
            await self._pass(claim, entries)
            return
        try:
            async with self._outside.open(opened.url) as way:
                await self._go_along(claim, opened, way, entries)
        except OutsideRefused:
            await self._fail(claim, _first_wanted(claim, entries), Sent(Code.ADDRESS_REFUSED, 0))
        except OutsideUnavailable as error:
            await self._fail(claim, _first_wanted(claim, entries), Sent(Code(error.code), 0))

    async def _go_along(self, claim: Claim, opened: Opened, way: Way, entries: list[Entry]) -> None:
        """Bring one event after another over one connection."""
        began, brought = self._now(), 0
        while True:
            for entry in entries:
                at = self._now()
                if brought >= WALK_LENGTH_MAX or at - began > WALK_LASTS:
                    await cursors.give_back(self._pool, claim, at, at)
                    return
                if not _is_wanted(claim, entry):
                    claim = claim._replace(number=entry.number)
                    continue
                sent = await self._bring(claim, opened, way, entry, at)
                brought += 1
                if sent.code is not Code.TAKEN:
                    await self._settle(claim, entry, sent)
                    return
                if not await self._take(claim, entry, sent) or claim.only:
                    return
                claim = claim._replace(
                    number=entry.number,
                    after_gap=False,
                    tries=0,
                    failed_at=None,
                    again_at=None,
                    code=None,
                    fails=0,
                    asides_in_row=0,
                    last_taken_at=self._now(),
                )
            entries = await self._read(claim)
            if not any(_is_wanted(claim, entry) for entry in entries):
                await self._pass(claim, entries)
                return

    async def _read(self, claim: Claim) -> list[Entry]:
        limit = 1 if claim.only else PAGE
        return await read_entries_after(self._pool, claim.tenant_id, claim.account, claim.number, limit)

    async def _pass(self, claim: Claim, entries: list[Entry]) -> None:
        """Go past what is not wanted; idle, if that was all."""
        at = self._now()
        last = entries[-1].number if entries else claim.number
        if entries and not await cursors.settle_passed(self._pool, claim, at, last):
            return
        await cursors.give_back(self._pool, claim, at, at if len(entries) == PAGE else None)

    async def _bring(self, claim: Claim, opened: Opened, way: Way, entry: Entry, at: datetime) -> Sent:
        body = message_of(entry, after_gap=claim.after_gap, out_of_order=claim.only > 0)
        id_ = event_id(claim.tenant_id, claim.account, entry.number)
        sent = await bring(way, opened.secrets, id_, body, at)
        webhooks_brought.labels(sent.code).inc()
        return sent

    async def _take(self, claim: Claim, entry: Entry, sent: Sent) -> bool:
        at = self._now()
        is_new = claim.last_taken_at is None or at - claim.last_taken_at > TAKEN_WRITTEN
        heals = is_new or claim.fails > 0 or claim.asides_in_row > 0 or claim.failed_at is not None
        tried = _tried(claim, entry, sent)
        return await cursors.settle_taken(self._pool, claim, at, tried, heals=heals, goes_on=True)

    async def _settle(self, claim: Claim, entry: Entry, sent: Sent) -> None:
        """Whatever came of it that is not "taken"."""
        at, tried = self._now(), _tried(claim, entry, sent)
        if sent.code is Code.GONE:
            await cursors.disable(self._pool, claim, at, State.GONE, tried)
        elif sent.code is Code.REFUSED:
            due_at = after_refusal(claim.refusals, at, self._draw)
            if due_at is not None:
                await cursors.settle_refused(self._pool, claim, at, tried, due_at, claim.fails > 0)
            elif claim.asides_in_row >= ASIDES_IN_ROW_MAX:
                await cursors.disable(self._pool, claim, at, State.REFUSING, tried)
            else:
                await cursors.set_aside(self._pool, claim, at, tried, claim.fails > 0)
        else:
            await self._fail(claim, entry, sent)

    async def _fail(self, claim: Claim, entry: Entry, sent: Sent) -> None:
        at, tried = self._now(), _tried(claim, entry, sent)
        following = after_failure(claim.failing, at, self._draw, sent.after_s)
        if following is not None:
            free_at = rest(claim.fails, at, sent.after_s)
            await cursors.settle_failed(self._pool, claim, at, tried, following, free_at)
        elif _takes_others(claim):
            await cursors.set_aside(self._pool, claim, at, tried, False)
        else:
            await cursors.disable(self._pool, claim, at, State.FAILING, tried)


def _is_wanted(claim: Claim, entry: Entry) -> bool:
    return claim.only > 0 or claim.events is None or what_happened(entry).value in claim.events


def _first_wanted(claim: Claim, entries: list[Entry]) -> Entry:
    return next(entry for entry in entries if _is_wanted(claim, entry))


def _takes_others(claim: Claim) -> bool:
    """Whether something else was taken there since this event failed: then it is not the place."""
    return claim.failed_at is not None and claim.last_taken_at is not None and claim.last_taken_at > claim.failed_at


def _tried(claim: Claim, entry: Entry, sent: Sent) -> Tried:
    id_ = event_id(claim.tenant_id, claim.account, entry.number)
    return Tried(entry.number, id_, what_happened(entry).value, sent)

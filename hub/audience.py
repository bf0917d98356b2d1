"""Who follows which account on this hub, and what they have been sent.

Each followed account has one stream. A frame goes out only if its number is the next one; an early one
waits a moment for those before it; a gap that stays is read from PostgreSQL. So a lost, late, doubled or
forged hint can delay an event, and never drop, double or invent one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from core.nouns import Entry
from hub.protocol.messages import Event

log = logging.getLogger(__name__)

# Batches of two hubs may overtake each other on the way; longer than this, a hint was lost.
GAP_PATIENCE_S = 0.05
# Events read at a time while catching up.
CATCH_UP_PAGE = 200
# Early frames kept per account before PostgreSQL is asked instead.
EARLY_MAX = 512
# Every followed account's last number is compared with PostgreSQL's about this often.
SWEEP_PERIOD_S = 1.0
SWEEP_SLICES = 4

Key: TypeAlias = tuple[int, int]
ReadEntriesAfter: TypeAlias = Callable[[int, int, int, int], Awaitable[list[Entry]]]
ReadVersions: TypeAlias = Callable[[list[Key]], Awaitable[list[int | None]]]


class Listener(Protocol):
    """Somebody who follows: a connection."""

    def hear(self, event: Event, frame: bytes | None) -> None:
        """Take one event, and its msgpack frame where it has been encoded already."""

    @property
    def catching_up(self) -> asyncio.Lock:
        """Held while a page of the past is read and written."""

    @property
    def keeps_up(self) -> bool:
        """Whether the peer has read enough for more."""

    async def writable(self) -> None:
        """Wait until it has."""

    @property
    def is_open(self) -> bool:
        """Whether it still makes sense to send."""


class Stream:
    """One followed account: the last number sent, early frames, and the followers with theirs."""

    __slots__ = ("behind", "early", "followers", "mending", "number", "suspect", "timer")

    def __init__(self, number: int) -> None:
        self.number = number
        self.followers: dict[Listener, int] = {}
        self.behind: set[Listener] = set()  # being sent their past right now
        self.early: dict[int, tuple[Event, bytes | None]] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.mending: asyncio.Task[None] | None = None
        self.suspect = 0


class Audience:
    """All streams of this hub."""

    def __init__(
        self, read_after: ReadEntriesAfter, read_versions: ReadVersions, to_event: Callable[[Entry], Event]
    ) -> None:
        self._read_after = read_after
        self._read_versions = read_versions
        self._to_event = to_event
        self._streams: dict[Key, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.mended = 0

    @property
    def followed(self) -> int:
        """How many accounts are followed here."""
        return len(self._streams)

    def is_followed(self, key: Key) -> bool:
        """Whether anybody here follows the account."""
        return key in self._streams

    def follow(self, listener: Listener, key: Key, after: int, latest: int) -> None:
        """Send `listener` the account's events after number `after`. `latest`: the last number there is now."""
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream(latest)
            # What happened between reading `latest` and now had nobody here to go to.
            self._mend(key, stream)
        stream.followers[listener] = after
        if after < stream.number:
            self._bring_up(listener, key, stream)
        elif after > stream.number:
            # It has seen more than this hub sent to others: they are owed those.
            self._mend(key, stream)

    def unfollow(self, listener: Listener, key: Key) -> None:
        """Send `listener` nothing more of the account."""
        stream = self._streams.get(key)
        if stream is not None and stream.followers.pop(listener, None) is not None and not stream.followers:
            self._forget(key, stream)

    def sent(self, listener: Listener, key: Key) -> int | None:
        """The last number sent to `listener`, or None if it does not follow the account."""
        stream = self._streams.get(key)
        return None if stream is None else stream.followers.get(listener)

    def deliver(self, key: Key, number: int, event: Event, frame: bytes | None) -> None:
        """An event has happened: send it to those whose next one it is."""
        stream = self._streams.get(key)
        if stream is None or number <= stream.number:
            return
        if number != stream.number + 1:
            self._keep_early(key, stream, number, event, frame)
            return
        self._send(key, stream, number, event, frame)
        while stream.early and (kept := stream.early.pop(stream.number + 1, None)) is not None:
            self._send(key, stream, stream.number + 1, *kept)
        if not stream.early and stream.timer is not None:
            stream.timer.cancel()
            stream.timer = None

    async def sweep(self) -> None:
        """For ever: find the streams that fell behind without a hint to say so."""
        while True:
            for part in range(SWEEP_SLICES):
                await asyncio.sleep(SWEEP_PERIOD_S / SWEEP_SLICES)
                keys = list(self._streams)[part::SWEEP_SLICES]
                try:
                    versions = await self._read_versions(keys)
                except Exception as error:
                    log.warning("sweep_failed", extra={"error": type(error).__name__})
                    continue
                for key, version in zip(keys, versions, strict=True):
                    self._compare(key, version or 0)

    async def close(self) -> None:
        """Stop catching up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _compare(self, key: Key, version: int) -> None:
        """Behind twice at the same place: the hint is not late, it is lost."""
        stream = self._streams.get(key)
        if stream is None:
            return
        if stream.suspect > stream.number:
            self._mend(key, stream)
        stream.suspect = version
        for listener, sent in stream.followers.items():
            if sent < stream.number:
                self._bring_up(listener, key, stream)

    def _send(self, key: Key, stream: Stream, number: int, event: Event, frame: bytes | None) -> None:
        stream.number = number
        for listener, sent in stream.followers.items():
            # One that is still being brought up reads this event from PostgreSQL, in its turn.
            if sent != number - 1:
                continue
            if listener.keeps_up:
                stream.followers[listener] = number
                listener.hear(event, frame)
            else:
                # More events than it can read at once: from here on it gets them at its own pace.
                self._bring_up(listener, key, stream)

    def _keep_early(self, key: Key, stream: Stream, number: int, event: Event, frame: bytes | None) -> None:
        if len(stream.early) < EARLY_MAX:
            stream.early[number] = event, frame
        if stream.timer is None:
            stream.timer = asyncio.get_running_loop().call_later(GAP_PATIENCE_S, self._mend, key, stream)

    def _mend(self, key: Key, stream: Stream) -> None:
        if stream.mending is None:
            stream.mending = self._start(self._read_gap(key, stream))

    async def _read_gap(self, key: Key, stream: Stream) -> None:
        """Read what is missing and send it in order."""
        try:
            while self._streams.get(key) is stream:
                entries = await self._read_after(*key, stream.number, CATCH_UP_PAGE)
                for entry in entries:
                    self.deliver(key, entry.number, self._to_event(entry), None)
                self.mended += len(entries)
                if len(entries) < CATCH_UP_PAGE:
                    break
        except Exception as error:
            # The sweep comes by again.
            log.warning("catch_up_failed", extra={"error": type(error).__name__})
        finally:
            stream.mending = None
            if stream.timer is not None:
                stream.timer.cancel()
                stream.timer = None
            # What is early and old now has been sent from PostgreSQL.
            stream.early = {number: kept for number, kept in stream.early.items() if number > stream.number}
            if stream.early and self._streams.get(key) is stream:
                stream.timer = asyncio.get_running_loop().call_later(GAP_PATIENCE_S, self._mend, key, stream)

    def _bring_up(self, listener: Listener, key: Key, stream: Stream) -> None:
        if listener not in stream.behind:
            stream.behind.add(listener)
            self._start(self._read_past(listener, key, stream))

    async def _read_past(self, listener: Listener, key: Key, stream: Stream) -> None:
        """Send one follower its past, page by page, at the pace it reads, until it has caught up."""
        try:
            while listener.is_open and (sent := stream.followers.get(listener)) is not None and sent < stream.number:
                # One page at a time for all the accounts a listener catches up on: several at once would be
                # more than a peer that reads well can have read.
                async with listener.catching_up:
                    await listener.writable()
                    entries = await self._read_after(*key, sent, CATCH_UP_PAGE)
                    for entry in entries:
                        if stream.followers.get(listener) != entry.number - 1:
                            return
                        stream.followers[listener] = entry.number
                        listener.hear(self._to_event(entry), None)
                if not entries:
                    return
            if (sent := stream.followers.get(listener)) is not None and sent > stream.number:
                self._mend(key, stream)
        except Exception as error:
            # Not lost: the sweep's next round tries again.
            log.warning("bring_up_failed", extra={"error": type(error).__name__})
        finally:
            stream.behind.discard(listener)

    def _forget(self, key: Key, stream: Stream) -> None:
        if stream.timer is not None:
            stream.timer.cancel()
        del self._streams[key]

    def _start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

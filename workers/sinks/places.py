"""What every sink has in common: it is opened, takes events in order, and says in one word why it does not.

Codes are stored and shown to operators; a secret is in none of them.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from core.sinks.events import Told


class Code(StrEnum):
    """Why a sink took nothing. Stored in sink_cursors.code; never renamed."""

    REFUSED = "refused"  # a 4xx about what it was sent, or an error of Redis' about a command
    TOO_LARGE = "too_large"  # 413, for a single event
    BUSY = "busy"  # 429, 503; a Redis that is loading or full
    ERROR = "error"  # any other 5xx, and answers that are none
    REDIRECT = "redirect"  # 3xx is never followed
    NOT_THERE = "not_there"  # 401, 403, 404, 405, 407, 410; a Redis that lets nobody in
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"
    NO_ADDRESS = "no_address"
    ADDRESS_REFUSED = "address_refused"  # its name leads where PAYHUB_SINK_NETWORKS lets nobody go
    LOG_BROKEN = "log_broken"  # ours: a row is gone that the log points at


# It answered, and what it says is about these events: it is there for others.
ABOUT_EVENTS = frozenset({Code.REFUSED, Code.TOO_LARGE, Code.LOG_BROKEN})


class NotTaken(Exception):
    """The sink did not take this. `after_s`: how long it asked us to wait."""

    def __init__(self, code: Code, after_s: float | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.after_s = after_s


class Taking(Protocol):
    """An open way to a sink."""

    async def take(self, tenant: str, events: Sequence[Told]) -> None:
        """Have it take these, in order, all of them before this returns. Raises NotTaken: some may have been taken."""


class Place(Protocol):
    """A sink."""

    # What it takes at once.
    events_max: int
    bytes_max: int

    def open(self) -> AbstractAsyncContextManager[Taking]:
        """A way to it, for a while. Raises NotTaken."""

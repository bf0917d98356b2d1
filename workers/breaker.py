"""Knows whether a service of others is there, from what came of asking it. Pure: it is told what time it is.

When it failed several times in a row it is asked once in a while and not by everybody; one answer, and all may ask.
"""

from typing import Final

# One failure is a dropped connection; five in a row, with nothing taken between them, are a service that is down.
FAILURES_MAX: Final = 5
# What waits is told within a minute of its return: often enough for that, and seldom enough to be no burden.
PROBE_S: Final = 5.0
# A service that took something so lately is there: what it does not take now is the message's own fault.
HEALTHY_S: Final = 10.0


class Breaker:
    """One service. Times are seconds of a clock that does not jump."""

    def __init__(self) -> None:
        self._failures = 0
        self._probe_at = 0.0
        self._heard_at = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether it is held to be down."""
        return self._failures >= FAILURES_MAX

    def may_ask(self, now: float) -> bool:
        """Whether to ask it now. While it is down, whoever is told yes is the one that tries."""
        if not self.is_open:
            return True
        if now < self._probe_at:
            return False
        self._probe_at = now + PROBE_S
        return True

    def is_healthy(self, now: float) -> bool:
        """Whether it has answered others just now."""
        return not self.is_open and now - self._heard_at < HEALTHY_S

    def heard(self, now: float) -> None:
        """It answered, whatever it said of the message."""
        self._failures = 0
        self._heard_at = now

    def failed(self, now: float, after_s: float | None = None) -> None:
        """It did not answer, or said that it cannot, and perhaps for how long."""
        self._failures += 1
        if after_s is not None:
            # It said so itself: no need to guess.
            self._failures = max(self._failures, FAILURES_MAX)
        if self.is_open:
            self._probe_at = max(self._probe_at, now + max(PROBE_S, after_s or 0.0))

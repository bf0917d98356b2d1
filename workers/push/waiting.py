"""How long a service asks us to wait, as HTTP says it (RFC 9110, 10.2.3). Pure."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from workers.outcome import AFTER_S_MAX

# A date has 29 letters, a number of seconds that means anything far fewer.
LENGTH_MAX: Final = 40


def read_wait(headers: Mapping[bytes, bytes], now: float) -> float | None:
    """Seconds from `now`, never more than AFTER_S_MAX; None: they say nothing that can be read."""
    text = headers.get(b"retry-after", b"")[:LENGTH_MAX].decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), AFTER_S_MAX)
    try:
        at = parsedate_to_datetime(text)
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, min(seconds, AFTER_S_MAX))

"""Between the wire's values and Python's: a field that was left out is None, a moment is RFC 3339."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar, overload

from msgspec import UNSET, UnsetType

from hub.commands.refusal import CommandRefused
from hub.protocol.codes import ErrorCode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")


@overload
def given(value: T | UnsetType) -> T | None: ...


@overload
def given(value: T | UnsetType, otherwise: T) -> T: ...


def given(value: Any, otherwise: Any = None) -> Any:
    """What the client sent; if it left the field out, the other."""
    return otherwise if isinstance(value, UnsetType) else value


def or_unset(value: T | None) -> T | UnsetType:
    """The value of a field that is left out when there is none."""
    return UNSET if value is None else value


@lru_cache(maxsize=64)
def _second(s: int) -> str:
    return datetime.fromtimestamp(s, UTC).strftime("%Y-%m-%dT%H:%M:%S.")


def to_time(us: int) -> str:
    """Microseconds since the epoch as RFC 3339, UTC."""
    return f"{_second(us // 1_000_000)}{us % 1_000_000:06d}Z"


def time_of(at: datetime) -> str:
    """A moment of any zone as RFC 3339, UTC, to the microsecond."""
    return to_time((at - EPOCH) // MICROSECOND)


def time_or_unset(at: datetime | None) -> str | UnsetType:
    """The same of a moment that may not have come."""
    return UNSET if at is None else time_of(at)


def to_datetime(us: int) -> datetime:
    """Microseconds since the epoch as a moment, UTC."""
    return EPOCH + us * MICROSECOND


def from_time(text: str) -> int:
    """Microseconds since the epoch of an RFC 3339 time. Raises CommandRefused when there is no such moment."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandRefused(ErrorCode.INVALID_FIELD, f"{text} is no moment in time.") from None
    return (at - EPOCH) // MICROSECOND

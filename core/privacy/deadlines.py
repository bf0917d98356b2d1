"""By when something is due that is counted in business days: from the day after, to the end of the last one. Pure.

The day of knowledge does not count, and the last one does until its end (Lei 9.784/1998, art. 66), on the clock of the
institution. Business days are those of core/payments/calendar.py: carnival and Corpus Christi, on which the federal
administration rests by an order of each year's, are none.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.payments.calendar import is_business_day

# Resolução CD/ANPD 15/2024: art. 6 and 9; art. 6, § 3. For small agents twice as many (art. 6, § 8; art. 9, § 6).
TELL_DAYS: Final = 3
COMPLEMENT_DAYS: Final = 20


def due_by(known_at: datetime, days: int, country: str, time_zone: str) -> datetime:
    """The first moment (UTC) that is too late for what is due within so many business days of a moment."""
    zone = ZoneInfo(time_zone)
    last = last_day(known_at.astimezone(zone).date(), days, country)
    return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)


def last_day(known_on: date, days: int, country: str) -> date:
    """The day on which so many business days after a day are over."""
    day = known_on
    while days:
        day += timedelta(days=1)
        days -= is_business_day(country, day)
    return day


def doubled(days: int, *, is_small_agent: bool) -> int:
    """As many days as this institution has."""
    return 2 * days if is_small_agent else days

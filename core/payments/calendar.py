"""On which days things happen: rules that name dates, and the days on which a country's banks work. Pure.

Whether a day is a holiday comes from the `holidays` package. Countries that it does not know have weekends only.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from holidays import country_holidays
from holidays.constants import BANK, OPTIONAL, PUBLIC

# Loads all countries now, a quarter of a second: later it would be in the way of payments.
from holidays.countries.brazil import Brazil
from holidays.holiday_base import HolidayBase

from core.errors import Refusal

# Nothing is planned beyond this day: the tables of movable feasts end here.
LAST_DAY = date(2099, 12, 31)
# Every month everywhere has as many business days, weeks of holidays included; and paydays come early.
NTH_MAX = 10
SUNDAY = 6
# As the package names them in English; tests/core/payments/test_calendar.py looks for them in every year.
BANKS_ALONE_REST_IN_BRAZIL = frozenset({"Carnival", "Corpus Christi"})
ONE_DAY = timedelta(days=1)


class Rule(IntEnum):
    """Which days a schedule names. Stored in schedules.rule."""

    ONCE = 0
    DAILY = 1
    WEEKLY = 2  # on the weekday of the first day
    MONTHLY = 3  # on the day of the month; on the last day of a month that is too short
    YEARLY = 4  # on the day and month of the first day; 29 February is the 28th in other years
    EVERY_BUSINESS_DAY = 5
    NTH_BUSINESS_DAY = 6  # of the month, as banks count
    NTH_WORKING_DAY = 7  # of the month, as labour law counts: payday


class Closed(IntEnum):
    """What happens to a day on which banks are closed. Stored in schedules.on_closed."""

    SAME = 0  # nothing: money moves here every day
    BEFORE = 1
    AFTER = 2


class Plan(NamedTuple):
    """A series of dates. `day`: of the month (MONTHLY) or the n of an nth day; else None.

    The series ends with `until` (inclusive), after `times` dates, or never. `at` is local time.
    """

    rule: Rule
    first_on: date
    at: time
    day: int | None = None
    on_closed: Closed = Closed.SAME
    until: date | None = None
    times: int | None = None


class Place(NamedTuple):
    """Whose holidays (ISO 3166-1 alpha-2) and whose clock (tz database)."""

    country: str
    time_zone: str


class Occurrence(NamedTuple):
    """One date of a series: its number from 1, the date that the rule names, and the moment it is due (UTC)."""

    number: int
    day: date
    due_at: datetime


def check_plan(plan: Plan) -> None:
    """Raise Refusal, naming the field, if the parts of a plan do not go together."""
    nth = plan.rule in {Rule.NTH_BUSINESS_DAY, Rule.NTH_WORKING_DAY}
    if (plan.day is not None) != (nth or plan.rule == Rule.MONTHLY):
        raise Refusal("invalid_field", "Monthly and nth days have a day, and no other rule has.", field="day")
    if nth and plan.day is not None and plan.day > NTH_MAX:
        raise Refusal("invalid_field", f"The {NTH_MAX}th is the last that every month has.", field="day")
    if plan.rule == Rule.DAILY and plan.on_closed != Closed.SAME:
        # Three payments on a Monday are never meant.
        raise Refusal("invalid_field", "Use every_business_day.", field="on_closed")
    if plan.rule == Rule.ONCE and (plan.until, plan.times) != (None, None):
        raise Refusal("invalid_field", "Once is once.", field="times" if plan.until is None else "until")
    if plan.until is not None and plan.times is not None:
        raise Refusal("invalid_field", "A series ends on a day or after so many dates, not both.", field="times")


def occurrences(plan: Plan, place: Place, *, after: Occurrence | None = None) -> Iterator[Occurrence]:
    """The dates of a plan in order, from its first, or those that follow `after`."""
    number, day = (0, plan.first_on - ONE_DAY) if after is None else (after.number, after.day)
    while plan.times is None or number < plan.times:
        following = _next_day(plan, place.country, day)
        if following is None or following > (plan.until or LAST_DAY):
            return
        number, day = number + 1, following
        yield Occurrence(number, day, due_at(plan, place, day))


def due_at(plan: Plan, place: Place, day: date) -> datetime:
    """The moment at which the plan's local time comes on this day, or on the business day it is moved to, in UTC.

    A local time that a clock change leaves out comes as much later, one that occurs twice the first time
    (RFC 5545 §3.3.5).
    """
    moved = move(place.country, day, plan.on_closed)
    return datetime.combine(moved, plan.at, ZoneInfo(place.time_zone)).astimezone(UTC)


def move(country: str, day: date, on_closed: Closed) -> date:
    """The day itself if banks are open on it or it is not to be moved, or the nearest such day before or after."""
    step = ONE_DAY if on_closed == Closed.AFTER else -ONE_DAY
    while on_closed != Closed.SAME and not is_business_day(country, day):
        day += step
    return day


def has_holidays(country: str) -> bool:
    """Whether this country's holidays are known. If not, all its weekdays are business days."""
    return type(_holidays(country)) is not HolidayBase


def is_business_day(country: str, day: date) -> bool:
    """Whether banks settle on this day.

    In Brazil: not on Saturdays, Sundays and national holidays, nor on carnival Monday and Tuesday and Corpus Christi
    (CMN Resolution 4,880/2020, art. 6, as FEBRABAN and ANBIMA list it). 31 December, when branches serve nobody, is
    a business day: reserves move. State and city holidays are not known here and close no bank.
    """
    if country == "BR" and _optional_in_brazil().get(day) in BANKS_ALONE_REST_IN_BRAZIL:
        return False
    return _holidays(country).is_working_day(day)


def is_working_day(country: str, day: date) -> bool:
    """Whether this day counts towards the day on which wages are due.

    In Brazil Saturdays count, and so do carnival and Corpus Christi, which are holidays of banks and cities alone
    (CLT art. 459 §1, Instrução Normativa SRT/MTb 1/1989). Elsewhere it is a business day.
    """
    if country != "BR":
        return is_business_day(country, day)
    return day.weekday() != SUNDAY and day not in _holidays(country)


def _next_day(plan: Plan, country: str, after: date) -> date | None:
    """The first day later than `after` that the rule names; none after LAST_DAY."""
    first = max(plan.first_on, after + ONE_DAY)
    match plan.rule:
        case Rule.ONCE:
            return plan.first_on if after < plan.first_on else None
        case Rule.DAILY:
            return first
        case Rule.WEEKLY:
            return first + timedelta(days=(plan.first_on - first).days % 7)
        case Rule.EVERY_BUSINESS_DAY:
            return move(country, first, Closed.AFTER)
        case Rule.YEARLY:
            years = (first.year, first.year + 1)
            candidates = (_in_month(year, plan.first_on.month, plan.first_on.day) for year in years)
        case _:
            months = (first, first.replace(day=1) + timedelta(days=31))
            candidates = (_of_month(plan, country, month.year, month.month) for month in months)
    return next(day for day in candidates if day >= first)


def _of_month(plan: Plan, country: str, year: int, month: int) -> date:
    assert plan.day is not None, "this rule has a day"
    if plan.rule == Rule.MONTHLY:
        return _in_month(year, month, plan.day)
    return _counted_days(plan.rule, country, year, month)[plan.day - 1]


@lru_cache(maxsize=1_000)
def _counted_days(rule: Rule, country: str, year: int, month: int) -> list[date]:
    """A month's business or working days. Kept, because on a payday thousands ask for the same."""
    counts = is_business_day if rule == Rule.NTH_BUSINESS_DAY else is_working_day
    days = (date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1))
    return [day for day in days if counts(country, day)]


def _in_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


@lru_cache(maxsize=300)
def _holidays(country: str) -> HolidayBase:
    """The country's holidays, its banks' included. A year is worked out when it is first asked for, and kept."""
    try:
        known = country_holidays(country)
    except NotImplementedError:
        return HolidayBase()
    return country_holidays(country, categories=(PUBLIC, BANK)) if BANK in known.supported_categories else known


@lru_cache(maxsize=1)
def _optional_in_brazil() -> HolidayBase:
    return Brazil(categories=OPTIONAL, language="en_US")

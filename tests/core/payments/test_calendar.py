"""Dates: rules that name them, banks that are closed on them, clocks that skip or repeat an hour of them."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise

import pytest
from holidays import list_supported_countries
from hypothesis import given
from hypothesis import strategies as some

from core.errors import Refusal
from core.payments.calendar import (
    LAST_DAY,
    NTH_MAX,
    Closed,
    Occurrence,
    Place,
    Plan,
    Rule,
    check_plan,
    has_holidays,
    is_business_day,
    is_working_day,
    move,
    occurrences,
)

BRAZIL = Place("BR", "America/Sao_Paulo")
SIX = time(6)


def days(plan: Plan, place: Place = BRAZIL, count: int = 12) -> list[str]:
    return [one.day.isoformat() for one in islice(occurrences(plan, place), count)]


def paid_on(plan: Plan, place: Place = BRAZIL, count: int = 12) -> list[str]:
    """The days on which money moves, in UTC, which at six in the morning is the local day."""
    return [one.due_at.date().isoformat() for one in islice(occurrences(plan, place), count)]


def months_of(year: int) -> list[list[date]]:
    first = date(year, 1, 1)
    every = [first + timedelta(days=at) for at in range(366) if (first + timedelta(days=at)).year == year]
    return [[day for day in every if day.month == month] for month in range(1, 13)]


def closed_weekdays(year: int) -> set[str]:
    """The weekdays on which Brazilian banks rest."""
    return {
        day.isoformat()
        for month in months_of(year)
        for day in month
        if day.weekday() < 5 and not is_business_day("BR", day)
    }


# The lists that FEBRABAN publishes at feriadosbancarios.febraban.org.br, without Saturdays and Sundays.
FEBRABAN = {
    2024: {"01-01", "02-12", "02-13", "03-29", "05-01", "05-30", "11-15", "11-20", "12-25"},
    2025: {"01-01", "03-03", "03-04", "04-18", "04-21", "05-01", "06-19", "11-20", "12-25"},
    2026: {"01-01", "02-16", "02-17", "04-03", "04-21", "05-01", "06-04", "09-07", "10-12", "11-02", "11-20", "12-25"},
    2027: {"01-01", "02-08", "02-09", "03-26", "04-21", "05-27", "09-07", "10-12", "11-02", "11-15"},
}


@pytest.mark.parametrize("year", FEBRABAN)
def test_banks_in_brazil_rest_on_the_days_that_they_publish(year: int) -> None:
    expected = FEBRABAN[year]
    assert closed_weekdays(year) == {f"{year}-{day}" for day in expected}


def test_the_last_day_of_the_year_and_ash_wednesday_are_business_days_in_brazil() -> None:
    for day in (date(2026, 12, 31), date(2026, 12, 24), date(2026, 2, 18), date(2026, 10, 28)):
        assert is_business_day("BR", day), day


def test_carnival_and_corpus_christi_close_banks_in_every_year_to_come() -> None:
    """Two days and one: 48 and 47 days before Easter, and 60 after. A package that renames them would be noticed."""
    for year in range(2024, LAST_DAY.year + 1):
        # Days on which banks rest and labour does not, Saturdays apart.
        banks_alone = sorted(
            day
            for month in months_of(year)
            for day in month
            if day.weekday() < 5 and is_working_day("BR", day) and not is_business_day("BR", day)
        )
        monday, tuesday, corpus_christi = banks_alone
        assert (monday.weekday(), tuesday - monday) == (0, timedelta(days=1))
        assert corpus_christi - tuesday == timedelta(days=107)


def test_a_country_without_data_has_weekends_only() -> None:
    assert not has_holidays("XX")
    assert has_holidays("BR")
    week = [date(2026, 12, 21) + timedelta(days=at) for at in range(7)]
    assert [is_business_day("XX", day) for day in week] == [True] * 5 + [False] * 2
    assert [is_working_day("XX", day) for day in week] == [True] * 5 + [False] * 2


def test_other_countries_have_their_own_weekends_and_bank_holidays() -> None:
    assert is_business_day("EG", date(2026, 11, 22))  # a Sunday
    assert not is_business_day("EG", date(2026, 11, 20))  # a Friday
    assert not is_business_day("PT", date(2026, 4, 3))  # Good Friday
    assert not is_business_day("US", date(2026, 7, 3))  # the Fourth, observed
    assert not is_business_day("JP", date(2026, 12, 31))  # banks alone


def test_every_month_everywhere_has_the_business_days_that_can_be_asked_for() -> None:
    for country in list_supported_countries(include_aliases=False):
        for month in months_of(2026):
            assert sum(is_business_day(country, day) for day in month) >= NTH_MAX, (country, month[0])


def test_the_fifth_business_day_is_the_banks_fifth() -> None:
    plan = Plan(Rule.NTH_BUSINESS_DAY, date(2026, 1, 1), SIX, day=5)
    assert days(plan, count=4) == ["2026-01-08", "2026-02-06", "2026-03-06", "2026-04-08"]


def test_payday_counts_saturdays_and_carnival_and_is_paid_before_a_saturday() -> None:
    """CLT art. 459 §1 with Instrução Normativa SRT/MTb 1/1989: wages are there by then, at the latest."""
    plan = Plan(Rule.NTH_WORKING_DAY, date(2026, 1, 1), SIX, day=5, on_closed=Closed.BEFORE)
    assert days(plan, count=9)[-1] == "2026-09-05"  # a Saturday
    assert paid_on(plan, count=9)[-1] == "2026-09-04"
    assert days(plan, count=1) == ["2026-01-07"]  # Friday the 2nd, Saturday the 3rd, 5th, 6th, 7th
    # In 2025, carnival fell into the first five: labour's days, not the banks'.
    march = Plan(Rule.NTH_WORKING_DAY, date(2025, 3, 1), SIX, day=5)
    assert days(march, count=1) == ["2025-03-06"]
    assert days(march._replace(rule=Rule.NTH_BUSINESS_DAY), count=1) == ["2025-03-11"]


def test_the_last_day_of_a_month_stays_the_last() -> None:
    plan = Plan(Rule.MONTHLY, date(2027, 12, 31), SIX, day=31)
    assert days(plan, count=5) == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]
    assert days(plan._replace(day=30), count=4) == ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30"]


def test_the_31st_before_is_the_last_business_day() -> None:
    plan = Plan(Rule.MONTHLY, date(2026, 1, 1), SIX, day=31, on_closed=Closed.BEFORE)
    assert paid_on(plan, count=6) == [
        "2026-01-30",
        "2026-02-27",
        "2026-03-31",
        "2026-04-30",
        "2026-05-29",
        "2026-06-30",
    ]


def test_leap_day_is_the_28th_in_other_years() -> None:
    plan = Plan(Rule.YEARLY, date(2028, 2, 29), SIX)
    assert days(plan, count=5) == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


def test_rent_in_carnival_is_moved_as_asked() -> None:
    plan = Plan(Rule.ONCE, date(2026, 2, 16), SIX)
    assert paid_on(plan) == ["2026-02-16"]
    assert paid_on(plan._replace(on_closed=Closed.AFTER)) == ["2026-02-18"]
    assert paid_on(plan._replace(on_closed=Closed.BEFORE)) == ["2026-02-13"]


def test_every_business_day_leaves_out_weekends_and_holidays() -> None:
    plan = Plan(Rule.EVERY_BUSINESS_DAY, date(2026, 2, 13), SIX, times=4)
    assert days(plan) == ["2026-02-13", "2026-02-18", "2026-02-19", "2026-02-20"]


def test_a_series_ends_on_its_day_after_its_times_or_never() -> None:
    weekly = Plan(Rule.WEEKLY, date(2026, 12, 2), SIX)
    assert days(weekly._replace(until=date(2026, 12, 16))) == ["2026-12-02", "2026-12-09", "2026-12-16"]
    assert days(weekly._replace(until=date(2026, 12, 15))) == ["2026-12-02", "2026-12-09"]
    assert days(weekly._replace(times=2)) == ["2026-12-02", "2026-12-09"]
    assert days(weekly._replace(until=date(2026, 12, 1))) == []
    assert days(Plan(Rule.ONCE, date(2026, 12, 2), SIX)) == ["2026-12-02"]
    assert days(Plan(Rule.DAILY, LAST_DAY, SIX)) == [LAST_DAY.isoformat()]
    assert days(Plan(Rule.YEARLY, date(2099, 3, 1), SIX)) == ["2099-03-01"]


@pytest.mark.parametrize(
    ("local", "day", "utc"),
    [
        # New York puts its clocks forward at 2:00 on 14 March 2027: half past two comes as half past three.
        (time(2, 30), date(2027, 3, 14), datetime(2027, 3, 14, 7, 30, tzinfo=UTC)),
        (time(3, 30), date(2027, 3, 14), datetime(2027, 3, 14, 7, 30, tzinfo=UTC)),
        # And back at 2:00 on 7 November: half past one comes twice, and the first one counts.
        (time(1, 30), date(2027, 11, 7), datetime(2027, 11, 7, 5, 30, tzinfo=UTC)),
        (time(6, 0), date(2027, 11, 6), datetime(2027, 11, 6, 10, 0, tzinfo=UTC)),
        (time(6, 0), date(2027, 11, 7), datetime(2027, 11, 7, 11, 0, tzinfo=UTC)),
    ],
)
def test_a_clock_change_moves_no_payment_by_more_than_itself(local: time, day: date, utc: datetime) -> None:
    (one,) = occurrences(Plan(Rule.ONCE, day, local), Place("US", "America/New_York"))
    assert one.due_at == utc


def test_a_day_that_a_country_left_out_is_paid_on_the_next() -> None:
    """Samoa had no 30 December 2011."""
    (one,) = occurrences(Plan(Rule.ONCE, date(2011, 12, 30), SIX), Place("WS", "Pacific/Apia"))
    assert one.due_at == datetime(2011, 12, 30, 16, 0, tzinfo=UTC)  # 31 December, six in the morning


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan(Rule.MONTHLY, date(2027, 1, 1), SIX), "day"),
        (Plan(Rule.NTH_BUSINESS_DAY, date(2027, 1, 1), SIX), "day"),
        (Plan(Rule.NTH_WORKING_DAY, date(2027, 1, 1), SIX, day=NTH_MAX + 1), "day"),
        (Plan(Rule.WEEKLY, date(2027, 1, 1), SIX, day=3), "day"),
        (Plan(Rule.DAILY, date(2027, 1, 1), SIX, on_closed=Closed.AFTER), "on_closed"),
        (Plan(Rule.ONCE, date(2027, 1, 1), SIX, times=1), "times"),
        (Plan(Rule.ONCE, date(2027, 1, 1), SIX, until=date(2027, 1, 1)), "until"),
        (Plan(Rule.WEEKLY, date(2027, 1, 1), SIX, until=date(2028, 1, 1), times=9), "times"),
    ],
)
def test_a_plan_that_does_not_go_together_is_refused_by_its_field(plan: Plan, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_plan(plan)
    assert (refused.value.code, refused.value.field) == ("invalid_field", field)


plans = some.builds(
    Plan,
    some.sampled_from([rule for rule in Rule if rule != Rule.ONCE]),
    some.dates(date(2024, 1, 1), date(2069, 1, 1)),  # thirty years before the last day
    some.times().map(lambda at: at.replace(microsecond=0, fold=0)),
    some.integers(1, NTH_MAX),
    some.sampled_from(Closed),
    some.none(),
    some.integers(1, 30),
)
places = some.sampled_from([BRAZIL, Place("US", "America/New_York"), Place("PT", "Europe/Lisbon"), Place("XX", "UTC")])


@given(plans, places)
def test_dates_go_forward_and_going_on_from_any_of_them_gives_the_rest(plan: Plan, place: Place) -> None:
    whole = list(occurrences(plan, place))
    assert [one.number for one in whole] == list(range(1, len(whole) + 1))
    assert len(whole) == plan.times
    assert all(one.day >= plan.first_on for one in whole)
    for one, following in pairwise(whole):
        assert one.day < following.day
        assert one.due_at <= following.due_at
    middle = whole[len(whole) // 2]
    assert list(occurrences(plan, place, after=middle)) == whole[middle.number :]
    # What a pause relies on: going on from the day before a date finds the date again.
    before = Occurrence(middle.number - 1, middle.day - timedelta(days=1), middle.due_at)
    assert next(occurrences(plan, place, after=before)) == middle


@given(some.dates(date(2024, 1, 1), date(2098, 12, 31)), some.sampled_from(["BR", "US", "JP", "EG", "XX"]))
def test_a_moved_day_is_the_nearest_business_day_on_its_side(day: date, country: str) -> None:
    before, after = move(country, day, Closed.BEFORE), move(country, day, Closed.AFTER)
    assert before <= day <= after
    assert move(country, day, Closed.SAME) == day
    assert is_business_day(country, before)
    assert is_business_day(country, after)
    between = [before + timedelta(days=at) for at in range(1, (after - before).days)]
    assert not any(is_business_day(country, one) for one in between)
    assert (before == after) == is_business_day(country, day)

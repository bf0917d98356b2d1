"""When it is tried again: the published schedule, with jitter, and knocks that use up no try."""

import itertools
import random
from datetime import UTC, datetime, timedelta

from core.webhooks.schedule import (
    KNOCK_S,
    KNOCKS_LAST,
    TRIES_MAX,
    WAITS_S,
    Failing,
    after_failure,
    after_refusal,
    rest,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def middle() -> float:
    return 0.5


def test_ten_tries_over_the_published_75_hours_35_minutes_and_5_seconds() -> None:
    failing, at, moments = Failing(0, None, None), AT, [AT]
    while (following := after_failure(failing, at, middle)) is not None:
        # Between two that count, somebody knocks, and no try is used up.
        if following.due_at < following.again_at:
            knocked = after_failure(
                Failing(failing.tries + following.counts, failing.since or AT, following.again_at),
                following.due_at,
                middle,
            )
            assert knocked is not None and not knocked.counts and knocked.again_at == following.again_at
        failing = Failing(failing.tries + following.counts, failing.since or at, following.again_at)
        at = following.again_at
        moments.append(at)
    waits = [int((later - before).total_seconds()) for before, later in itertools.pairwise(moments)]
    assert waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert len(moments) == TRIES_MAX == 10
    assert moments[-1] - AT == timedelta(hours=75, minutes=35, seconds=5)


def test_every_wait_is_within_a_tenth_and_they_differ() -> None:
    dice = random.Random(7)
    for tries, wait in enumerate(WAITS_S):
        found = set()
        for _ in range(200):
            following = after_failure(Failing(tries, AT - timedelta(hours=9), None), AT, dice.random)
            assert following is not None
            seconds = (following.again_at - AT).total_seconds()
            assert 0.9 * wait <= seconds <= 1.1 * wait
            found.add(seconds)
        assert len(found) > 150


def test_somebody_knocks_within_30_seconds_for_six_hours() -> None:
    dice = random.Random(7)
    for hours, knocks in ((0, True), (5.9, True), (6.1, False)):
        since = AT - timedelta(hours=hours)
        following = after_failure(Failing(4, since, AT + timedelta(hours=2)), AT, dice.random)
        assert following is not None and not following.counts
        assert ((following.due_at - AT).total_seconds() <= KNOCK_S) is knocks
    assert timedelta(hours=6) == KNOCKS_LAST


def test_what_they_ask_us_to_wait_is_waited_up_to_an_hour() -> None:
    for asked, waited in ((120.0, 120), (10**9, 3_600)):
        following = after_failure(Failing(0, None, None), AT, middle, asked)
        assert following is not None
        assert (following.due_at - AT).total_seconds() == waited
        assert following.again_at >= following.due_at
        assert (rest(0, AT, asked) - AT).total_seconds() == waited


def test_one_refused_event_is_given_up_after_five_tries_in_less_than_five_minutes() -> None:
    at, tries = AT, 0
    while (due_at := after_refusal(tries, at, lambda: 0.999)) is not None:
        at, tries = due_at, tries + 1
    assert tries + 1 == 5
    assert at - AT < timedelta(minutes=5)


def test_a_place_that_failed_once_rests_a_second_and_never_longer_than_a_knock() -> None:
    assert [(rest(fails, AT) - AT).total_seconds() for fails in (0, 1, 2, 5, 6, 10_000)] == [1, 2, 4, 30, 30, 30]

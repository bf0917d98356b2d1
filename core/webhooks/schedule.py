"""When an event that was not taken is brought again, and when it is given up. Pure: the clock and the dice are given.

Two things go wrong in two ways. A *place* fails: nobody answers, or whatever is brought is answered with an error.
Then the tries follow the schedule of Standard Webhooks, and beside it somebody knocks every 30 seconds for some hours,
which uses up no try, so that whoever comes back is told within a minute. An *event* is refused by a place that takes
others: it is brought a few times within minutes and then set aside, because the account's other events wait behind it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

# After each try that counts, until the next one: ten tries over 75 hours, 35 minutes and 5 seconds.
WAITS_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
TRIES_MAX: Final = len(WAITS_S) + 1
# Longer than ten tries can take: whoever fails now in one way and now in the other is given up, too.
LASTS_MAX: Final = timedelta(hours=84)
# So that what failed together does not come back together.
JITTER: Final = 0.1
# A minute, less the 15 seconds that the knock before may have hung, and as long for what has waited.
KNOCK_S: Final = 30.0
# Most outages are over by then; whoever is away for longer is told by the schedule.
KNOCKS_LAST: Final = timedelta(hours=6)
# Of an event that is refused by itself: five tries in less than five minutes.
REFUSED_WAITS_S: Final = (5, 15, 60, 180)
REFUSED_TRIES_MAX: Final = len(REFUSED_WAITS_S) + 1
# So many set aside and none taken between: it is not the events.
ASIDES_IN_ROW_MAX: Final = 3
# Longer than they ask and it is not believed.
AFTER_S_MAX: Final = 3_600.0

Draw = Callable[[], float]


class Failing(NamedTuple):
    """What is known of the failures of one event: tries that count, since when, and when the next one counts."""

    tries: int
    since: datetime | None
    again_at: datetime | None


class Next(NamedTuple):
    """What is done: the failure counts or not; tried again at `due_at`; the next that counts is at `again_at`."""

    counts: bool
    due_at: datetime
    again_at: datetime


def after_failure(failing: Failing, at: datetime, draw: Draw, after_s: float | None = None) -> Next | None:
    """When it is brought again to a place that fails; None: its tries are used up.

    `draw`: uniform in [0, 1). `after_s`: how long they asked us to wait.
    """
    counts = failing.again_at is None or at >= failing.again_at
    tries = failing.tries + counts
    if tries >= TRIES_MAX or at - (failing.since or at) > LASTS_MAX:
        return None
    again_at = failing.again_at
    if counts or again_at is None:
        again_at = at + timedelta(seconds=_jittered(WAITS_S[tries - 1], draw))
    due_at = again_at
    if at - (failing.since or at) < KNOCKS_LAST:
        due_at = min(again_at, at + timedelta(seconds=KNOCK_S * (1 - JITTER * draw())))
    if after_s is not None:
        due_at = max(due_at, at + timedelta(seconds=min(after_s, AFTER_S_MAX)))
        again_at = max(again_at, due_at)
    return Next(counts, due_at, again_at)


def after_refusal(tries: int, at: datetime, draw: Draw) -> datetime | None:
    """When an event is brought again that alone was refused, for the `tries`-th time before; None: it is set aside."""
    if tries + 1 >= REFUSED_TRIES_MAX:
        return None
    return at + timedelta(seconds=_jittered(REFUSED_WAITS_S[tries], draw))


def rest(fails: int, at: datetime, after_s: float | None = None) -> datetime:
    """Until when nobody knocks at a place that has failed, after `fails` failures in a row before this one.

    A second after the first, which may be one event's fault, and others wait for it; not longer than a knock.
    """
    wait_s = min(2.0 ** min(fails, 10), KNOCK_S)
    return at + timedelta(seconds=wait_s if after_s is None else max(wait_s, min(after_s, AFTER_S_MAX)))


def _jittered(seconds: float, draw: Draw) -> float:
    return seconds * (1 + JITTER * (2 * draw() - 1))

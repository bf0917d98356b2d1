"""What a hub counts of each tenant's payments, second by second. Time is a number here."""

from hub.presence import DEPARTURES_MAX, Departure, Departures
from hub.traffic import KEPT_S, SHOWN_S, Second, Traffic, count_pairs, merge, percentile_us

POSTED, REFUSED = 0, 8


def test_a_second_is_told_when_it_is_over() -> None:
    traffic = Traffic()
    traffic.count({(1, POSTED): 3}, 0.002, 100.9)
    assert traffic.past(1, 100.99) == []
    assert [one.counts for one in traffic.past(1, 101.0)] == [{POSTED: 3}]


def test_tenants_and_statuses_are_counted_apart() -> None:
    traffic = Traffic()
    pairs = count_pairs([1, 1, 2, 1], [POSTED, REFUSED, POSTED, POSTED])
    traffic.count(pairs, 0.002, 100.0)
    traffic.count(pairs, 0.002, 100.5)
    assert traffic.past(1, 101.0)[0].counts == {POSTED: 4, REFUSED: 2}
    assert traffic.past(2, 101.0)[0].counts == {POSTED: 2}
    assert traffic.past(3, 101.0) == []


def test_what_is_older_than_two_minutes_is_neither_told_nor_kept() -> None:
    traffic = Traffic()
    for at in range(1_000):
        traffic.count({(1, POSTED): 1}, 0.001, float(at))
    assert len(traffic.past(1, 1_000.0)) == SHOWN_S
    assert len(traffic._tenants[1]) <= KEPT_S + 1


def test_a_clock_that_is_set_back_counts_everything_once() -> None:
    traffic = Traffic()
    for at in (100.0, 99.0, 101.0):
        traffic.count({(1, POSTED): 1}, 0.001, at)
    assert [(one.at, one.counts[POSTED]) for one in traffic.past(1, 102.0)] == [(100, 2), (101, 1)]


def test_percentiles_are_never_better_than_it_was() -> None:
    traffic = Traffic()
    for took_s, count in ((0.001, 98), (0.030, 1), (0.2, 1)):
        traffic.count({(1, POSTED): count}, took_s, 100.0)
    took = traffic.past(1, 101.0)[0].took
    p50, p99, slowest = (percentile_us(took, share) for share in (0.5, 0.99, 1.0))
    assert p50 is not None and p99 is not None and slowest is not None
    assert 1_000 <= p50 < 1_300
    assert 30_000 <= p99 < 38_000
    assert 200_000 <= slowest < 255_000
    assert percentile_us({}, 0.5) is None
    traffic.count({(1, POSTED): 1}, 3_600.0, 102.0)
    assert percentile_us(traffic.past(1, 103.0)[-1].took, 0.99) is not None


def test_hubs_add_up() -> None:
    here, there = Second(7, {POSTED: 2}, {4: 2}), Second(7, {POSTED: 1, REFUSED: 1}, {9: 2})
    assert merge([there, Second(6, {POSTED: 1}, {1: 1}), here]) == [
        Second(6, {POSTED: 1}, {1: 1}),
        Second(7, {POSTED: 3, REFUSED: 1}, {4: 2, 9: 2}),
    ]


def departure(person: str, at: float) -> Departure:
    return Departure(person, "customer", "session", "web", None, 0.0, at, 1006, False)


def test_the_latest_departures_are_kept_each_tenants_by_themselves() -> None:
    departures = Departures()
    departures.note(2, departure("quiet", 0.0))
    for at in range(DEPARTURES_MAX * 2):
        departures.note(1, departure("even" if at % 2 == 0 else "odd", float(at)))
    assert [one.person_id for one in departures.latest(2, None, 10)] == ["quiet"]
    assert [one.at for one in departures.latest(1, "even", 2)] == [DEPARTURES_MAX * 2 - 2.0, DEPARTURES_MAX * 2 - 4.0]
    assert len(departures.latest(1, None, 1_000)) == DEPARTURES_MAX

"""Whether a service is held to be there."""

from workers.breaker import FAILURES_MAX, HEALTHY_S, PROBE_S, Breaker


def test_a_breaker_asks_once_in_a_while_and_believes_the_first_answer() -> None:
    one = Breaker()
    for _ in range(FAILURES_MAX - 1):
        one.failed(0.0)
        assert one.may_ask(0.0)
    one.failed(0.0)
    assert not one.may_ask(PROBE_S - 0.1)
    assert [one.may_ask(PROBE_S) for _ in range(3)] == [True, False, False]
    one.failed(PROBE_S)
    assert not one.may_ask(2 * PROBE_S - 0.1)
    one.heard(PROBE_S)
    assert all(one.may_ask(PROBE_S) for _ in range(3))


def test_a_breaker_keeps_to_what_the_service_asked_for() -> None:
    one = Breaker()
    one.failed(0.0, 60.0)
    assert not one.may_ask(59.0)
    assert one.may_ask(60.0)


def test_a_service_is_healthy_while_it_answers_others() -> None:
    one = Breaker()
    assert not one.is_healthy(0.0)
    one.heard(100.0)
    assert one.is_healthy(100.0 + HEALTHY_S - 0.1)
    assert not one.is_healthy(100.0 + HEALTHY_S)
    for _ in range(FAILURES_MAX):
        one.failed(101.0)
    assert not one.is_healthy(101.0)

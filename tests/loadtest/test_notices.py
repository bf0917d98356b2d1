"""The load tests of notices and of fan-out, small and on one stack: nothing is lost, nothing comes twice."""

from loadtest.fan_out import fan_out_on
from loadtest.notices import measure_on, ports_in_row, settings_of
from loadtest.report import Reporter
from loadtest.stack import running_stack


async def test_queues_are_handed_over_fallbacks_begin_on_time_and_an_event_comes_to_all_sockets() -> None:
    quiet, port = Reporter(True), ports_in_row()
    with running_stack(1, [settings_of(port + 2)]) as stack:
        figures = await measure_on(
            stack, quiet, first_port=port, notices=200, people=20, rate=40, seconds=0.5, provider="web", dkim="rsa"
        )
        told = await fan_out_on(stack, quiet, sockets=100, rounds=2)
    assert figures["push"]["per_second"] > 0
    assert figures["mail"]["per_second"] > 0
    for road in ("push", "mail"):
        late = figures["late"][road]
        # Nothing leaves before its deadline.
        assert 0 <= late["p50_s"] <= late["p95_s"] <= late["worst_s"]
        assert late["within_1_s"] > 0.5
    assert (told["sockets"], told["rounds"]) == (100, 2)
    assert 0 < told["first_to_last_ms"] <= told["first_to_last_worst_ms"]

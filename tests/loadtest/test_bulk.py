"""The load test of bulks, small: figures are there and memory is bounded. A million lines are a command of their own."""

from typing import Any

import pytest

from tests.loadtest.test_commands import load_test


@pytest.mark.parametrize("how", [[], ["--atomic"]])
def test_a_bulk_is_sent_checked_approved_and_posted_in_little_memory(how: list[str]) -> None:
    figures: dict[str, Any] = load_test("bulk", "--lines", 20_000, "--hubs", 1, *how)
    assert (figures["lines"], figures["atomic"]) == (20_000, bool(how))
    assert min(figures[f"{what}_per_second"] for what in ("checked", "posted")) > 0
    assert 0 <= figures["hub_grown_mb"] < 100
    assert 0 <= figures["worker_grown_mb"] < 100

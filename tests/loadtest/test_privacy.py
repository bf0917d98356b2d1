"""The load test of people's rights, small: figures are there, right and bounded. 100,000 are a command of their own."""

from typing import Any

from tests.loadtest.test_commands import load_test


def test_payments_are_exported_people_erased_and_an_incident_counted() -> None:
    figures: dict[str, Any] = load_test("privacy", "--payments", 12_000, "--persons", 60, "--hubs", 1)
    assert (figures["payments"], figures["pdf_volumes"]) == (12_000, 2)
    assert figures["export_seconds"] < 60
    assert figures["json_mb"] > 1
    # One volume being set, whatever there is to tell.
    assert 0 < figures["worker_grown_mb"] < 400
    assert 0 < figures["erasure_ms"] <= figures["unreadable_ms"]
    # Everybody of the tenant who is left: 60 people, its operator, the load test's, and whoever was paid.
    assert figures["incident_persons"] == 63
    assert figures["incident_seconds"] < 10

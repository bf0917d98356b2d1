"""Runs the load tests as a stranger does: by their command line, on a stack that they start themselves."""

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtest.berka import write_synthetic
from loadtest.stack import TENANT, running_stack

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS_MAX = 300
ACCOUNTS_OF_SLICE = 60
# They wait for time to pass, several stacks one after another: minutes of a suite that has fifteen.
LONG = pytest.mark.skipif(not os.environ.get("PAYHUB_LONG"), reason="takes minutes: PAYHUB_LONG=1")
SIBLING = REPOSITORY.parent / "shared" / "data" / "berka" / "transactions.csv.gz"


def real_file() -> Path | None:
    """The bank's file, where somebody has put it; it is not in the repository."""
    given = os.environ.get("PAYHUB_BERKA_FILE")
    if given:
        return Path(given)
    return SIBLING if SIBLING.exists() else None


def load_test(*arguments: object) -> dict[str, Any]:
    """What `python -m loadtest … --json` says; one JSON object alone."""
    done = subprocess.run(
        [sys.executable, "-m", "loadtest", *map(str, arguments), "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def assert_right(figures: dict[str, Any], accounts: int, transactions: int) -> None:
    assert (figures["accounts"], figures["transactions"]) == (accounts, transactions)
    assert figures["posted"] == transactions
    assert figures["refused"] == 0
    assert figures["differ_from_sums"] == 0
    assert figures["differ_from_bank"] == 0
    assert figures["tenant_sum"] == 0
    assert figures["seconds"] > 0
    assert figures["per_second"] > 0


def test_synthetic_file_ends_on_its_own_balances(tmp_path: Path) -> None:
    path = tmp_path / "trans.asc"
    write_synthetic(path, accounts=40, transactions=1_500)
    figures = load_test("replay", path)
    assert_right(figures, 40, 1_500)
    assert figures["hub_kills"] == 0


def test_hubs_killed_on_the_way_change_no_balance(tmp_path: Path) -> None:
    path = tmp_path / "trans.csv.gz"
    write_synthetic(path, accounts=20, transactions=2_500, seed=2)
    # One hub: each kill breaks every connection, in the middle of its payments.
    figures = load_test("replay", path, "--hubs", 1, "--connections", 4, "--kill-hub-every", 0.25)
    assert_right(figures, 20, 2_500)
    assert figures["hub_kills"] >= 1
    assert figures["reconnects"] >= 1


@pytest.mark.skipif(real_file() is None, reason="the bank's file is not here")
def test_slice_of_the_banks_file_ends_on_the_banks_balances(tmp_path: Path) -> None:
    source = real_file()
    assert source is not None
    part = tmp_path / "slice.csv"
    count = write_slice(source, part)
    assert_right(load_test("replay", part), ACCOUNTS_OF_SLICE, count)


def write_slice(source: Path, part: Path) -> int:
    """All transactions of the first accounts of the file; gives their number."""
    kept: set[str] = set()
    count = 0
    with gzip.open(source, "rt", newline="") as lines, part.open("w", newline="") as file:
        rows = csv.DictReader(lines)
        assert rows.fieldnames is not None
        writer = csv.DictWriter(file, rows.fieldnames)
        writer.writeheader()
        for row in rows:
            if len(kept) < ACCOUNTS_OF_SLICE:
                kept.add(row["account_id"])
            if row["account_id"] in kept:
                writer.writerow(row)
                count += 1
    return count


def test_payments_are_followed_without_a_gap() -> None:
    figures = load_test("pay", "--clients", 10, "--seconds", 1)
    assert figures["errors"] == 0
    assert figures["missing_events"] == 0
    assert figures["gaps"] == 0
    assert figures["per_second"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["clients"] == 10


@LONG
def test_proof_is_weighed_in_turns() -> None:
    figures = load_test("proof", "--sittings", 2, "--rounds", 2, "--seconds", 0.5, "--clients", 10)
    assert all(len(figures["all"][name]) == 4 for name in ("with", "without"))
    assert figures["ratio"] == pytest.approx((figures["ratios"][0] * figures["ratios"][1]) ** 0.5)
    assert figures["without_cpu_us"]["workers"] == 0 < figures["with_cpu_us"]["hubs"]


@LONG
def test_outbox_and_sinks_are_weighed_in_turns() -> None:
    short = ("--rounds", 1, "--seconds", 0.5, "--clients", 10)
    for figures in (load_test("outbox", *short), load_test("sinks", *short)):
        assert figures["ratio"] == figures["with_per_second"] / figures["without_per_second"]
        assert all(len(figures["all"][name]) == 1 for name in ("with", "without"))


@LONG
def test_what_waits_through_an_outage_is_told_once_it_is_over() -> None:
    short = ("--minutes", 0.1, "--people", 6, "--rounds", 1, "--seconds", 0.5, "--clients", 5)
    figures = load_test("outage", *short)
    assert (figures["notices"], figures["lost"], figures["set_aside"]) == (6 * 15 * 6, 0, 0)
    assert figures["webhook_events"] > 0 and figures["webhooks_twice"] == 0
    # Of what one process may take when nothing gets out: it does not grow with what waits.
    assert figures["most_mb"] < figures["idle_mb"] + 40


def test_comparison_names_every_leg_and_size() -> None:
    figures = load_test("ws-vs-http", "--n", "50", "--hubs", 1)
    assert [(leg["leg"], leg["n"]) for leg in figures["legs"]] == [
        ("as published", 50),
        ("fair twin", 50),
        ("real payments", 50),
    ]
    for leg in figures["legs"]:
        assert leg["ws_ms"] > 0
        assert leg["http_ms"] > 0
        # What is shown is rounded, to tenths and to thousandths: of fifty messages that is a good part of it.
        least, most = (leg["ws_ms"] - 0.05) / (leg["http_ms"] + 0.05), (leg["ws_ms"] + 0.05) / (leg["http_ms"] - 0.05)
        assert least - 0.001 <= leg["ratio"] <= most + 0.001


def test_posting_compares_with_pgbench() -> None:
    figures = load_test("posting", "--mix", "--seconds", 1, "--rounds", 1, "--clients", 8)
    for kind in ("uniform", "hot", "refused", "mix"):
        ratio = figures[f"batched_{kind}"] / figures["pgbench_best"]
        assert figures[f"ratio_{kind}"] == pytest.approx(ratio, rel=0.05)
    like_for_like = figures["batched_hot"] / figures["pgbench_hot_best"]
    assert figures["ratio_hot_like_for_like"] == pytest.approx(like_for_like, rel=0.05)


def test_idle_connections_are_weighed() -> None:
    figures = load_test("idle", "--connections", 100, "--hubs", 1, "--returns", 2)
    assert (figures["connections"], figures["returns"]) == (100, 2)
    assert figures["kb_per_connection"] > 0
    # A hundred who come and go leave less than they weigh: what they were is looked for, now and then.
    assert figures["kb_per_return"] < 40


def test_running_hubs_are_measured_by_their_address(tmp_path: Path) -> None:
    with running_stack(hubs=1) as stack:
        (url,), (hub,) = stack.urls, stack.hubs
        people = tmp_path / "people.json"
        people.write_text(stack.run("seed", "--tenant", TENANT, "--people", "150", "--role", "merchant", "--json"))
        target = ("--to", url, "--tenant", TENANT, "--login", stack.login, "--password", stack.password)
        crowd = (*target, "--people", people)
        assert load_test("pay", "--clients", 4, "--seconds", 1, *crowd)["errors"] == 0
        assert load_test("ws-vs-http", "--n", "50", *crowd)["legs"][-1]["leg"] == "real payments"
        idle = load_test("idle", "--connections", 100, "--returns", 0, "--metrics", hub.metrics_url, *crowd)
        assert (idle["connections"], idle["hubs"]) == (100, 1)


def test_locust_pays_over_socket_and_http(tmp_path: Path) -> None:
    with running_stack(hubs=1) as stack:
        people = tmp_path / "people.json"
        people.write_text(stack.run("seed", "--tenant", TENANT, "--people", "10", "--role", "merchant", "--json"))
        report = tmp_path / "locust"
        done = subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "locust",
                    "-f",
                    "loadtest/locustfile.py",
                    "--headless",
                    "--only-summary",
                ),
                *("-u", "10", "-r", "10", "-t", "2s", "-H", stack.urls[0], "--csv", str(report)),
            ],
            cwd=REPOSITORY,
            env=os.environ | {"PAYHUB_PEOPLE_FILE": str(people)},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "locust_stats.csv").open(newline="") as file:
        rows = {(row["Type"], row["Name"]): row for row in csv.DictReader(file)}
    for name in (("WS", "pay"), ("WS", "balance"), ("POST", "/v1/payments")):
        assert int(rows[name]["Request Count"]) > 0
        assert int(rows[name]["Failure Count"]) == 0


def test_killing_hubs_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trans.csv"
    write_synthetic(path, accounts=1, transactions=1)
    command = ("replay", str(path), "--to", "http://127.0.0.1:1", "--kill-hub-every", "1")
    done = subprocess.run(
        [sys.executable, "-m", "loadtest", *command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "leave out --to" in done.stderr


def test_keys_are_measured() -> None:
    figures = load_test("keys", "--seconds", 0.3)
    assert figures["seal_us"] < 50
    assert figures["kept"] > figures["fetched_one_by_one"]
    assert figures["fetched_by_the_hundred"] > figures["fetched_one_by_one"] > 100
    assert figures["erased_p50_ms"] < 500
    assert all(figure > 0 for figure in figures.values())


def test_everybody_comes_back_from_a_storm_and_hears_what_they_were_paid() -> None:
    figures = load_test("storm", "--clients", 400, "--hubs", 2)
    assert (figures["clients"], figures["paid_while_away"]) == (400, 200)
    assert 0 < figures["hubs_ready_s"] < figures["back_all_s"]
    # Nobody is back without having tried.
    assert figures["tries"] >= 400
    assert figures["log_ins_per_second"] > 0


def test_a_loud_tenant_is_held_to_its_quota_beside_its_neighbour() -> None:
    figures = load_test("fairness", "--rounds", 1, "--seconds", 2, "--clients", 10, "--rate", 50, "--quota", 20)
    assert figures["loud"]["rate_limited"] > figures["loud"]["posted"] > 0
    assert figures["ratio_p99"] == pytest.approx(figures["with_p99_ms"] / figures["without_p99_ms"], abs=0.01)


def test_the_wall_is_measured_and_stands_again() -> None:
    figures = load_test("wall", "--rounds", 1, "--seconds", 1)
    for what in ("posting", "reading"):
        ratio = figures[f"{what}_on"] / figures[f"{what}_off"]
        assert figures[f"ratio_{what}"] == pytest.approx(ratio, abs=0.01)
    assert figures["tables"] > 10

"""What a tenant that ignores its quota does to its neighbour: the neighbour's latency with it and without, in turns.

The quiet tenant pays by the clock. The loud one, in a process of its own, sends ten times its quota and never waits.
"""

import contextlib
import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from loadtest.pay import pay
from loadtest.report import Reporter
from loadtest.stack import TENANT, Stack, running_stack
from loadtest.target import Target

LOUD = "loud"
LOUD_PEOPLE = 40
TIMES = 10
ENDS_WITHIN_S = 30.0


class FairnessError(Exception):
    """The measurement cannot go on: one sentence."""


async def compare_tenants(
    report: Reporter, *, rounds: int, seconds: float, clients: int, rate: int, quota: int
) -> dict[str, Any]:
    """Rounds of each kind, in turns; medians, and the ratios of with to without."""
    found: dict[str, list[dict[str, Any]]] = {"with": [], "without": []}
    told: Counter[str] = Counter()
    with running_stack(2) as stack:
        quiet = stack.seed(2 * clients)
        stack.open_tenant(LOUD)
        stack.run("tenant", "quota", LOUD, "--per-second", str(quota))
        loud = _seed_text(stack)

        async def measure(name: str) -> None:
            target = Target(stack.urls, TENANT, stack.login, stack.password, *quiet[:2], stack)
            figures = await pay(target, Reporter(True), clients=clients, rate=rate, seconds=seconds)
            if figures["errors"] or figures["missing_events"]:
                raise FairnessError(f"The quiet tenant was refused: {figures['error_codes']}.")
            found[name].append(figures)
            report.note(f"{name}: p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms")

        for _ in range(rounds):
            await measure("without")
            with _shouting(loud, quota * TIMES, stack.urls, told):
                await measure("with")
    medians = {
        f"{name}_{figure}": statistics.median(one[figure] for one in figures)
        for name, figures in found.items()
        for figure in ("p50_ms", "p99_ms")
    }
    return {
        **medians,
        "ratio_p50": round(medians["with_p50_ms"] / medians["without_p50_ms"], 2),
        "ratio_p99": round(medians["with_p99_ms"] / medians["without_p99_ms"], 2),
        "rate": rate,
        "quota": quota,
        "rounds": rounds,
        "seconds_each": seconds,
        "loud": dict(told),
        "all": {name: [one["p99_ms"] for one in figures] for name, figures in found.items()},
    }


def _seed_text(stack: Stack) -> str:
    arguments = ("--people", str(LOUD_PEOPLE), "--role", "merchant", "--balance", "100000000", "--json")
    return stack.run("seed", "--tenant", LOUD, *arguments).splitlines()[-1]


@contextlib.contextmanager
def _shouting(people: str, rate: int, urls: list[str], told: Counter[str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtest.loud", str(rate), *urls],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(people + "\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "ready":
            raise FairnessError("The loud tenant did not begin.")
        yield
        process.stdin.close()
        told.update(json.loads(process.stdout.readline()))
        process.wait(ENDS_WITHIN_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()

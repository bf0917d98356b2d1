"""What a sink costs payments, and how fast it is told: with a sink that is told meanwhile, and without, in turns.

With: a worker that seals logs and tells an HTTP sink. Without: one that seals. What the sink was not told of in a round
without, it is told at the beginning of the next one with; how fast that goes is measured, and is in no other figure.
"""

import asyncio
import contextlib
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from loadtest.pay import pay
from loadtest.proof import ProofError, catch_up, wait_until
from loadtest.report import Reporter
from loadtest.stack import TENANT, Stack, Worker, free_ports, running_stack, running_worker, stop
from loadtest.target import Target

SEALS = ("--only", "seal_logs")
TELLS = (*SEALS, *(word for job in ("begin_sinks", "tell_sinks", "watch_sinks") for word in ("--only", job)))
EVENTS = re.compile(r"^payhub_sink_events_total{.*} ([0-9.e+]+)", re.MULTILINE)
BEHIND = re.compile(r"^payhub_sink_behind_leaves{.*} ([0-9.e+]+)", re.MULTILINE)
# Fewer are told within one look, and the time would be that of the looks.
EVENTS_MIN = 20_000


async def compare(report: Reporter, *, rounds: int, seconds: float, clients: int) -> dict[str, Any]:
    """Rounds of each kind, in turns; medians, the ratio of with to without, and events told per second."""
    found: dict[str, list[float]] = {"with": [], "without": [], "told": [], "late_s": []}
    with running_stack(2) as stack, _sink(stack) as file:
        target = Target(stack.urls, TENANT, stack.login, stack.password, *stack.seed(2 * clients)[:2], stack)

        async def measure(name: str) -> None:
            figures = await pay(target, Reporter(True), clients=clients, rate=None, seconds=seconds)
            if figures["errors"] or figures["missing_events"]:
                raise ProofError(
                    f"{figures['errors']} payments failed, {figures['missing_events']} events are missing."
                )
            found[name].append(figures["per_second"])
            report.note(f"{name}: {figures['per_second']:,.0f} payments per second")

        with running_worker(stack, *TELLS, PAYHUB_SINKS_FILE=file) as worker:
            await asyncio.to_thread(_tell, worker)
        for number in range(rounds):
            kinds = ("without", "with")
            # The books grow and everything with them: each kind goes first as often as the other.
            for name in kinds if number % 2 == 0 else reversed(kinds):
                await asyncio.to_thread(catch_up, stack)
                if name == "without":
                    with running_worker(stack, *SEALS):
                        await measure(name)
                    continue
                with running_worker(stack, *TELLS, PAYHUB_SINKS_FILE=file) as worker:
                    count, took_s = await asyncio.to_thread(_tell, worker)
                    if count > EVENTS_MIN:
                        found["told"].append(count / took_s)
                    await measure(name)
                    found["late_s"].append((await asyncio.to_thread(_tell, worker))[1])
    with_sink, without = (statistics.median(found[name]) for name in ("with", "without"))
    return {
        "with_per_second": with_sink,
        "without_per_second": without,
        "ratio": with_sink / without,
        "told_per_second": statistics.median(found["told"] or [0.0]),
        "late_s": max(found["late_s"]),
        "rounds": rounds,
        "seconds_each": seconds,
        "clients": clients,
        "all": found,
    }


@contextlib.contextmanager
def _sink(stack: Stack) -> Iterator[str]:
    """A sink, as long as the block lasts; the file that names it."""
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-m", "loadtest.services.sink", str(port)])
    file = stack.folder / "stopwatch.json"
    file.touch(0o600)
    file.write_text(json.dumps([{"name": "stopwatch", "kind": "http", "url": f"http://127.0.0.1:{port}/"}]))
    stack.environment["PAYHUB_SINK_NETWORKS"] = "127.0.0.0/8"
    try:
        yield str(file)
    finally:
        stop(process)


def _tell(worker: Worker) -> tuple[float, float]:
    """Wait until the sink was told everything: how many events it is told by this worker, and how long that took."""
    began, count, grown_at = time.monotonic(), 0.0, time.monotonic()

    def is_told() -> bool:
        nonlocal count, grown_at
        metrics = worker.metrics()
        behind, taken = BEHIND.search(metrics), EVENTS.search(metrics)
        now = float(taken[1]) if taken else 0.0
        if now > count:
            count, grown_at = now, time.monotonic()
        # How far it is behind is looked at every five seconds; how much it took, at once.
        return behind is not None and float(behind[1]) == 0 and time.monotonic() - grown_at > 1

    wait_until(is_told, "The sink is not told.")
    return count, max(grown_at - began, 0.001)

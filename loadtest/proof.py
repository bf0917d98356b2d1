"""What proof costs: payments per second with receipts signed and logs sealed, and without, in turns in one run.

With: a hub that signs, and a worker that seals. Without: a hub that signs nothing, and no worker. What the second
leaves unsealed, the worker works off before the next round begins, and that time is not counted.
"""

import asyncio
import contextlib
import statistics
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from loadtest.pay import pay
from loadtest.report import Reporter
from loadtest.stack import TENANT, Stack, free_ports, running_stack, spawn, stop
from loadtest.target import Target

WAITING = "payhub_log_waiting "
CATCH_UP_SECONDS = 120.0
# Hubs by their place: who signs, and who does not.
SIGNS, DOES_NOT = 0, 1


class ProofError(Exception):
    """The measurement cannot go on: one sentence."""


async def compare(report: Reporter, *, rounds: int, seconds: float, clients: int) -> dict[str, Any]:
    """Rounds of each kind, in turns; medians, and the ratio of with to without."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    with running_stack(2, ({}, {"PAYHUB_RECEIPTS": "false"})) as stack:
        crowd = stack.seed(2 * clients)

        async def measure(name: str, hub: int) -> None:
            target = Target([stack.urls[hub]], TENANT, stack.login, stack.password, *crowd, stack)
            figures = await pay(target, Reporter(True), clients=clients, rate=None, seconds=seconds)
            if figures["errors"] or figures["missing_events"]:
                raise ProofError(
                    f"{figures['errors']} payments failed, {figures['missing_events']} events are missing."
                )
            found[name].append(figures["per_second"])
            report.note(f"{name}: {figures['per_second']:,.0f} payments per second")

        for _ in range(rounds):
            with _sealing(stack) as metrics_url:
                await asyncio.to_thread(_wait_until_sealed, metrics_url)
                await measure("with", SIGNS)
            await measure("without", DOES_NOT)
    with_proof, without = (statistics.median(found[name]) for name in ("with", "without"))
    return {
        "with_per_second": with_proof,
        "without_per_second": without,
        "ratio": with_proof / without,
        "rounds": rounds,
        "seconds_each": seconds,
        "clients": clients,
        "all": found,
    }


@contextlib.contextmanager
def _sealing(stack: Stack) -> Iterator[str]:
    """A worker, as long as the block lasts; where its metrics are."""
    (port,) = free_ports(1)
    environment = stack.environment | {"PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{port}"}
    with (stack.folder / "worker.log").open("ab") as log:
        process = spawn(["work"], environment, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        stop(process)


def _wait_until_sealed(metrics_url: str) -> None:
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.5)
        with contextlib.suppress(OSError), urllib.request.urlopen(metrics_url, timeout=2) as answer:  # noqa: S310 - our own worker
            for line in answer.read().decode().splitlines():
                # Nought before the worker has looked for the first time, too: hence the wait before.
                if line.startswith(WAITING) and float(line.split()[1]) == 0 and time.monotonic() > deadline - 115:
                    return
    raise ProofError("The worker does not catch up.")

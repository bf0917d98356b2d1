"""What proof costs: payments per second with receipts signed and logs sealed, and without, in turns in one run.

With: a hub that signs, and a worker that does nothing but seal. Without: a hub that signs nothing, and no worker. What
a measurement leaves in the outbox, a whole worker works off before the next one begins, and that time is not counted.
"""

import asyncio
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

from loadtest.costs import Costs
from loadtest.pay import pay
from loadtest.proof_posting import compare_posting
from loadtest.report import Reporter
from loadtest.stack import ROUNDS, TENANT, Stack, running_stack, running_worker
from loadtest.target import Target

CATCH_UP_SECONDS = 120.0
# Hubs by their place: who signs, and who does not.
SIGNS, DOES_NOT = 0, 1


class ProofError(Exception):
    """The measurement cannot go on: one sentence."""


async def compare(report: Reporter, *, rounds: int, seconds: float, clients: int) -> dict[str, Any]:
    """Rounds of each kind, in turns; medians, and the ratio of with to without."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    costs = Costs()
    with running_stack(2, ({}, {"PAYHUB_RECEIPTS": "false"})) as stack:
        crowd = stack.seed(2 * clients)

        async def measure(name: str, hub: int) -> None:
            target = Target([stack.urls[hub]], TENANT, stack.login, stack.password, *crowd[:2], stack)
            figures = await pay(target, Reporter(True), clients=clients, rate=None, seconds=seconds)
            if figures["errors"] or figures["missing_events"]:
                raise ProofError(
                    f"{figures['errors']} payments failed, {figures['missing_events']} events are missing."
                )
            found[name].append(figures["per_second"])
            costs.add(name, figures)
            report.note(f"{name}: {figures['per_second']:,.0f} payments per second")

        for number in range(rounds):
            kinds = ("with", "without")
            # The books grow and everything with them: each kind goes first as often as the other.
            for name in kinds if number % 2 == 0 else reversed(kinds):
                await asyncio.to_thread(catch_up, stack)
                if name == "with":
                    with running_worker(stack, "--only", "seal_logs"):
                        await measure(name, SIGNS)
                else:
                    await measure(name, DOES_NOT)
        posting = await compare_posting(
            stack,
            report,
            rounds=rounds,
            seconds=max(1, round(seconds)),
            sealing=lambda url: running_worker(stack, "--only", "seal_logs", **_at(url)),
            catch_up=lambda url: catch_up(stack, url),
        )
    with_proof, without = (statistics.median(found[name]) for name in ("with", "without"))
    return {
        "with_per_second": with_proof,
        "without_per_second": without,
        "ratio": with_proof / without,
        **posting,
        **costs.figures(),
        "cpu_rows": costs.rows(),
        "rounds": rounds,
        "seconds_each": seconds,
        "clients": clients,
        "all": found,
    }


def _at(database_url: str) -> dict[str, str]:
    """What a worker is told that works on another database than the stack's."""
    return {"PAYHUB_DATABASE_URL": database_url, "PAYHUB_ADMIN_DATABASE_URL": database_url}


def catch_up(stack: Stack, database_url: str | None = None) -> None:
    """Have a whole worker do what is left. Raises ProofError."""
    with running_worker(stack, **({} if database_url is None else _at(database_url))) as worker:
        wait_until(lambda: _is_done(worker.metrics()), "The worker does not catch up.")


def _is_done(metrics: str) -> bool:
    """Whether a worker has looked, and found nothing to seal and nothing in the outbox."""
    looked = re.search(rf'^{ROUNDS}{{outcome="done",work="watch_outbox"}} ([0-9.]+)', metrics, re.MULTILINE)
    waits = re.findall(r"^payhub_(?:log_waiting|outbox_batches) ([0-9.]+)", metrics, re.MULTILINE)
    # Twice: what the last measurement committed is in the outbox by then.
    return looked is not None and float(looked[1]) >= 2 and not any(map(float, waits))


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Look until it is so. Raises ProofError with what is the case otherwise."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise ProofError(otherwise)
        time.sleep(0.2)

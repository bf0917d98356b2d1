"""What proof costs: payments per second with receipts signed and logs sealed, and without, in turns in one run.

With: a hub that signs, and a worker that does nothing but seal. Without: a hub that signs nothing, and no worker. Each
has servers of its own and its clients stay connected, so that turns can be short and many: what else the machine does
comes and goes within seconds, and hits both alike. The worker is stopped while it is not its turn; what it left to do
then, it does in its next turn. Processes that were started alike are not alike fast, by some percent and for as long as
they live: hence several sittings, and the error is of their ratios.
"""

import math
import re
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from loadtest.costs import Costs
from loadtest.pay import Lane
from loadtest.proof_posting import compare_posting
from loadtest.report import Reporter
from loadtest.stack import ROUNDS, TENANT, Stack, running_stack, running_worker
from loadtest.target import Target

CATCH_UP_SECONDS = 120.0
FIRST_SECONDS = 3.0  # until plans are made and caches are warm
WARM_UP_SECONDS = 0.5  # of a turn: the sockets are all open


class ProofError(Exception):
    """The measurement cannot go on: one sentence."""


async def compare(report: Reporter, *, sittings: int, rounds: int, seconds: float, clients: int) -> dict[str, Any]:
    """Sittings of rounds of each kind, in turns; medians, and the ratio of with to without."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    ratios: list[float] = []
    costs = Costs()
    for number in range(sittings):
        sitting = await _sit(costs, rounds=rounds, seconds=seconds, clients=clients)
        pairs = zip(sitting["with"], sitting["without"], strict=True)
        ratios.append(statistics.geometric_mean(mine / its for mine, its in pairs))
        for name, each in sitting.items():
            found[name] += each
        medians = {name: statistics.median(each) for name, each in sitting.items()}
        report.note(
            f"sitting {number + 1} of {sittings}: {ratios[-1]:.3f} "
            f"(with {medians['with']:,.0f}, without {medians['without']:,.0f} payments per second)"
        )
    with running_stack(0) as servers:
        posting = await compare_posting(
            servers,
            report,
            rounds=sittings,
            seconds=max(1, round(seconds)),
            sealing=lambda url: running_worker(servers, "--only", "seal_logs", **_at(url)),
            catch_up=lambda url: catch_up(servers, url),
        )
    return {
        "with_per_second": statistics.median(found["with"]),
        "without_per_second": statistics.median(found["without"]),
        "ratio": statistics.geometric_mean(ratios),
        "ratio_error": statistics.stdev(ratios) / math.sqrt(sittings) if sittings > 1 else None,
        **posting,
        **costs.figures(),
        "cpu_rows": costs.rows(),
        "sittings": sittings,
        "rounds": rounds,
        "seconds_each": seconds,
        "clients": clients,
        "all": found,
        "ratios": ratios,
    }


async def _sit(costs: Costs, *, rounds: int, seconds: float, clients: int) -> dict[str, list[float]]:
    """Payments per second with and without, round by round, on servers and hubs of their own."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    with (
        running_stack(1) as signing,
        running_stack(1, ({"PAYHUB_RECEIPTS": "false"},)) as plain,
        running_worker(signing, "--only", "seal_logs") as worker,
    ):
        lanes = {"with": await _open(signing, clients), "without": await _open(plain, clients)}

        async def drive(name: str, seconds: float) -> dict[str, Any]:
            with worker.at_work() if name == "with" else nullcontext():
                figures = await lanes[name].drive(seconds=seconds, warm_up_s=WARM_UP_SECONDS)
            if figures["errors"] or figures["missing_events"]:
                raise ProofError(
                    f"{figures['errors']} payments failed, {figures['missing_events']} events are missing."
                )
            return figures

        worker.pause()
        for name in lanes:
            await drive(name, FIRST_SECONDS)
        for number in range(rounds):
            # Each kind goes first as often as the other.
            for name in lanes if number % 2 == 0 else reversed(lanes):
                figures = await drive(name, seconds)
                found[name].append(figures["per_second"])
                costs.add(name, figures)
        for lane in lanes.values():
            lane.close()
    return found


async def _open(stack: Stack, clients: int) -> Lane:
    crowd = stack.seed(2 * clients)
    return await Lane.open(Target(stack.urls, TENANT, stack.login, stack.password, *crowd[:2], stack), clients)


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

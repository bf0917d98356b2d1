"""What telling people costs payments: with a whole worker, and with one that does all but that, in turns.

With: notices are noted and climb, phones and mailboxes are looked after. Without: the outbox is left alone. Payees are
those of `loadtest pay`: they acknowledge within a second or so, as wallets do.
"""

import asyncio
import statistics
from typing import Any, Final

from loadtest.costs import Costs
from loadtest.pay import pay
from loadtest.proof import ProofError, catch_up
from loadtest.report import Reporter
from loadtest.stack import TENANT, running_stack, running_worker
from loadtest.target import Target

# All that a worker does but the outbox, the ladder and its roads.
OTHERS: Final = (
    *("forget_late", "forget_sessions", "forget_log_ins", "forget_nonces", "forget_pairing_codes", "expire_holds"),
    *("pay_schedules", "tend_disputes", "post_bulks", "seal_logs", "thin_heads", "read_keys", "tell_keys"),
    *("make_exports", "retain", "watch_privacy", "balance_tenants", "bring_webhooks", "spread_webhooks"),
    *("forget_webhook_attempts", "begin_sinks", "tell_sinks", "watch_sinks"),
)


async def compare_outbox(report: Reporter, *, rounds: int, seconds: float, clients: int) -> dict[str, Any]:
    """Rounds of each kind, in turns; medians, and the ratio of with to without."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    costs = Costs()
    with running_stack(2) as stack:
        target = Target(stack.urls, TENANT, stack.login, stack.password, *stack.seed(2 * clients)[:2], stack)
        without = tuple(word for job in OTHERS for word in ("--only", job))
        for number in range(rounds):
            kinds = ("with", "without")
            # The books grow and everything with them: each kind goes first as often as the other.
            for name in kinds if number % 2 == 0 else reversed(kinds):
                await asyncio.to_thread(catch_up, stack)
                with running_worker(stack, *(() if name == "with" else without)):
                    figures = await pay(target, Reporter(True), clients=clients, rate=None, seconds=seconds)
                if figures["errors"] or figures["missing_events"]:
                    raise ProofError(
                        f"{figures['errors']} payments failed, {figures['missing_events']} events are missing."
                    )
                found[name].append(figures["per_second"])
                costs.add(name, figures)
                report.note(f"{name}: {figures['per_second']:,.0f} payments per second")
    with_ladder, alone = (statistics.median(found[name]) for name in ("with", "without"))
    return {
        "with_per_second": with_ladder,
        "without_per_second": alone,
        "ratio": with_ladder / alone,
        **costs.figures(),
        "cpu_rows": costs.rows(),
        "rounds": rounds,
        "seconds_each": seconds,
        "clients": clients,
        "all": found,
    }

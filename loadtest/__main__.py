"""`python -m loadtest`: everything that Payhub is measured by, and a file to replay.

Each command runs against `--to URL`, or against a stack of its own that it starts and deletes. Each ends by
itself. It holds no measurement: those are in the modules named like the commands.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click
import uvloop

from loadtest import berka, bulk_client
from loadtest import bulk as bulk_test
from loadtest import privacy as privacy_test
from loadtest.fairness import TIMES, FairnessError, compare_tenants
from loadtest.fan_out import FanOutError, fan_out
from loadtest.idle import FIRST, IdleError, allow_files, idle
from loadtest.ids import MAKERS
from loadtest.keys import measure_keys
from loadtest.notices import PEOPLE_MAX, NoticesError, measure_notices
from loadtest.outage import OutageError, measure_outage
from loadtest.outbox import compare_outbox
from loadtest.pages import PagesError, measure_pages
from loadtest.pay import pay
from loadtest.posting import PostingError, measure
from loadtest.proof import ProofError
from loadtest.proof import compare as compare_proof
from loadtest.reachable import ReachableError
from loadtest.replay import ReplayError, is_right, replay
from loadtest.report import Reporter, show
from loadtest.sinks import compare as compare_sinks
from loadtest.stack import StackError, running_stack
from loadtest.storm import PAID_WHILE_AWAY, StormError, storm
from loadtest.target import Options, TargetError, reached
from loadtest.wall import WallError, compare_wall
from loadtest.wire_http import HttpError
from loadtest.wire_ws import AuthenticationRefused, CommandRefused, Lost
from loadtest.ws_vs_http import METHOD, PEOPLE, ComparisonError, compare

T = TypeVar("T")
Command = Callable[..., None]
SENTENCES = (
    berka.FormatError,
    bulk_client.BulkError,
    bulk_test.BulkTestError,
    CommandRefused,
    ComparisonError,
    FairnessError,
    FanOutError,
    HttpError,
    IdleError,
    NoticesError,
    PagesError,
    OutageError,
    PostingError,
    privacy_test.PrivacyTestError,
    ProofError,
    ReachableError,
    ReplayError,
    StackError,
    StormError,
    TargetError,
    WallError,
)
SIZES = (1_000, 10_000)
LARGEST = 100_000
PGBENCH_CLIENTS_MAX = 90  # the embedded PostgreSQL takes a hundred connections


class LoadTest(click.Group):
    """A group whose failures are sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands as they were written."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; SIGTERM ends it like Ctrl-C, so that what it started is stopped."""
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            return super().invoke(ctx)
        except SENTENCES as error:
            raise click.ClickException(str(error)) from error
        except AuthenticationRefused as error:
            raise click.ClickException("The hub refused the token: seed again, or check the file of people.") from error
        except Lost as error:
            raise click.ClickException(f"The hub closed the connection or cannot be reached. {error}") from error


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def with_target(command: Command) -> Command:
    """The options that say where to run and how to answer."""
    for option in reversed(
        (
            click.option("--to", "urls", multiple=True, metavar="URL", help="A running hub; repeat it for several."),
            click.option("--tenant", default="demo", show_default=True, help="With --to: the tenant."),
            click.option("--login", default="operator", show_default=True, help="With --to: its operator."),
            click.option("--password", envvar="PAYHUB_PASSWORD", default="", help="With --to; or PAYHUB_PASSWORD."),
            click.option(
                "--people",
                "people_file",
                type=click.Path(path_type=Path),
                help="With --to: what `payhub seed --json` printed; or PAYHUB_PEOPLE_FILE.",
            ),
            click.option(
                "--hubs",
                type=click.IntRange(1, 8),
                default=2,
                show_default=True,
                help="Without --to: how many.",
            ),
            click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else."),
        )
    ):
        command = option(command)
    return command


def take_options(arguments: dict[str, Any]) -> Options:
    """What `with_target` added, as one value."""
    return Options(*(arguments.pop(name) for name in Options._fields))


@click.group(cls=LoadTest, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Measure a Payhub from outside, with a stopwatch."""


@main.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--connections", type=click.IntRange(1, 64), default=8, show_default=True)
@click.option("--kill-hub-every", type=click.FloatRange(min=0.05), metavar="SECONDS", help="SIGKILL our hubs in turn.")
@with_target
def replay_command(file: Path, connections: int, kill_hub_every: float | None, as_json: bool, **arguments: Any) -> None:
    """Send a bank's file (trans.asc, CSV, CSV.gz) as payments, and compare every balance."""
    options = take_options(arguments)
    if kill_hub_every is not None and options.urls:
        raise click.UsageError("--kill-hub-every kills hubs that this command started itself: leave out --to.")
    report = Reporter(as_json)
    with reached(options, report) as target:
        figures = run_async(replay(file, target, report, connections=connections, kill_hub_every=kill_hub_every))
    report.result(
        f"Replay of {file.name}",
        figures,
        [
            ("accounts", figures["accounts"]),
            ("transactions", figures["transactions"]),
            ("seconds", figures["seconds"]),
            ("per second", figures["per_second"]),
            ("accounts that differ from the file's own sums (must be 0)", figures["differ_from_sums"]),
            ("accounts that differ from the bank by more than 1.00 (must be 0)", figures["differ_from_bank"]),
            ("sum of all accounts of the tenant (must be 0)", figures["tenant_sum"]),
            ("refused", figures["refused"]),
            ("hubs killed", figures["hub_kills"]),
            ("connections lost and made again", figures["reconnects"]),
            ("payments sent again", figures["sent_again"]),
        ],
    )
    if not is_right(figures):
        sys.exit(1)


@main.command("posting")
@click.option(
    "--to", "url", metavar="URL", help="PostgreSQL, as an administrator; a database of our own is made there."
)
@click.option("--bin-dir", type=click.Path(path_type=Path), help="With --to: where pgbench is.")
@click.option("--batch", type=click.IntRange(1, 5_000), default=256, show_default=True, help="The hub's largest.")
@click.option("--connections", type=click.IntRange(1, 8), default=2, show_default=True)
@click.option("--ids", type=click.Choice(list(MAKERS)), default="v7", show_default=True, help="UUIDs, on both sides.")
@click.option("--seconds", type=click.IntRange(1, 60), default=4, show_default=True, help="Of each measurement.")
@click.option("--rounds", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--mix", is_flag=True, help="Also whole lives: holds, captures, voids, refunds, and a fee on each.")
@click.option("--clients", default="1,8,32,64", show_default=True, help="Of pgbench, with commas between.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def posting_command(
    url: str | None, bin_dir: Path | None, clients: str, ids: str, mix: bool, as_json: bool, **how: int
) -> None:
    """Compare post_payments in batches with pgbench's best, one payment per transaction."""
    counts = _parse_numbers(clients, PGBENCH_CLIENTS_MAX, "--clients")
    report = Reporter(as_json)
    if url and not bin_dir:
        raise click.UsageError("--to needs --bin-dir, the folder of pgbench.")
    report.note("Starting PostgreSQL in a temporary folder …" if not url else f"Measuring {url} …")
    with running_stack(hubs=0) as stack:
        admin_url = url or stack.servers.admin_database_url
        figures = run_async(
            measure(stack, admin_url, bin_dir or stack.servers.bin_dir, report, ids=ids, mix=mix, clients=counts, **how)
        )
    report.grid(
        "Payments per second, fsync on",
        figures,
        ("", "per second", "÷ pgbench's best"),
        [
            (f"pgbench's best ({figures['pgbench_best_with']})", figures["pgbench_best"], 1.0),
            ("batched, uniform accounts", figures["batched_uniform"], figures["ratio_uniform"]),
            ("batched, all to one merchant", figures["batched_hot"], figures["ratio_hot"]),
            ("batched, 10 % refused for funds", figures["batched_refused"], figures["ratio_refused"]),
            *((("batched, whole lives with fees", figures["batched_mix"], figures["ratio_mix"]),) if mix else ()),
            (
                f"pgbench's best to one merchant ({figures['pgbench_hot_best_with']})",
                figures["pgbench_hot_best"],
                None,
            ),
            (
                "batched ÷ pgbench, both to one merchant",
                figures["batched_hot"],
                figures["ratio_hot_like_for_like"],
            ),
        ],
        f"Batches of {figures['batch']} on {figures['connections']} connections; medians of "
        f"{figures['rounds']} rounds of {figures['seconds_each']} s, taking turns.",
    )


@main.command("pay")
@click.option("--clients", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Payers, and payees.")
@click.option("--rate", type=click.IntRange(1, 100_000), help="Payments per second by the clock, not by the answers.")
@click.option("--seconds", type=click.FloatRange(0.5, 3_600), default=10, show_default=True)
@with_target
def pay_command(clients: int, rate: int | None, seconds: float, as_json: bool, **arguments: Any) -> None:
    """Pay over WebSockets; each payee follows its account. With --rate: latency at that rate."""
    options = take_options(arguments)
    report = Reporter(as_json)
    with reached(options, report, people=2 * clients) as target:
        figures = run_async(pay(target, report, clients=clients, rate=rate, seconds=seconds))
    report.result(
        f"Payments at {rate} per second" if rate else f"Payments, {clients} payers with one under way each",
        figures,
        [
            ("payments per second, committed", figures["per_second"]),
            ("events delivered per second", figures["events_per_second"]),
            ("p50 ms", figures["p50_ms"]),
            ("p99 ms", figures["p99_ms"]),
            ("p99.9 ms", figures["p999_ms"]),
            ("payers, and as many payees", figures["clients"]),
            ("seconds", figures["seconds"]),
            ("errors (must be 0)", figures["errors"]),
            ("events missing (must be 0)", figures["missing_events"]),
            ("gaps in the events' numbers (must be 0)", figures["gaps"]),
            *((f"CPU seconds, {name}", used) for name, used in figures["cpu_seconds"].items()),
        ],
    )
    if figures["errors"] or figures["missing_events"] or figures["gaps"]:
        sys.exit(1)


@main.command("proof")
@click.option("--sittings", type=click.IntRange(1, 50), default=5, show_default=True, help="With servers of their own.")
@click.option("--rounds", type=click.IntRange(1, 100), default=8, show_default=True, help="Of each sitting.")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=2, show_default=True, help="Of each round.")
@click.option("--clients", type=click.IntRange(1, 2_000), default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def proof_command(sittings: int, rounds: int, seconds: float, clients: int, as_json: bool) -> None:
    """Compare payments with receipts and sealed logs against payments without, in turns."""
    report = Reporter(as_json)
    figures = run_async(compare_proof(report, sittings=sittings, rounds=rounds, seconds=seconds, clients=clients))
    report.grid(
        "What proof costs",
        figures,
        ("per second", "with", "without", "ratio"),
        [
            (name, figures[f"{of}with_per_second"], figures[f"{of}without_per_second"], figures[f"{of}ratio"])
            for name, of in (("payments over sockets", ""), ("payments posted in batches", "posting_"))
        ]
        + figures.pop("cpu_rows"),
        f"Medians of {figures['sittings']} sittings of {figures['rounds']} rounds of {figures['seconds_each']:g} s, "
        f"in turns. Over sockets the ratio is the sittings' mean, ± {show(figures['ratio_error'])}.",
    )


@main.command("sinks")
@click.option("--rounds", type=click.IntRange(1, 20), default=4, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=8, show_default=True, help="Of each round.")
@click.option("--clients", type=click.IntRange(1, 2_000), default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def sinks_command(rounds: int, seconds: float, clients: int, as_json: bool) -> None:
    """Compare payments while a sink is told of them against payments without, in turns."""
    report = Reporter(as_json)
    figures = run_async(compare_sinks(report, rounds=rounds, seconds=seconds, clients=clients))
    report.grid(
        "What a sink costs",
        figures,
        ("payments per second, with", "without", "ratio", "events told per second", "late, s"),
        [tuple(figures[of] for of in ("with_per_second", "without_per_second", "ratio", "told_per_second", "late_s"))],
        f"Medians of {figures['rounds']} rounds of {figures['seconds_each']:g} s each, in turns; late: the most.",
    )


@main.command("outbox")
@click.option("--rounds", type=click.IntRange(1, 20), default=4, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=8, show_default=True, help="Of each round.")
@click.option("--clients", type=click.IntRange(1, 2_000), default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def outbox_command(rounds: int, seconds: float, clients: int, as_json: bool) -> None:
    """Compare payments beside a whole worker against one that tells nobody, in turns."""
    report = Reporter(as_json)
    figures = run_async(compare_outbox(report, rounds=rounds, seconds=seconds, clients=clients))
    report.grid(
        "What the outbox and the ladder cost",
        figures,
        ("per second", "with", "without", "ratio"),
        [
            ("payments", *(figures[of] for of in ("with_per_second", "without_per_second", "ratio"))),
            *figures.pop("cpu_rows"),
        ],
        f"Medians of {figures['rounds']} rounds of {figures['seconds_each']:g} s each, in turns.",
    )


@main.command("wall")
@click.option("--rounds", type=click.IntRange(1, 50), default=6, show_default=True)
@click.option("--seconds", type=click.IntRange(1, 60), default=3, show_default=True, help="Of each measurement.")
@click.option("--connections", type=click.IntRange(1, 8), default=2, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def wall_command(as_json: bool, **how: int) -> None:
    """Post and read with the wall between tenants, and without it."""
    report = Reporter(as_json)
    report.note("Starting PostgreSQL in a temporary folder …")
    with running_stack(hubs=0) as stack:
        figures = run_async(compare_wall(stack, report, **how))
    report.grid(
        "What row-level security costs",
        figures,
        ("per second", "with", "without", "ratio"),
        [
            ("payments posted", figures["posting_on"], figures["posting_off"], figures["ratio_posting"]),
            ("accounts and pages read", figures["reading_on"], figures["reading_off"], figures["ratio_reading"]),
        ],
        f"Medians of {figures['rounds']} rounds of {figures['seconds_each']} s each, in turns; "
        f"{figures['tables']} tables have a wall.",
    )


@main.command("fairness")
@click.option("--rounds", type=click.IntRange(1, 20), default=5, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=6, show_default=True, help="Of each round.")
@click.option("--clients", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Of the quiet tenant.")
@click.option("--rate", type=click.IntRange(1, 10_000), default=300, show_default=True, help="Its payments per second.")
@click.option("--quota", type=click.IntRange(1, 10_000), default=200, show_default=True, help="The loud tenant's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def fairness_command(as_json: bool, **how: Any) -> None:
    """Let one tenant send ten times its quota, and see what its neighbour waits for."""
    report = Reporter(as_json)
    figures = run_async(compare_tenants(report, **how))
    report.result(
        f"A tenant at {TIMES} times its quota, and its neighbour",
        figures,
        [
            ("the neighbour's p99 ms, alone", figures["without_p99_ms"]),
            ("the neighbour's p99 ms, beside it", figures["with_p99_ms"]),
            ("ratio of p99", figures["ratio_p99"]),
            ("ratio of p50", figures["ratio_p50"]),
            ("the neighbour's payments per second", figures["rate"]),
            ("quota, messages per second", figures["quota"]),
            *((f"the loud tenant: {name}", count) for name, count in figures["loud"].items()),
        ],
    )


@main.command("storm")
@click.option("--clients", type=click.IntRange(PAID_WHILE_AWAY * 2, 20_000), default=5_000, show_default=True)
@click.option("--hubs", type=click.IntRange(1, 8), default=2, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def storm_command(clients: int, hubs: int, as_json: bool) -> None:
    """Kill the hubs under everybody, and wait until all are back and resumed; then log in as fast as it goes."""
    report = Reporter(as_json)
    allow_files(2 * clients)
    figures = run_async(storm(report, clients=clients, hubs=hubs))
    report.result(
        f"{clients:,} clients come back at once",
        figures,
        [
            ("seconds until the hubs were ready again", figures["hubs_ready_s"]),
            ("seconds until half were back and resumed", figures["back_p50_s"]),
            ("seconds until all were", figures["back_all_s"]),
            ("of which after the hubs were ready", figures["back_all_after_ready_s"]),
            ("connections tried", figures["tries"]),
            ("paid while they were away, and told so", figures["paid_while_away"]),
            ("log-ins per second", figures["log_ins_per_second"]),
        ],
    )


@main.command("ws-vs-http")
@click.option("--n", "sizes", default=",".join(map(str, SIZES)), show_default=True, help="Sizes, with commas between.")
@click.option("--full", is_flag=True, help=f"{LARGEST:,} as well; takes several minutes.")
@with_target
def ws_vs_http_command(sizes: str, full: bool, as_json: bool, **arguments: Any) -> None:
    """Compare WebSocket with HTTP: as published elsewhere, as a fair twin, with real payments."""
    options = take_options(arguments)
    wanted = _parse_numbers(sizes, LARGEST, "--n") + ([LARGEST] if full else [])
    report = Reporter(as_json)
    with reached(options, report, people=PEOPLE) as target:
        figures = run_async(compare(target, report, list(dict.fromkeys(wanted))))
    columns = ("leg", "n", "ws_ms", "http_ms", "ratio", "published_ws_ms", "published_http_ms")
    report.grid(
        "WebSocket against HTTP",
        figures,
        ("leg", "n", "WebSocket ms", "HTTP ms", "ratio", "published WS ms", "published HTTP ms"),
        [[row[column] for column in columns] for row in figures["legs"]],
        *METHOD,
    )


def _parse_numbers(text: str, most: int, option: str) -> list[int]:
    try:
        numbers = [int(part.replace("_", "")) for part in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a list of numbers with commas between.", param_hint=option) from None
    if not all(1 <= number <= most for number in numbers):
        raise click.BadParameter(f"Give numbers from 1 to {most}.", param_hint=option)
    return numbers


@main.command("idle")
@click.option("--connections", type=click.IntRange(100, 50_000), default=4_000, show_default=True)
@click.option("--returns", type=click.IntRange(0, 100), default=5, show_default=True, help="All hang up and come back.")
@click.option(
    "--metrics", "metrics_urls", metavar="URL", multiple=True, help="With --to: a hub's /metrics; one for each hub."
)
@with_target
def idle_command(
    connections: int, returns: int, metrics_urls: tuple[str, ...], as_json: bool, **arguments: Any
) -> None:
    """Weigh an authenticated connection on which nothing happens."""
    options = take_options(arguments)
    report = Reporter(as_json)
    allow_files(connections)
    with reached(options, report, people=FIRST + connections) as target:
        figures = run_async(idle(target, report, connections=connections, returns=returns, metrics_urls=metrics_urls))
    report.result(
        "Idle connections",
        figures,
        [
            ("connections", figures["connections"]),
            ("KB per connection", figures["kb_per_connection"]),
            ("KB left by each who hung up and came back", figures["kb_per_return"]),
            ("hubs", figures["hubs"]),
            ("measured by", figures["measured"]),
        ],
    )


@main.command("fan-out")
@click.option("--sockets", type=click.IntRange(2, 20_000), default=5_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--hubs", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def fan_out_command(sockets: int, as_json: bool, **how: int) -> None:
    """Tell thousands of sockets of one payment: from the first to the last."""
    report = Reporter(as_json)
    allow_files(sockets)
    figures = run_async(fan_out(report, sockets=sockets, **how))
    report.result(
        f"One event to {sockets:,} sockets",
        figures,
        [
            ("ms from the first to the last, median", figures["first_to_last_ms"]),
            ("the worst round", figures["first_to_last_worst_ms"]),
            ("ms from the payer's answer to the last, median", figures["answer_to_last_ms"]),
            ("the worst round", figures["answer_to_last_worst_ms"]),
            ("rounds", figures["rounds"]),
            ("hubs", figures["hubs"]),
        ],
    )


@main.command("pages")
@click.option("--entries", type=click.IntRange(100, 100_000), default=10_000, show_default=True)
@click.option("--slowdown", type=click.IntRange(1, 20), default=4, show_default=True, help="Of the processor.")
@click.option("--rounds", type=click.IntRange(1, 20), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def pages_command(as_json: bool, **how: int) -> None:
    """Open the web client in a slow browser: paint, input, jumps, script, and rows that scroll."""
    report = Reporter(as_json)
    figures = measure_pages(report, **how)
    report.result(
        f"Pages, the processor slowed down {how['slowdown']} times",
        figures,
        [
            ("ms until the first view's content (LCP), median", figures["first_lcp_ms"]),
            ("ms until the home of who comes back", figures["home_lcp_ms"]),
            ("ms that the slowest input took (INP)", figures["inp_ms"]),
            ("how far the first view jumped (CLS), worst", f"{figures['first_cls']:.3f}"),
            ("how far the home jumped, worst", f"{figures['home_cls']:.3f}"),
            ("KB of script for the first view, gzipped", f"{figures['first_script_gzip_bytes'] / 1000:.1f}"),
            ("KB for the home", f"{figures['home_script_gzip_bytes'] / 1000:.1f}"),
            (f"tasks over 50 ms while {how['entries']:,} rows scroll by", figures["scroll_long_tasks"]),
            ("the longest of them, ms", figures["scroll_longest_task_ms"]),
            ("seconds that took", f"{figures['scroll_seconds']:.0f}"),
        ],
    )


@main.command("bulk")
@click.option("--lines", type=click.IntRange(1, 1_000_000), default=100_000, show_default=True)
@click.option("--atomic", is_flag=True, help="All lines or none, in one transaction; at most 100,000.")
@with_target
def bulk_command(lines: int, atomic: bool, as_json: bool, **arguments: Any) -> None:
    """Send, approve and post a file of payments."""
    options = take_options(arguments)
    report = Reporter(as_json)
    with reached(options, report, people=bulk_test.PEOPLE) as target:
        figures = bulk_test.bulk(target, report, lines=lines, is_atomic=atomic)
    report.result(
        "A bulk, atomic" if atomic else "A bulk",
        figures,
        [
            ("lines", figures["lines"]),
            ("seconds", figures["seconds"]),
            ("lines per second, from sending to posted", figures["per_second"]),
            ("lines sent and checked per second", figures["checked_per_second"]),
            ("lines posted per second", figures["posted_per_second"]),
            ("MB over idle, hub", figures["hub_grown_mb"]),
            ("MB over idle, worker", figures["worker_grown_mb"]),
        ],
    )


@main.command("privacy")
@click.option("--payments", type=click.IntRange(1, 1_000_000), default=100_000, show_default=True)
@click.option("--persons", type=click.IntRange(50, 100_000), default=1_000, show_default=True)
@with_target
def privacy_command(payments: int, persons: int, as_json: bool, **arguments: Any) -> None:
    """Export a person's payments, erase people, count whom an incident concerns."""
    options = take_options(arguments)
    report = Reporter(as_json)
    with reached(options, report, people=persons) as target:
        figures = privacy_test.privacy(target, report, payments=payments)
    report.result(
        "Rights of people",
        figures,
        [
            ("payments of one person", figures["payments"]),
            ("seconds until their export is ready (at most 60 for 100,000)", figures["export_seconds"]),
            ("seconds to fetch all of it", figures["fetch_seconds"]),
            ("MB of JSON", figures["json_mb"]),
            ("volumes of the PDF", figures["pdf_volumes"]),
            ("MB of PDF", figures["pdf_mb"]),
            ("MB over idle, worker and what it starts", figures["worker_grown_mb"]),
            ("ms to erase a person, the slowest of 20 (at most 1,000)", figures["erasure_ms"]),
            ("ms until no hub has their name, the slowest of 20 (at most 1,000)", figures["unreadable_ms"]),
            ("persons that an incident concerns", figures["incident_persons"]),
            ("seconds to count and list them", figures["incident_seconds"]),
        ],
    )


@main.command("notices")
@click.option("--notices", type=click.IntRange(1, 200_000), default=100_000, show_default=True, help="Of each queue.")
@click.option("--people", type=click.IntRange(1, PEOPLE_MAX), default=PEOPLE_MAX, show_default=True)
@click.option("--rate", type=click.IntRange(1, 2_000), default=400, show_default=True, help="Payments per second.")
@click.option("--seconds", type=click.FloatRange(0.5, 600), default=20, show_default=True, help="Of them.")
@click.option("--provider", type=click.Choice(["apple", "firebase", "web"]), default="apple", show_default=True)
@click.option("--dkim", type=click.Choice(["none", "ed25519", "rsa"]), default="rsa", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def notices_command(as_json: bool, **how: Any) -> None:
    """Hand over queues of pushes and of mails, by one worker; then see how late fallbacks are."""
    report = Reporter(as_json)
    figures = run_async(measure_notices(report, **how))
    late = figures["late"]
    report.result(
        "Notices that no socket delivered",
        figures,
        [
            ("notices of each queue, none lost and none twice", figures["notices"]),
            (f"pushes to {figures['provider']} per second", figures["push"]["per_second"]),
            (f"mails per second, DKIM {figures['dkim']}", figures["mail"]["per_second"]),
            *(
                (f"{name}: seconds after the deadline, {share}", late[name][f"{share}_s"])
                for name in ("push", "mail")
                for share in ("p50", "p95", "p99")
            ),
            *((f"{name}: share within a second (at least 0.95)", late[name]["within_1_s"]) for name in late),
            ("payments per second meanwhile", figures["rate"]),
            *(
                (f"CPU seconds, {road}, {name}", used)
                for road in ("push", "mail")
                for name, used in figures[road]["cpu_seconds"].items()
            ),
        ],
    )


@main.command("outage")
@click.option("--minutes", type=click.FloatRange(0.05, 240), default=1, show_default=True, help="Of real time.")
@click.option("--people", type=click.IntRange(3, PEOPLE_MAX), default=900, show_default=True)
@click.option("--rounds", type=click.IntRange(0, 50), default=4, show_default=True, help="Of payments of each kind.")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=4, show_default=True, help="Of each of them.")
@click.option("--clients", type=click.IntRange(1, 1_000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def outage_command(minutes: float, seconds: float, as_json: bool, **how: int) -> None:
    """Have everything outside be away under a worker, in all ways, and come back."""
    report = Reporter(as_json)
    figures = run_async(measure_outage(report, seconds=60 * minutes, pay_seconds=seconds, **how))
    report.result(
        f"Everything outside away for {figures['outage_seconds'] / 60:.1f} minutes",
        figures,
        [
            ("notices for phones and mailboxes", figures["notices"]),
            ("of which never arrived (must be 0)", figures["lost"]),
            ("deliveries that were set aside", figures["set_aside"]),
            ("deliveries that came twice, under one id", figures["twice"]),
            ("seconds from the return to the last (at most 60)", figures["told_s"]),
            ("events for webhooks, all arrived", figures["webhook_events"]),
            ("of which twice, under one id", figures["webhooks_twice"]),
            ("seconds from the return to the first", figures["webhooks_first_s"]),
            ("and to the last (at most 60)", figures["webhooks_told_s"]),
            ("MB of the worker, idle after a turn of everything", figures["idle_mb"]),
            ("the most, away and after the return", figures["most_mb"]),
            ("in the end", figures["end_mb"]),
            (f"payments per second beside {figures['webhooks']} dead webhooks", figures["beside_per_second"]),
            ("without", figures["without_per_second"]),
            ("ratio", figures["ratio_per_second"]),
            ("ratio of p99", figures["ratio_p99_ms"]),
        ],
    )


@main.command("keys")
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=2, show_default=True, help="Of each measurement.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def keys_command(seconds: float, as_json: bool) -> None:
    """Seal and open personal data, fetch, make and destroy keys of persons, on one core."""
    report = Reporter(as_json)
    report.note("Starting PostgreSQL in a temporary folder …")
    figures = measure_keys(seconds)
    report.result(
        "Keys of persons, on one core",
        figures,
        [
            ("texts of 75 bytes sealed per second", figures["sealed"]),
            ("texts of 75 bytes opened per second", figures["opened"]),
            ("µs to seal one", figures["seal_us"]),
            ("keys that are kept, asked for per second", figures["kept"]),
            ("keys fetched per second, one by one", figures["fetched_one_by_one"]),
            ("keys fetched per second, by a hundred who ask at once", figures["fetched_by_a_hundred_at_once"]),
            ("keys fetched per second, by the hundred", figures["fetched_by_the_hundred"]),
            ("keyed hashes per second", figures["indexed"]),
            ("keys made per second, by the hundred", figures["made"]),
            ("ms to destroy a key, p50", figures["erased_p50_ms"]),
        ],
    )


@main.command("synthetic")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--accounts", type=click.IntRange(1, 100_000), default=500, show_default=True)
@click.option("--transactions", type=click.IntRange(1, 900_000), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def synthetic_command(file: Path, accounts: int, transactions: int, seed: int) -> None:
    """Write a file to replay: the challenge's format (.asc), CSV or CSV.gz, of invented accounts."""
    if accounts > transactions:
        raise click.UsageError("Each account has at least one transaction.")
    berka.write_synthetic(file, accounts, transactions, seed)


if __name__ == "__main__":
    main(prog_name="python -m loadtest")

"""`python -m loadtest`: replay, posting, pay, ws-vs-http, idle, and a file to replay.

Each command runs against `--to URL`, or against a stack of its own that it starts and deletes; each ends by itself.
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

from loadtest import berka
from loadtest.replay import ReplayError, is_right, replay
from loadtest.report import Reporter
from loadtest.stack import StackError
from loadtest.target import Options, TargetError, reached
from loadtest.wire_http import HttpError
from loadtest.wire_ws import AuthenticationRefused, CommandRefused, Lost

T = TypeVar("T")
Command = Callable[..., None]
SENTENCES = (berka.FormatError, ReplayError, StackError, TargetError, HttpError, CommandRefused)


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
                "--hubs", type=click.IntRange(1, 8), default=2, show_default=True, help="Without --to: how many."
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
def replay_command(
    file: Path, connections: int, kill_hub_every: float | None, as_json: bool, **arguments: Any
) -> None:
    """Send a bank's file (trans.asc, CSV, CSV.gz) as payments, and compare every balance."""
    options = take_options(arguments)
    if kill_hub_every is not None and options.urls:
        raise click.UsageError("--kill-hub-every kills hubs that this command started itself: leave out --to.")
    report = Reporter(as_json)
    with reached(options, report) as target:
        figures = run_async(
            replay(file, target, report, connections=connections, kill_hub_every=kill_hub_every)
        )
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

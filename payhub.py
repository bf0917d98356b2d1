"""The payhub command line: one word for each thing an operator does.

It reads the settings, hands them to the room that does the work, and turns what an operator can mend into one
sentence. Rooms are loaded when their command is called: a hub never loads the worker, and help is instant.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import msgspec

from config import launcher
from config.embedded import EmbeddedError, Servers
from config.settings import Settings, SettingsError, ensure_master_key, explain, masked, unknown_variables

SENTENCES = (SettingsError, EmbeddedError, launcher.LaunchError)


class Payhub(click.Group):
    """A group whose commands are listed in the order a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands as they were written, not by the alphabet."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what an operator can mend becomes one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except SENTENCES as error:
            raise click.ClickException(str(error)) from error


def room(name: str) -> ModuleType:
    """Load a room of the project when it is needed."""
    return importlib.import_module(name)


@click.group(
    cls=Payhub,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every setting is an environment variable; `payhub settings` explains them all.",
)
def main() -> None:
    """Payhub: real-time payments over WebSockets, on a ledger in PostgreSQL.

    Start with `payhub run`. It needs nothing else: it brings its own PostgreSQL and Valkey, opens a demo
    tenant, and says where to go.
    """


@main.command()
def run() -> None:
    """Run a whole Payhub on this machine.

    Starts PostgreSQL and Valkey (unless PAYHUB_DATABASE_URL and PAYHUB_REDIS_URL name others), brings the
    database up to date, starts PAYHUB_HUBS hubs and one worker, and keeps them running. Ctrl-C stops
    everything in order. Data and logs are in PAYHUB_DATA_DIR, .payhub unless told otherwise.
    """
    programs = launcher.Programs(hub=_itself("serve"), worker=_itself("work"))
    launcher.Launcher(
        read_settings(), programs, prepare=prepare, seed=seed_demo, say=launcher.say_to_terminal
    ).run()


@main.command()
def serve() -> None:
    """Serve as one hub (HTTP and WebSockets), with servers of yours.

    Needs PAYHUB_DATABASE_URL and PAYHUB_REDIS_URL. Start as many as there are cores: hubs on one machine
    share PAYHUB_LISTEN, each with a PAYHUB_ADMIN_LISTEN of its own. SIGTERM drains it.
    """
    launcher.refuse_orphan()
    settings = reachable_settings()
    room("hub.serve").serve(settings)


@main.command()
def work() -> None:
    """Work as one worker: empties the outbox, talks to the outside world.

    Needs PAYHUB_DATABASE_URL and PAYHUB_REDIS_URL. SIGTERM stops it after what is under way.
    """
    launcher.refuse_orphan()
    settings = reachable_settings()
    room("workers.work").work(settings)


@main.command()
@click.option("--temporary", is_flag=True, help="Use a folder of its own and delete it at the end.")
@click.option("--json", "as_json", is_flag=True, help="Say where the servers are as one line of JSON.")
def embedded(temporary: bool, as_json: bool) -> None:
    """Run only PostgreSQL and Valkey, for tests, benchmarks and backups.

    Runs until Ctrl-C, SIGTERM, or the end of standard input when that is a pipe. The tables come with
    `payhub migrate`.
    """
    settings = read_settings()

    def ready(servers: Servers) -> None:
        facts = {
            "database_url": servers.database_url,
            "admin_database_url": servers.admin_database_url,
            "redis_url": servers.redis_url,
            "data_dir": str(servers.data_dir),
            "postgres_pid": servers.postgres.pid,
            "redis_pid": servers.valkey.pid,
        }
        if as_json:
            launcher.say_to_terminal(msgspec.json.encode(facts).decode())
        else:
            for name, value in facts.items():
                launcher.say_to_terminal(f"{name:20}{value}")

    # With --json, standard output is for the one line only.
    launcher.hold_servers(
        settings.data_dir, temporary=temporary, ready=ready, say=lambda line: click.echo(line, err=True)
    )


@main.command()
def migrate() -> None:
    """Bring the database up to date and create the master key if there is none.

    Safe to repeat, and safe from several places at once. Logs in by PAYHUB_ADMIN_DATABASE_URL; hubs of the
    version before go on working.
    """
    settings = reachable_settings()
    applied = prepare(settings)
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("The database is up to date.")
    click.echo(f"Master key: {settings.master_key_file} (keep a copy elsewhere)")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def settings(as_json: bool) -> None:
    """Show every setting: its value, where it is from, and what it means. Passwords are masked."""
    rows = explain(read_settings(), os.environ)
    if as_json:
        facts = {
            name: {"value": value, "from": source, "meaning": text} for name, value, source, text in rows
        }
        click.echo(msgspec.json.encode(facts).decode())
        return
    for name, value, source, meaning in rows:
        click.echo(f"{click.style(name, bold=True)}={value}  ({source})")
        click.echo(click.wrap_text(meaning, width=98, initial_indent="    ", subsequent_indent="    "))
    for name in unknown_variables(os.environ):
        if name != launcher.LAUNCHER_PID:
            click.echo(f"{name} is set, but Payhub knows no such setting.", err=True)


def read_settings() -> Settings:
    """Read the settings of this process."""
    return Settings.from_environment(os.environ)


def reachable_settings() -> Settings:
    """Read the settings, with the servers of a `payhub run` on the same data unless others are given."""
    found = launcher.with_running_servers(read_settings())
    found.require_servers()
    return found


def prepare(settings: Settings) -> Sequence[str]:
    """Make the database and the master key ready for hubs; names the files applied."""
    ensure_master_key(settings.master_key_file)
    try:
        applied: list[str] = asyncio.run(room("core.migrate").migrate(settings.admin_database_url))
    except Exception as error:
        if not _is_refused_login(error):
            raise
        where = masked(settings.admin_database_url)
        raise launcher.LaunchError(
            f"PostgreSQL at {where} does not let us in ({error}): check PAYHUB_ADMIN_DATABASE_URL."
        ) from error
    return applied


def seed_demo(settings: Settings) -> Sequence[str]:
    """Open the demo tenant unless it exists; returns the lines to show about it."""
    return []


def _is_refused_login(error: Exception) -> bool:
    # SQLSTATE classes: connection lost, login refused, no such database, server shutting down or starting up.
    state = str(getattr(error, "sqlstate", None) or "")
    return isinstance(error, OSError) or state[:2] in ("08", "28", "3D") or state[:3] == "57P"


def _itself(command: str) -> list[str]:
    # By its file, not by `-m`: a folder named core where the operator stands must not be taken for ours.
    return [sys.executable, str(Path(__file__).resolve()), command]


if __name__ == "__main__":
    main(prog_name="payhub")

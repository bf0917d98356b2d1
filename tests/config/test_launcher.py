"""`payhub run` as a process, with stand-ins for hubs and worker."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from config.embedded import socket_folder
from config.launcher import with_running_servers
from config.settings import Settings, address
from tests.config.conftest import Launched, descendants, gone, wait_until

Launch = Callable[..., Launched]


def test_it_runs_and_stops_in_order(launch: Launch, data_dir: Path) -> None:
    launched = launch()
    launched.wait_for("Ctrl-C stops it")
    children = descendants(launched.process.pid)
    launched.process.send_signal(signal.SIGINT)
    assert launched.finish() == 0
    text = "".join(launched.said)
    order = ["Stopping hub 1 and hub 2", "Stopping worker", "Stopping Valkey", "Stopping PostgreSQL"]
    places = [text.index(line) for line in order]
    assert places == sorted(places)
    assert gone(children)
    assert not socket_folder(data_dir).exists()
    assert (data_dir / "postgres" / "PG_VERSION").exists()


def test_a_killed_launcher_leaves_no_child_and_the_next_one_starts(launch: Launch, data_dir: Path) -> None:
    launched = launch()
    launched.wait_for("Ctrl-C stops it")
    children = descendants(launched.process.pid)
    assert len(children) > 5
    launched.process.kill()
    # At once: the next one waits until the guardian has stopped the rest.
    again = launch()
    again.wait_for("Ctrl-C stops it")
    assert gone(children)
    assert "was not properly shut down" not in (data_dir / "logs" / "postgres.log").read_text()


def test_killed_while_starting_it_leaves_no_child(launch: Launch, data_dir: Path) -> None:
    launched = launch()
    launched.wait_for("Setting up PostgreSQL")
    wait_until(lambda: len(descendants(launched.process.pid)) > 2, "the set-up begins")
    children = descendants(launched.process.pid)
    launched.process.kill()
    wait_until(lambda: gone(children), "all children are gone")


def test_what_dies_is_started_again(launch: Launch, data_dir: Path) -> None:
    launched = launch()
    launched.wait_for("Ctrl-C stops it")
    settings = with_running_servers(Settings.from_environment(launched.environment))
    assert settings.admin_database_url.startswith("postgresql://postgres@/payhub?host=/")
    hub = next(pid for pid in descendants(launched.process.pid) if b"serve" in command(pid))
    os.kill(hub, signal.SIGKILL)
    launched.wait_for("ended by signal SIGKILL")
    launched.wait_for("runs again")
    postmaster = int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])
    os.kill(postmaster, signal.SIGKILL)
    launched.wait_for("PostgreSQL ended by signal SIGKILL")
    launched.wait_for("PostgreSQL runs again")
    launched.process.send_signal(signal.SIGTERM)
    assert launched.finish() == 0
    assert with_running_servers(Settings.from_environment(launched.environment)).database_url == ""


def test_only_one_runs_on_the_same_data(launch: Launch) -> None:
    launched = launch()
    launched.wait_for("Ctrl-C stops it")
    second = launch()
    assert second.finish() == 1
    assert second.saw(f"already runs here with pid {launched.process.pid}")


def test_a_taken_port_is_said_before_anything_starts(launch: Launch, data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        launched = launch(PAYHUB_LISTEN=f"127.0.0.1:{port}")
        assert launched.finish() == 1
    assert launched.saw(f"Port {port} is taken")
    assert launched.saw("PAYHUB_LISTEN=")
    assert not (data_dir / "postgres").exists()


def test_a_hub_that_cannot_start_is_said_with_its_last_words(launch: Launch) -> None:
    launched = launch(STAND_IN="fails")
    assert launched.finish() == 1
    assert launched.saw("before it was ready: no hub today")


def test_ports_of_hubs_are_their_own(launch: Launch) -> None:
    launched = launch()
    launched.wait_for("Ctrl-C stops it")
    first = address(launched.environment["PAYHUB_ADMIN_LISTEN"])[1]
    for port in (first, first + 1):
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()

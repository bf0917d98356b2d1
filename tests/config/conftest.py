"""What the tests of config share: a folder for real servers, free ports, a launcher as a process."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.embedded import relocated_folder, remove_sockets
from config.guardian import started_at

STAND_IN = Path(__file__).with_name("stand_in.py")
PATIENCE_SECONDS = 30.0


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        time.sleep(0.02)


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that are free."""
    while True:
        first = random.randrange(20_000, 30_000)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(place.parent.name))
    found = parents.get(pid, [])
    return found + [below for child in found for below in descendants(child)]


def gone(pids: list[int]) -> bool:
    return all(started_at(pid) is None for pid in pids)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: pytest closes its folders to others, and root's PostgreSQL is another.
    folder = Path(tempfile.mkdtemp(prefix="payhub-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    data = folder / ".payhub"
    yield data
    moved = relocated_folder(data)
    remove_sockets(data)
    shutil.rmtree(folder)
    if moved is not None:
        shutil.rmtree(moved, ignore_errors=True)


class Launched:
    """`stand_in.py launch` as a process, with what it said so far."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        first = free_ports(4)
        self.environment = {
            "PATH": os.environ["PATH"],
            "PAYHUB_DATA_DIR": str(data_dir),
            "PAYHUB_LISTEN": f"127.0.0.1:{first}",
            "PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{first + 1}",
            "PAYHUB_DRAIN_SECONDS": "2",
            **settings,
        }
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, str(STAND_IN), "launch"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            self.said.extend(self.process.stdout)

    def saw(self, part: str) -> bool:
        return any(part in line for line in list(self.said))

    def wait_for(self, part: str) -> None:
        wait_until(lambda: self.saw(part) or self.process.poll() is not None, part)
        assert self.saw(part), self.said

    def finish(self) -> int:
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        return code


@pytest.fixture
def launch(data_dir: Path) -> Iterator[Callable[..., Launched]]:
    started: list[Launched] = []

    def start(**settings: str) -> Launched:
        launched = Launched(data_dir, **settings)
        started.append(launched)
        return launched

    yield start
    for launched in started:
        if launched.process.poll() is None:
            launched.process.send_signal(signal.SIGTERM)
        launched.finish()

"""The README's tour, taken as a newcomer takes it: each of its commands prints what stands there."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A `payhub run` of its own; the environment that its commands need."""
    folder = tmp_path_factory.mktemp("tour")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAYHUB_")}
    environment = {
        **kept,
        "PAYHUB_DATA_DIR": str(folder / "data"),
        "PAYHUB_LISTEN": f"127.0.0.1:{free_port()}",
        "PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
    }
    log = folder / "run.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "payhub.py"), "run"], stdout=out, stderr=out, env=environment
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while "Ctrl-C stops it" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield environment
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


def shown_in_the_readme() -> dict[str, list[str]]:
    """What the README says that each command of the tour prints."""
    shown: dict[str, list[str]] = {}
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.S):
        for part in re.split(r"^\$ ", block, flags=re.M):
            command, _, output = part.partition("\n")
            found = re.fullmatch(r"\.venv/bin/payhub tour (\w+)", command)
            if found:
                shown[found[1]] = output.rstrip().split("\n")
    return shown


def test_a_start_prints_what_the_readme_shows(running: dict[str, str]) -> None:
    block = re.search(r"```console\n\$ make run\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert block is not None
    shown = re.escape(block[1].rstrip())
    # Of every machine its own: ports, the data's place, how long it took, what stands for the rest.
    for own, stand_in in (
        (r":80\d\d|:90\d\d", r":\\d+"),
        (r"/home/you/payhub/\\.payhub\\ \\\(logs\\ in\\ \\.payhub/logs\\\)", r".+"),
        (r"\d\\\.\d\\ s", r"[0-9.]+ s"),
        ("…", ".+"),
    ):
        shown, count = re.subn(own, stand_in, shown)
        assert count, own
    shown = shown.replace(r"once.+", "once…")
    printed = (Path(running["PAYHUB_DATA_DIR"]).parent / "run.log").read_text()
    assert re.search(shown, printed), printed


CHAPTERS = [
    "holds",
    "refunds",
    "charges",
    "fees",
    "limits",
    "linked",
    "bulk",
    "schedules",
    "disputes",
    "history",
    "proof",
    "ladder",
    "webhooks",
    "privacy",
]


def test_the_readme_shows_every_chapter() -> None:
    assert list(shown_in_the_readme()) == CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_prints_what_the_readme_shows(running: dict[str, str], chapter: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "payhub.py"), "tour", chapter],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=running,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = shown_in_the_readme()[chapter]
    printed = done.stdout.rstrip().split("\n")
    assert len(printed) == len(expected)
    for line, shown in zip(printed, expected, strict=True):
        # "…" stands for what differs from one machine to the other.
        assert re.fullmatch(re.escape(shown).replace("…", ".*"), line), (line, shown)


def test_the_first_tour_and_a_chapter_that_is_not_there(running: dict[str, str]) -> None:
    first = subprocess.run(
        [sys.executable, str(ROOT / "payhub.py"), "tour"], capture_output=True, text=True, env=running, check=False
    )
    assert (first.returncode, "the first answer; nothing has moved twice" in first.stdout) == (0, True), first.stderr
    none = subprocess.run(
        [sys.executable, str(ROOT / "payhub.py"), "tour", "x"], capture_output=True, text=True, env=running, check=False
    )
    assert (none.returncode, "There is no chapter x" in none.stderr) == (2, True)

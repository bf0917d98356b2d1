"""Lines per second of a bulk, from the first byte sent to the last line posted, and what it costs in memory.

A stranger makes the file, sends it, lets somebody else approve it and asks how far it is. On a stack of its own it
starts the worker, too, and weighs hub and worker while they work.

A million lines are a command of their own, which takes a few minutes:

    python -m loadtest bulk --lines 1000000
"""

import os
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadtest.bulk_client import BulkClient
from loadtest.report import Reporter
from loadtest.stack import free_ports, spawn, stop
from loadtest.target import Target

PEOPLE = 1_001  # who pays, and who is paid
AMOUNT_MAX = 50  # of a line: the payer's money lasts for more than a million
WEIGH_SECONDS = 0.02
# The worker has looked for work and found none: what it weighs now is what it weighs idle.
IDLE_SECONDS = 1.5


class BulkTestError(Exception):
    """The measurement cannot go on, or its result is not right: one sentence."""


class Scales:
    """Weighs processes again and again."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._first = [_rss_bytes(pid) for pid in pids]
        self.most = list(self._first)

    def weigh(self) -> None:
        """Once more."""
        self.most = [max(most, _rss_bytes(pid)) for most, pid in zip(self.most, self._pids, strict=True)]

    @property
    def grown_mb(self) -> float | None:
        """What the one that grew most has grown by, in MB; None: nobody is weighed."""
        grown = [most - first for most, first in zip(self.most, self._first, strict=True)]
        return round(max(grown) / 1e6, 1) if grown else None


def bulk(target: Target, report: Reporter, *, lines: int, is_atomic: bool) -> dict[str, Any]:
    """Send, approve and post a file of so many lines. Raises BulkTestError, BulkError."""
    payer, *others = target.people
    maker, approver = BulkClient(target.urls[0], payer.token), BulkClient(target.urls[-1], target.operator_token)
    with tempfile.TemporaryDirectory(prefix="payhub-bulk-") as folder, _worker(target) as worker_pids:
        file = Path(folder) / "bulk.csv"
        amount = _write(file, [one.account for one in others], lines)
        hub_pids = [hub.pid for hub in target.stack.hubs] if target.stack else []
        time.sleep(IDLE_SECONDS if target.stack else 0)
        hubs, workers = Scales(hub_pids), Scales(worker_pids)
        id_ = str(uuid.uuid4())
        began = time.perf_counter()
        with _weighing(hubs), _weighing(workers):
            maker.create(id_, payer.account, atomic=is_atomic, lines=lines, amount=amount)
            with report.progress("sent and checked", file.stat().st_size) as bar:
                checked = maker.send(id_, file, "text/csv", bar.reach)
            sent = time.perf_counter()
            if checked["good"] != lines:
                raise BulkTestError(f"{checked['bad']} lines of {lines} are bad, and none should be.")
            approver.do(id_, "approve")
            done = _follow(maker, report, id_, lines)
        ended = time.perf_counter()
    if (done["status"], done["posted"], done["posted_amount"]) != ("finished", lines, amount):
        raise BulkTestError(f"The bulk is {done['status']} with {done['posted']} lines of {lines} posted.")
    return {
        "lines": lines,
        "atomic": is_atomic,
        "seconds": round(ended - began, 2),
        "per_second": round(lines / (ended - began)),
        "checked_per_second": round(lines / (sent - began)),
        "posted_per_second": round(lines / (ended - sent)),
        "hub_grown_mb": hubs.grown_mb,
        "worker_grown_mb": workers.grown_mb,
    }


def _follow(client: BulkClient, report: Reporter, id_: str, lines: int) -> dict[str, Any]:
    with report.progress("posted", lines) as bar:
        for state in client.follow(id_, poll_s=0.05):
            bar.reach(state["through"])
    return state


def _write(file: Path, payees: Sequence[int], lines: int) -> int:
    """A file of so many payments; the sum of its amounts."""
    total = 0
    with file.open("w") as text:
        text.write("payee,amount,description,reference\n")
        for number in range(1, lines + 1):
            amount = random.randint(1, AMOUNT_MAX)
            total += amount
            text.write(f"{random.choice(payees)},{amount},Payment {number},r{number}\n")
    return total


@contextmanager
def _worker(target: Target) -> Iterator[list[int]]:
    """A worker for a stack of our own; a hub that somebody named has its own."""
    if target.stack is None:
        yield []
        return
    (port,) = free_ports(1)
    environment = target.stack.environment | {"PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{port}"}
    with (target.stack.folder / "worker.log").open("ab") as log:
        process = spawn(["work"], environment, stdout=log, stderr=log)
    try:
        yield [process.pid]
    finally:
        stop(process)


@contextmanager
def _weighing(scales: Scales) -> Iterator[None]:
    """Weigh in the background."""
    ended = threading.Event()

    def weigh() -> None:
        while not ended.wait(WEIGH_SECONDS):
            scales.weigh()

    thread = threading.Thread(target=weigh)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _rss_bytes(pid: int) -> int:
    resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(resident) * os.sysconf("SC_PAGE_SIZE")

"""What people's rights cost: an export of many payments, an erasure, an incident that concerns everybody.

A stranger is paid, asks for everything, fetches it and counts; others are erased, until no hub has their name; an
operator writes an incident down.
On a stack of its own it starts the worker, too, and weighs it with whatever it starts, while it works.
"""

import json
import os
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from loadtest.bulk import IDLE_SECONDS
from loadtest.privacy_client import PrivacyClient
from loadtest.report import Reporter
from loadtest.stack import free_ports, spawn, stop
from loadtest.target import Target

WEIGH_SECONDS: Final = 0.02
# As many registrations as an address may make at once, with the one who asks for everything.
ERASED: Final = 20
UNREADABLE_POLL_S: Final = 0.02
# Of each payment: with names and words, as people write them.
WORDS: Final = ("Pão de queijo", "Aluguel de março", "Feira", "Café e bolo", "Presente da Ana", "Táxi")


class PrivacyTestError(Exception):
    """The measurement cannot go on, or its result is not right: one sentence."""


class Family:
    """Weighs a process together with its children, again and again."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._first = _rss_of_family(pid)
        self.most = self._first

    def weigh(self) -> None:
        """Once more."""
        self.most = max(self.most, _rss_of_family(self._pid))

    @property
    def grown_mb(self) -> float:
        """What they have grown by, in MB."""
        return round((self.most - self._first) / 1e6, 1)


def privacy(target: Target, report: Reporter, *, payments: int) -> dict[str, Any]:
    """Pay, export, fetch, erase, and write an incident down. Raises PrivacyTestError, BulkError."""
    payer, witness, *_ = target.people
    paying = PrivacyClient(target.urls[0], payer.token)
    # An export and an erasure take a fresh proof of who asks: of somebody who has just come in.
    person = _register(target)
    paid = person.accounts()[0]
    operator = PrivacyClient(target.urls[-1], target.operator_token)
    with tempfile.TemporaryDirectory(prefix="payhub-privacy-") as name, _worker(target) as worker:
        folder = Path(name)
        # From one to the other, so that nothing is told but the payments: whoever sends a file is told its lines, too.
        _pay(paying, operator, report, folder, payer.account, paid, payments)
        time.sleep(IDLE_SECONDS if worker else 0)
        family = Family(worker) if worker else None
        with _weighing(family):
            began = time.perf_counter()
            export = person.ask_export("pt")["export"]
            with report.progress("export", 2 * payments) as bar:
                for state in person.follow_export(export):
                    bar.reach(min(state["done"], 2 * payments))
            seconds = time.perf_counter() - began
        if state["status"] != "ready":
            raise PrivacyTestError(f"The export is {state['status']}.")
        began = time.perf_counter()
        files = person.fetch_all(state, folder)
        fetched = time.perf_counter() - began
        _check(files[0], paid, payments)
        erased = [_erase(target, witness.token) for _ in range(ERASED)]
        incident, told = _incident(operator)
        return {
            "payments": payments,
            "export_seconds": round(seconds, 2),
            "fetch_seconds": round(fetched, 2),
            "json_mb": round(files[0].stat().st_size / 1e6, 1),
            "pdf_volumes": len(files) - 1,
            "pdf_mb": round(sum(file.stat().st_size for file in files[1:]) / 1e6, 1),
            "worker_grown_mb": None if family is None else family.grown_mb,
            "erasure_ms": round(max(one for one, _ in erased), 1),
            "unreadable_ms": round(max(one for _, one in erased), 1),
            "incident_persons": told,
            "incident_seconds": round(incident, 2),
        }


def _pay(
    person: PrivacyClient,
    operator: PrivacyClient,
    report: Reporter,
    folder: Path,
    payer: int,
    payee: int,
    payments: int,
) -> None:
    """As many payments from one account to another, by a file."""
    file = folder / "payments.csv"
    with file.open("w") as text:
        text.write("payee,amount,description,reference\n")
        for number in range(payments):
            text.write(f"{payee},{random.randint(1, 50)},{random.choice(WORDS)},r{number}\n")
    bulk = str(uuid.uuid4())
    person.create(bulk, payer, lines=payments)
    with report.progress("sent", file.stat().st_size) as bar:
        person.send(bulk, file, "text/csv", bar.reach)
    operator.do(bulk, "approve")
    with report.progress("posted", payments) as bar:
        for state in person.follow(bulk, poll_s=0.1):
            bar.reach(state["through"])
    if (state["status"], state["posted"]) != ("finished", payments):
        raise PrivacyTestError(f"The bulk is {state['status']} with {state['posted']} of {payments} posted.")


def _check(file: Path, account: int, payments: int) -> None:
    """Every payment is told, once, in order."""
    document = json.loads(file.read_bytes())
    entries = [one for one in document["data"]["entries"] if one["account"] == account]
    numbers = [one["number"] for one in entries]
    named = [one for one in entries if "counterparty_book" not in one]
    if numbers != list(range(1, len(numbers) + 1)) or len(named) != payments:
        raise PrivacyTestError(f"The export tells {len(named)} payments of {payments}.")
    if not all(one.get("counterparty_name") and one.get("description") for one in named):
        raise PrivacyTestError("The export tells payments without the other side's name.")


def _register(target: Target) -> PrivacyClient:
    """Somebody who has just come in."""
    name = uuid.uuid4().hex[:12]
    return PrivacyClient.register(target.urls[0], target.tenant, f"Titular {name}", f"t-{name}", uuid.uuid4().hex)


def _erase(target: Target, witness: str) -> tuple[float, float]:
    """Erase somebody of whom nothing has to be kept: milliseconds until the answer, and until no hub has their name."""
    client = _register(target)
    account = client.accounts()[0]
    began = time.perf_counter()
    answer, milliseconds = client.erase()
    if answer["status"] != "erased":
        raise PrivacyTestError(f"An erasure is {answer['status']}.")
    for url in target.urls:
        while PrivacyClient(url, witness).has_payee(account):
            time.sleep(UNREADABLE_POLL_S)
    return milliseconds, (time.perf_counter() - began) * 1_000


def _incident(operator: PrivacyClient) -> tuple[float, int]:
    """Everything got out: the seconds until it is counted, and how many persons it concerns."""
    incident = str(uuid.uuid4())
    body = {
        "incident": incident,
        "known_at": "2026-03-02T12:00:00Z",
        "began_at": "2026-03-01T12:00:00Z",
        "ended_at": "2099-03-01T12:00:00Z",
        "scope": "store",
        "notes": {"what": "A copy of everything got out."},
    }
    began = time.perf_counter()
    state = operator.ask("POST", "/v1/privacy/incidents", body)["incident"]
    return time.perf_counter() - began, state["persons"]


@contextmanager
def _worker(target: Target) -> Iterator[int | None]:
    """A worker for a stack of our own; a hub that somebody named has its own."""
    if target.stack is None:
        yield None
        return
    (port,) = free_ports(1)
    environment = target.stack.environment | {"PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{port}"}
    with (target.stack.folder / "worker.log").open("ab") as log:
        process = spawn(["work"], environment, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        stop(process)


@contextmanager
def _weighing(family: Family | None) -> Iterator[None]:
    """Weigh in the background."""
    ended = threading.Event()

    def weigh() -> None:
        while family is not None and not ended.wait(WEIGH_SECONDS):
            family.weigh()

    thread = threading.Thread(target=weigh)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _rss_of_family(pid: int) -> int:
    """Resident bytes of a process and of those it started."""
    total = 0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return total
    return total + sum(_rss_of_family(int(child)) for child in children)

"""`payhub bulk` as a stranger types it: send, approve, watch, report, and sentences for what goes wrong."""

import asyncio
import contextlib
import csv
import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.bulk.posting import post_some
from core.database import Pool
from core.keys.safe import Safe
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from tests.core.bulk.files import Row, cnab240_of, csv_of, pain001_of
from tests.hub.conftest import Hubs, fund
from tests.hub.processes import ROOT

PASSWORD = "a long enough password"  # not a real one


class Typist:
    """Types `payhub bulk …` as one person."""

    def __init__(self, url: str, tenant: Tenant, login: str) -> None:
        self.url, self.tenant, self.login = url, tenant, login

    async def type(self, *arguments: object, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
        name, *rest = map(str, arguments)
        person = ["--to", self.url, "--tenant", self.tenant.slug, "--login", self.login]
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "payhub", "bulk", name, *person, *rest],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PAYHUB_PASSWORD": password},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest_asyncio.fixture
async def payee(pool: Pool, tenant: Tenant, keys: Safe) -> int:
    return (await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Payee")).account_id


@pytest_asyncio.fixture
async def cafe(hubs: Hubs, pool: Pool, tenant: Tenant, keys: Safe) -> tuple[Typist, int]:
    login = f"cafe-{uuid.uuid4().hex[:8]}"
    opened = await open_person(pool, keys, tenant.id, Role.MERCHANT, "Cafe", login, PASSWORD)
    await fund(pool, tenant, opened.account_id, 100_000, opened.person_id)
    return Typist(hubs.a.url, tenant, login), opened.account_id


@pytest_asyncio.fixture
async def olivia(hubs: Hubs, pool: Pool, tenant: Tenant, keys: Safe) -> Typist:
    login = f"olivia-{uuid.uuid4().hex[:8]}"
    await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olivia", login, PASSWORD)
    return Typist(hubs.b.url, tenant, login)


@contextlib.asynccontextmanager
async def posting(pool: Pool, keys: Safe) -> AsyncIterator[None]:
    async def post() -> None:
        while True:
            if not await post_some(pool, keys, 500):
                await asyncio.sleep(0.05)

    worker = asyncio.create_task(post())
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_a_file_is_sent_approved_by_another_watched_and_reported(
    cafe: tuple[Typist, int], olivia: Typist, payee: int, pool: Pool, keys: Safe, tmp_path: Path
) -> None:
    typist, _ = cafe
    file = tmp_path / "march.csv"
    file.write_bytes(csv_of([Row(payee, 2, f"line {at}", f"r{at}") for at in range(2_000)]))
    sent = await typist.type("send", file, "--lines", 2_000, "--amount", 4_000, "--json")
    assert sent.returncode == 0, sent.stderr
    state = json.loads(sent.stdout)
    assert (state["status"], state["good"], state["amount"]) == ("checked", 2_000, 4_000)
    assert f"Bulk {state['bulk']}" in sent.stderr
    assert "Sending" in sent.stderr

    refused = await typist.type("approve", state["bulk"])
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "(maker_cannot_approve)" in refused.stderr
    async with posting(pool, keys):
        approved = await olivia.type("approve", state["bulk"], "--json")
    assert approved.returncode == 0, approved.stderr
    done = json.loads(approved.stdout)
    assert (done["status"], done["posted"], done["posted_amount"]) == ("finished", 2_000, 4_000)
    assert "Posting" in approved.stderr

    report = await typist.type("report", state["bulk"], "--into", tmp_path / "report.csv")
    assert report.returncode == 0, report.stderr
    with (tmp_path / "report.csv").open(newline="") as written:
        rows = list(csv.DictReader(written))
    assert [row["status"] for row in rows] == ["posted"] * 2_000
    shown = await typist.type("status", state["bulk"])
    assert "status              finished" in shown.stdout


@pytest.mark.parametrize("ending", [".csv", ".xml", ".rem"])
async def test_bad_lines_are_listed_whatever_the_format(
    cafe: tuple[Typist, int], payee: int, tmp_path: Path, ending: str
) -> None:
    typist, account = cafe
    rows = [Row(payee, 2, "x", "r1"), Row(7, 3, "x", "r2"), Row(payee, 4, "x", "r1")]
    file = tmp_path / f"bad{ending}"
    file.write_bytes(
        {".csv": csv_of(rows), ".xml": pain001_of(account, [rows]), ".rem": cnab240_of(account, rows)}[ending]
    )
    sent = await typist.type("send", file, "--atomic")
    assert sent.returncode == 1
    assert "line 2: account_not_found (payee)" in sent.stderr
    assert "line 3: duplicate_reference (reference)" in sent.stderr
    assert "good                1" in sent.stdout
    bulk = next(line.split()[1] for line in sent.stdout.splitlines() if line.startswith("bulk "))
    report = await typist.type("report", bulk, "--wrong")
    assert [line.split(",")[0] for line in report.stdout.splitlines()] == ["number", "2", "3"]
    cancelled = await typist.type("cancel", bulk, "--json")
    assert json.loads(cancelled.stdout)["status"] == "cancelled"


async def test_what_goes_wrong_is_one_sentence(cafe: tuple[Typist, int], payee: int, tmp_path: Path) -> None:
    typist, _ = cafe
    file = tmp_path / "march.csv"
    file.write_bytes(csv_of([Row(payee, 2)]))
    (tmp_path / "march.doc").write_bytes(b"x")
    (tmp_path / "zip.csv").write_bytes(b"PK\x03\x04" * 200_000)
    away = Typist("http://127.0.0.1:9", typist.tenant, typist.login)
    for typed, code in (
        (typist.type("send", file, password="wrong"), "credentials_refused"),
        (typist.type("send", tmp_path / "march.doc"), "--format"),
        (typist.type("send", tmp_path / "zip.csv"), "malformed_file"),
        (typist.type("send", file, "--account", 5), "not_found"),
        (typist.type("send", file, "--amount", 3), "totals_mismatch"),
        (typist.type("status", str(uuid.uuid4())), "not_found"),
        (away.type("status", str(uuid.uuid4())), "cannot be reached"),
    ):
        done = await typed
        assert done.returncode == 1, done.stdout
        assert code in done.stderr
        assert "Traceback" not in done.stderr


async def test_a_file_that_broke_off_is_sent_again_under_its_id(
    cafe: tuple[Typist, int], payee: int, tmp_path: Path
) -> None:
    typist, _ = cafe
    file = tmp_path / "march.csv"
    file.write_bytes(csv_of([Row(payee, 2)]) + b"\x00" * 5_000)
    bulk = str(uuid.uuid4())
    assert "malformed_file" in (await typist.type("send", file, "--bulk", bulk)).stderr
    file.write_bytes(csv_of([Row(payee, 2)]))
    again = await typist.type("send", file, "--bulk", bulk, "--json")
    assert json.loads(again.stdout)["bulk"] == bulk

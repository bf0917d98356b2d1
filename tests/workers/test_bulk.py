"""Real workers on a real bulk: killed at any point, resumed by the next, each line once, little memory."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from core.bulk.bulks import Bulk, BulkStatus
from core.bulk.posting import Ahead, post_some
from core.bulk.report import read_results
from core.database import Pool, in_tenant
from core.keys.safe import Safe
from tests.conftest import Books, Database, prove, texts_of
from tests.core.bulk.conftest import Desk
from tests.hub.processes import ROOT, free_port
from workers.bulk import post_bulks
from workers.privacy import make_exports, retain

LINES = 20_000
# Several chunks of an atomic bulk, to be killed between them.
ATOMIC_LINES = 50_000
StartWorker = Callable[[], "Worker"]


class Worker:
    """One `payhub work`."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.log = folder / f"worker-{free_port()}.log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PAYHUB_")},
            "PYTHONPATH": str(ROOT),
            "PAYHUB_DATABASE_URL": database.app_url,
            "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
            "PAYHUB_REDIS_URL": database.redis_url,
            "PAYHUB_MASTER_KEY_FILE": str(database.master_key_file),
            "PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
            "PAYHUB_DATA_DIR": str(folder),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "payhub", "work"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def rss_bytes(self) -> int:
        resident = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(resident) * os.sysconf("SC_PAGE_SIZE")


@pytest_asyncio.fixture
async def start_worker(database: Database, tmp_path: Path) -> AsyncIterator[StartWorker]:
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(database, tmp_path))
        return started[-1]

    yield start
    for worker in started:
        worker.stop()


@pytest_asyncio.fixture
async def desk(books: Books, pool: Pool, admin: Pool) -> Desk:
    await admin.execute("update payhub.bulks set status = 7 where status in (2, 3)")
    await books.fund(ATOMIC_LINES)
    return Desk(books, pool)


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.005)


async def assert_each_line_once(desk: Desk, bulk: Bulk, admin: Pool, before: list[int]) -> None:
    done = await desk.read(bulk)
    assert (done.status, done.through, done.posted, done.refused) == (BulkStatus.FINISHED, bulk.lines, bulk.lines, 0)
    assert done.posted_amount == bulk.lines
    balances = await desk.balances()
    paid = [bulk.lines // 3 + (at < bulk.lines % 3) for at in range(3)]
    assert [after - first for after, first in zip(balances, before, strict=True)] == [-bulk.lines, *paid]
    async with in_tenant(desk.pool, desk.tenant_id) as connection:
        # In the file's order, with no line skipped and none twice: the payer's events are numbered without a gap.
        found = await connection.fetch(
            "select id::text from payments where payer = $1 and status = 0 order by payer_version", desk.payer
        )
    texts = await texts_of(desk.pool, desk.tenant_id, [row[0] for row in found])
    assert texts == [f"line {at + 1}" for at in range(bulk.lines)]
    results = await read_results(desk.pool, desk.books.keys, desk.tenant_id, done, 0, bulk.lines + 1)
    assert len(results) == bulk.lines
    assert {one.status for one in results} == {"posted"}
    await prove(admin, desk.tenant_id)


async def test_a_worker_that_is_killed_at_any_point_is_followed_by_one_that_goes_on(
    desk: Desk, start_worker: StartWorker, admin: Pool
) -> None:
    before = await desk.balances()
    bulk = await desk.approved(desk.rows(LINES))
    reached = []
    for share in (0.01, 0.10, 0.50, 0.90, 0.99):
        worker = start_worker()

        async def is_there(share: float = share) -> bool:
            return (await desk.read(bulk)).through >= share * LINES

        await until(is_there)
        worker.kill()
        reached.append((await desk.read(bulk)).through)
    assert reached == sorted(reached)
    assert reached[0] < LINES
    workers = [start_worker(), start_worker()]

    async def is_over() -> bool:
        return (await desk.read(bulk)).status == BulkStatus.FINISHED

    await until(is_over)
    await assert_each_line_once(desk, bulk, admin, before)
    # Other tests of this database plant broken books, which workers rightly complain about.
    complaints = [line for worker in workers for line in worker.log.read_text().splitlines() if '"error"' in line]
    # Other tests plant errors in tenants of theirs.
    planted = ("tenants_unbalanced", "log_cannot_grow", "incidents_untold", "privacy_requests_late", "erasure_stuck")
    assert [line for line in complaints if not any(one in line for one in planted)] == []


async def test_an_atomic_bulk_whose_worker_is_killed_has_not_happened_and_then_happens_whole(
    desk: Desk, start_worker: StartWorker, admin: Pool
) -> None:
    before = await desk.balances()
    bulk = await desk.approved(desk.rows(ATOMIC_LINES), is_atomic=True)
    for share in (0.01, 0.5):
        worker = start_worker()

        async def is_there(share: float = share) -> bool:
            return ATOMIC_LINES > (await desk.read(bulk)).through >= share * ATOMIC_LINES

        await until(is_there)
        worker.kill()
        killed = await desk.read(bulk)
        assert (killed.status, killed.posted) == (BulkStatus.POSTING, 0)
        assert await desk.balances() == before
    start_worker()

    async def is_over() -> bool:
        return (await desk.read(bulk)).status == BulkStatus.FINISHED

    await until(is_over)
    await assert_each_line_once(desk, bulk, admin, before)


async def test_a_worker_holds_a_chunk_in_memory_and_not_the_bulk(desk: Desk, start_worker: StartWorker) -> None:
    # What other tests of this database left for a worker to do would be weighed, too.
    while await make_exports(desk.pool, desk.books.keys) or await retain(desk.pool, desk.books.keys):
        pass
    worker = start_worker()
    small = await desk.approved(desk.rows(2_500))

    async def is_over(bulk: Bulk = small) -> bool:
        return (await desk.read(bulk)).status == BulkStatus.FINISHED

    await until(is_over)
    before, most = worker.rss_bytes(), 0
    bulk = await desk.approved(desk.rows(LINES), is_atomic=True)

    async def is_over_too() -> bool:
        nonlocal most
        most = max(most, worker.rss_bytes())
        return (await desk.read(bulk)).status in {BulkStatus.FINISHED, BulkStatus.FAILED}

    await until(is_over_too)
    assert most - before < 20 * 1024 * 1024


async def test_a_race_is_tried_again_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = await desk.approved(desk.rows(10))
    tries = 0

    class DeadlockDetected(Exception):
        sqlstate = "40P01"

    async def racing(pool: Pool, keys: Safe, ahead: Ahead) -> int:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise DeadlockDetected
        return await post_some(pool, keys, ahead=ahead)

    monkeypatch.setattr("workers.bulk.post_some", racing)
    assert await post_bulks(desk.pool, desk.books.keys, Ahead(desk.books.keys)) == 10
    assert (await desk.read(bulk)).posted == 10

"""`payhub work`: a worker that was told which jobs to do does those."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.conftest import Database
from tests.hub.processes import ROOT, free_port


def environment_of(database: Database, folder: Path, port: int) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PAYHUB_")},
        "PYTHONPATH": str(ROOT),
        "PAYHUB_DATABASE_URL": database.app_url,
        "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
        "PAYHUB_REDIS_URL": database.redis_url,
        "PAYHUB_MASTER_KEY_FILE": str(database.master_key_file),
        "PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{port}",
        "PAYHUB_DATA_DIR": str(folder),
    }


def start(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "payhub", "work", "--only", "seal_logs", "--only", "watch_outbox"]
    with log.open("wb") as file:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)


def rounds_of(port: int) -> set[str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            lines = answer.read().decode().splitlines()
    except urllib.error.URLError:
        return set()
    return {line.split('work="')[1].split('"')[0] for line in lines if line.startswith("payhub_worker_rounds_total{")}


async def test_a_worker_does_the_jobs_it_was_told_and_no_other(database: Database, tmp_path: Path) -> None:
    port = free_port()
    process = start(environment_of(database, tmp_path, port), tmp_path / "worker.log")
    try:
        async with asyncio.timeout(60):
            while len(done := await asyncio.to_thread(rounds_of, port)) < 2:
                assert process.poll() is None, (tmp_path / "worker.log").read_text()
                await asyncio.sleep(0.1)
        # Whatever else a worker does, it does for the first time at once.
        await asyncio.sleep(0.5)
        assert done | await asyncio.to_thread(rounds_of, port) == {"seal_logs", "watch_outbox"}
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 20)


async def test_a_job_that_no_worker_does_is_refused_with_those_there_are(database: Database, tmp_path: Path) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "payhub", "work", "--only", "seal"],
        cwd=ROOT,
        env=environment_of(database, tmp_path, free_port()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "No worker does seal." in done.stderr and "seal_logs" in done.stderr and "deliver" in done.stderr

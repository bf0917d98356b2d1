"""Hubs as processes of their own, started, watched, drained and killed from outside."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx2

START_TIMEOUT_S = 40.0
ROOT = Path(__file__).parents[2]


class Databases(Protocol):
    """What a hub needs to be told about its servers."""

    @property
    def app_url(self) -> str: ...

    @property
    def keys_url(self) -> str: ...

    @property
    def redis_url(self) -> str: ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class HubProcess:
    """One `payhub serve`. Its log is a file; everything else is asked over its ports.

    `{port}` in a setting is the port that it has found.
    """

    def __init__(
        self,
        databases: Databases,
        folder: Path,
        name: str,
        *,
        master_key_file: Path,
        command: Sequence[str] = ("-m", "payhub", "serve"),
        **settings: str,
    ) -> None:
        self.name = name
        self._command = command
        self.port = free_port()
        self.admin_port = free_port()
        self.log = folder / f"{name}.log"
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PAYHUB_")},
            "PYTHONPATH": str(ROOT),
            "PAYHUB_DATABASE_URL": databases.app_url,
            "PAYHUB_KEYS_DATABASE_URL": databases.keys_url,
            "PAYHUB_REDIS_URL": databases.redis_url,
            "PAYHUB_MASTER_KEY_FILE": str(master_key_file),
            "PAYHUB_LISTEN": f"127.0.0.1:{self.port}",
            "PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{self.admin_port}",
            "PAYHUB_DATA_DIR": str(folder),
            # The second one is where browsers let a page of this machine have passkeys.
            "PAYHUB_ALLOWED_ORIGINS": "https://app.example.com,http://localhost:5173",
            **{f"PAYHUB_{key.upper()}": value.replace("{port}", str(self.port)) for key, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/native"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "start() comes first"
        return self._process

    async def start(self) -> "HubProcess":
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  # it is watched, not waited for
                [sys.executable, *self._command],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        async with httpx2.AsyncClient() as client:
            while True:
                assert self._process.poll() is None, f"{self.name} ended: {self.log.read_text()[-2000:]}"
                assert time.monotonic() < deadline, f"{self.name} is not ready: {self.log.read_text()[-2000:]}"
                try:
                    if (await client.get(f"{self.url}/readyz", timeout=3)).status_code == 200:
                        return self
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(0.05)

    def signal(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def ended(self, timeout_s: float = 20.0) -> float:
        """Wait for its end; the seconds it took."""
        started = time.monotonic()
        while self.process.poll() is None:
            assert time.monotonic() - started < timeout_s, f"{self.name} does not end"
            await asyncio.sleep(0.02)
        return time.monotonic() - started

    async def stop(self) -> None:
        if self._process is not None:
            self.signal()
            try:
                await self.ended()
            except AssertionError:
                self._process.kill()
                self._process.wait()
                raise

    def rss_bytes(self) -> int:
        resident = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(resident) * os.sysconf("SC_PAGE_SIZE")

    async def metrics(self) -> Mapping[str, float]:
        async with httpx2.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{self.admin_port}/metrics")).text
        rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in rows}

    def log_lines(self) -> list[dict[str, Any]]:
        """Every line of the log; each has to be one JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def bugs(self) -> list[dict[str, Any]]:
        """Lines that tell of an exception nobody expected."""
        return [line for line in self.log_lines() if line["level"] in {"error", "critical"} or "exception" in line]


# Beside the file of its number: as long as there is one so called, the hub stays away.
AWAY = ".away"


async def keep_up(hub: HubProcess, pid_file: Path) -> None:
    """Whenever the hub is gone, there is one again, at the same place; unless it is to be away for a while."""
    while True:
        if hub.process.poll() is not None and not pid_file.with_suffix(AWAY).exists():
            await hub.start()
            note_pid(hub, pid_file)
        await asyncio.sleep(0.02)


def note_pid(hub: HubProcess, pid_file: Path) -> None:
    """Written beside, then renamed: the tests read it at any moment."""
    beside = pid_file.with_suffix(".new")
    beside.write_text(str(hub.process.pid))
    beside.replace(pid_file)

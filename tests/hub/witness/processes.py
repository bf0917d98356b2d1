"""A witness as a process of its own, as its keeper starts it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.proof.checking import read_key
from core.proof.receipts import PublicKeys, to_text
from tests.hub.processes import ROOT, free_port
from workers.anchors.witness import WitnessChoice


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`payhub …`, waited for."""
    return subprocess.run(
        [sys.executable, str(ROOT / "payhub.py"), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def write_keys(path: Path, keys: PublicKeys) -> Path:
    """What /docs/proof-keys.json gives."""
    rows = [{"key": kid, "public_key": to_text(key.public_bytes_raw())} for kid, key in keys.items()]
    path.write_text(json.dumps({"keys": rows}))
    return path


class WitnessProcess:
    """One `payhub witness serve`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.log = folder / f"{name}.log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> "WitnessProcess":
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  # it is watched, not waited for
                [
                    *(sys.executable, str(ROOT / "payhub.py"), "witness", "serve"),
                    *("--data", str(self.folder), "--listen", f"127.0.0.1:{self.port}"),
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        async with httpx2.AsyncClient() as client:
            while True:
                assert self._process.poll() is None, self.log.read_text()[-2000:]
                assert time.monotonic() < deadline
                try:
                    if (await client.get(f"{self.url}/healthz", timeout=2)).status_code == 200:
                        return self
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(20)

    async def admit(self, institution: str, keys: PublicKeys) -> WitnessChoice:
        """Its keeper admits an institution; what the institution is given."""
        file = write_keys(self.folder.parent / f"keys-{institution}.json", keys)
        arguments = ("witness", "admit", institution, "--data", str(self.folder), "--keys", str(file))
        done = await asyncio.to_thread(call, *arguments, "--url", self.url, "--as", self.name)
        assert done.returncode == 0, done.stderr
        (entry,) = json.loads(done.stdout)
        return WitnessChoice(entry["name"], entry["url"], read_key(entry["public_key"]), entry["token"])

    async def keys(self) -> Mapping[str, Ed25519PublicKey]:
        async with httpx2.AsyncClient() as client:
            answer = (await client.get(f"{self.url}/v1/key")).json()
        return {one["key"]: read_key(one["public_key"]) for one in answer["keys"]}

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

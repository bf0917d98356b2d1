"""The TypeScript client against a real hub, which its tests kill and drain; here it is started again each time.

What is tested stands in clients/js/test/real. Needs `npm ci` in clients/js, which `make setup` does.
"""

import asyncio
import json
import os
from pathlib import Path

import pytest

from core.database import Pool
from core.people.opening import Tenant
from tests.conftest import prove
from tests.hub.conftest import Meet, StartHub
from tests.hub.known import ORIGIN, PASSWORD
from tests.hub.processes import ROOT, keep_up, note_pid

CLIENT = ROOT / "clients" / "js"
VITEST = CLIENT / "node_modules" / ".bin" / "vitest"
TIMEOUT_S = 90.0


@pytest.mark.skipif(not VITEST.exists(), reason="the client is not installed: make setup")
async def test_the_client_keeps_its_promises_with_a_real_hub(
    start_hub: StartHub, meet: Meet, tenant: Tenant, admin: Pool, tmp_path: Path
) -> None:
    hub = await start_hub("client")
    ana, bruno = await meet(tenant, funds=1_000_000), await meet(tenant)
    pid_file = tmp_path / "pid"
    note_pid(hub, pid_file)
    world = {
        "port": hub.port,
        "tenant": tenant.slug,
        "password": PASSWORD,
        "pidFile": str(pid_file),
        "origin": ORIGIN,
        "people": {
            "ana": {"login": ana.login, "account": ana.account},
            "bruno": {"login": bruno.login, "account": bruno.account},
        },
    }
    process = await asyncio.create_subprocess_exec(
        VITEST,
        "run",
        "--config",
        "vitest.real.config.ts",
        cwd=CLIENT,
        env={**os.environ, "PAYHUB_REAL": json.dumps(world), "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    keeping = asyncio.create_task(keep_up(hub, pid_file))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
        keeping.cancel()
    assert process.returncode == 0, output.decode()
    await prove(admin, tenant.id)

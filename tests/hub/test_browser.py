"""The pages in a real browser, with a real hub that the journeys kill; here it is started again each time.

What is tested stands in clients/js/test/browser. Needs Debian's chromium, or another one that PAYHUB_CHROMIUM names.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.database import Pool
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from tests.conftest import prove, the_keys
from tests.hub.conftest import StartHub, fund
from tests.hub.known import PASSWORD
from tests.hub.processes import ROOT, keep_up, note_pid

CLIENT = ROOT / "clients" / "js"
PLAYWRIGHT = CLIENT / "node_modules" / ".bin" / "playwright"
BUILT = CLIENT / "build" / "app.html"
CHROMIUM = os.environ.get("PAYHUB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
TIMEOUT_S = 420.0
# Each journey takes people of its own, so that none of them meets what another one did.
CAST: Sequence[tuple[str, Role, int, int]] = (
    ("customers", Role.CUSTOMER, 60, 1_000_00),
    ("merchants", Role.MERCHANT, 24, 500_00),
    ("operators", Role.OPERATOR, 8, 0),
)
FIRST_NAMES = ("Ana", "Bruno", "Carla", "Davi", "Elisa", "Fábio", "Gabriela", "Heitor", "Íris", "João")
LAST_NAMES = ("Souza", "Lima", "Prado", "Moraes", "Teles", "Nunes", "Rocha", "Alves")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it, or name one by PAYHUB_CHROMIUM")
@pytest.mark.skipif(not BUILT.exists(), reason="the client is not built: make setup")
async def test_every_journey_goes_through_in_a_real_browser(
    start_hub: StartHub, tenant: Tenant, pool: Pool, admin: Pool, tmp_path: Path
) -> None:
    # The page comes from the hub itself, so its own origins are those that may open a socket.
    hub = await start_hub("browser", allowed_origins="", web_tenant=tenant.slug)
    pid_file = tmp_path / "pid"
    note_pid(hub, pid_file)
    people = {name: await _open(pool, tenant, role, count, funds) for name, role, count, funds in CAST}
    world = {
        "url": f"http://localhost:{hub.port}",
        "tenant": tenant.slug,
        "password": PASSWORD,
        "pidFile": str(pid_file),
        "people": people,
    }
    process = await asyncio.create_subprocess_exec(
        PLAYWRIGHT,
        "test",
        *os.environ.get("PAYHUB_JOURNEYS", "").split(),
        cwd=CLIENT,
        env={
            **os.environ,
            "PAYHUB_BROWSER": json.dumps(world),
            "PAYHUB_CHROMIUM": CHROMIUM or "",
            "PAYHUB_SCREENSHOTS": os.environ.get("PAYHUB_SCREENSHOTS", str(tmp_path / "screenshots")),
            "NO_COLOR": "1",
        },
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


async def _open(pool: Pool, tenant: Tenant, role: Role, count: int, funds: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for at in range(count):
        name = f"{FIRST_NAMES[at % len(FIRST_NAMES)]} {LAST_NAMES[at // len(FIRST_NAMES) % len(LAST_NAMES)]}"
        login = f"{role.name.lower()}-{at}"
        opened = await open_person(pool, the_keys(), tenant.id, role, name, login, PASSWORD)
        if funds:
            await fund(pool, tenant, opened.account_id, funds, opened.person_id)
        found.append({"login": login, "name": name, "account": opened.account_id})
    return found

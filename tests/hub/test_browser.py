"""The pages in a real browser, with a real hub that the journeys kill; here it is started again each time.

What is tested stands in clients/js/test/browser. Needs Debian's chromium, or another one that PAYHUB_CHROMIUM names.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.bulk.posting import Ahead
from core.database import Pool, in_tenant
from core.keys.places import NOTICE_CONTENT
from core.ledger.rules import Rule, put_under_limits, set_limits, set_rule
from core.notices.kinds import NoticeKind
from core.nouns import Action, Measure
from core.outside import Outside
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from core.proof.notary import Signer
from tests.conftest import keep_sealing, prove, the_keys
from tests.hub.conftest import Enter, StartHub, fund
from tests.hub.known import PASSWORD
from tests.hub.processes import ROOT, keep_up, note_pid
from tests.hub.undelivered import set_aside
from workers.bulk import post_bulks
from workers.privacy import make_exports
from workers.webhooks.bringing import Bringing

CLIENT = ROOT / "clients" / "js"
PLAYWRIGHT = CLIENT / "node_modules" / ".bin" / "playwright"
BUILT = CLIENT / "build" / "app.html"
CHROMIUM = os.environ.get("PAYHUB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
TIMEOUT_S = 840.0
# Each journey takes people of its own, so that none of them meets what another one did.
CAST: Sequence[tuple[str, Role, int, int]] = (
    ("customers", Role.CUSTOMER, 70, 1_000_00),
    ("merchants", Role.MERCHANT, 24, 500_00),
    ("operators", Role.OPERATOR, 10, 0),
    ("auditors", Role.AUDITOR, 1, 0),
    ("support", Role.SUPPORT, 1, 0),
    ("limited", Role.CUSTOMER, 4, 1_000_00),
    ("watched", Role.CUSTOMER, 2, 1_000_00),
    ("penniless", Role.CUSTOMER, 4, 0),
)
# What those who are limited may pay: in a day, and how high they may set it. What the watched pay above this, somebody
# looks at first.
DAY, DAY_AT_MOST, LOOKED_AT = 500_00, 2_000_00, 100_00
LIMITS, WATCH = 1, 2
# Where the servers are that merchants have told of what happens.
LOOPBACK = "127.0.0.0/8"
FIRST_NAMES = ("Ana", "Bruno", "Carla", "Davi", "Elisa", "Fábio", "Gabriela", "Heitor", "Íris", "João")
LAST_NAMES = ("Souza", "Lima", "Prado", "Moraes", "Teles", "Nunes", "Rocha", "Alves")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it, or name one by PAYHUB_CHROMIUM")
@pytest.mark.skipif(not BUILT.exists(), reason="the client is not built: make setup")
async def test_every_journey_goes_through_in_a_real_browser(
    start_hub: StartHub, enter: Enter, tenant: Tenant, pool: Pool, admin: Pool, signer: Signer, tmp_path: Path
) -> None:
    # The page comes from the hub itself, so its own origins are those that may open a socket. Tills prove what they ask
    # under the hub's own name.
    hub = await start_hub(
        "browser",
        public_url="http://localhost:{port}",
        allowed_origins="",
        web_tenant=tenant.slug,
        webhook_networks=LOOPBACK,
    )
    pid_file = tmp_path / "pid"
    note_pid(hub, pid_file)
    people = {name: await _open(pool, tenant, name, role, count, funds) for name, role, count, funds in CAST}
    await _limit(pool, tenant, *([one["account"] for one in people[cast]] for cast in ("limited", "watched")))
    await set_aside(pool, the_keys(), admin, await enter(tenant))
    codes_file = tmp_path / "codes.json"
    codes_file.write_text("{}")
    world = {
        "url": f"http://localhost:{hub.port}",
        "tenant": tenant.slug,
        "password": PASSWORD,
        "pidFile": str(pid_file),
        "codesFile": str(codes_file),
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
    keeping = asyncio.gather(
        keep_up(hub, pid_file), keep_sealing(pool, signer), _work(pool), _note_codes(pool, tenant, codes_file)
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
        keeping.cancel()
    assert process.returncode == 0, output.decode()
    await prove(admin, tenant.id)


async def _work(pool: Pool) -> None:
    """What a worker does behind the pages: copies of one's data are made, files paid, merchants' servers told."""
    keys = the_keys()
    ahead, bringing = Ahead(keys), Bringing(pool, keys, Outside([LOOPBACK]))
    try:
        while True:
            if not await make_exports(pool, keys) + await post_bulks(pool, keys, ahead) + await bringing.look():
                await asyncio.sleep(0.2)
    finally:
        await bringing.close(0)


async def _note_codes(pool: Pool, tenant: Tenant, codes_file: Path) -> None:
    """What would be in people's mails: the last code of each, by their account."""
    while True:
        async with in_tenant(pool, tenant.id) as connection:
            rows = await connection.fetch(
                "select accounts.id, notices.id::text, notices.person_id::text, notices.sealed"
                "  from notices join accounts using (tenant_id, person_id)"
                " where notices.tenant_id = $1 and notices.kind = $2 order by notices.noted_at",
                tenant.id,
                NoticeKind.CONTACT_CODE,
            )
        codes = {}
        for account, notice, person, sealed in rows:
            cipher = await the_keys().one(tenant.id, person)
            codes[account] = cipher.open(*NOTICE_CONTENT.at(notice), sealed)
        beside = codes_file.with_suffix(".new")
        beside.write_text(json.dumps(codes))
        beside.replace(codes_file)
        await asyncio.sleep(0.2)


async def _limit(pool: Pool, tenant: Tenant, limited: Sequence[int], watched: Sequence[int]) -> None:
    operator = await open_person(pool, the_keys(), tenant.id, Role.OPERATOR, "Otto Lima", "limiting", PASSWORD)
    day = Rule(1, LIMITS, "Day", Measure.DAY, DAY, Action.REFUSE, own_max=DAY_AT_MOST)
    look = Rule(2, WATCH, "Look first", Measure.PAYMENT, LOOKED_AT, Action.REVIEW)
    for rule, accounts in ((day, limited), (look, watched)):
        await set_limits(pool, tenant.id, rule.limits, "Customers", operator.person_id)
        await set_rule(pool, tenant.id, rule, operator.person_id)
        for account in accounts:
            await put_under_limits(pool, tenant.id, account, rule.limits, operator.person_id)


async def _open(pool: Pool, tenant: Tenant, cast: str, role: Role, count: int, funds: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for at in range(count):
        name = f"{FIRST_NAMES[at % len(FIRST_NAMES)]} {LAST_NAMES[at // len(FIRST_NAMES) % len(LAST_NAMES)]}"
        login = f"{cast}-{at}"
        opened = await open_person(pool, the_keys(), tenant.id, role, name, login, PASSWORD)
        if funds:
            await fund(pool, tenant, opened.account_id, funds, opened.person_id)
        found.append({"login": login, "name": name, "account": opened.account_id, "person": opened.person_id})
    return found

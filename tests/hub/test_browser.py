"""Passkeys in a real browser, with the authenticator that it has for tests (Chrome DevTools Protocol, WebAuthn)."""

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

from tests.hub.conftest import Hubs
from tests.hub.known import Known, bearer, claims_of
from tests.hub.processes import HubProcess

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
START_TIMEOUT_S = 30.0
# The one that a phone or a laptop has built in, with a holder that it knows.
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
CREATE = """
navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(%s))})
  .then(made => JSON.stringify(made.toJSON()))
"""
GET = """
navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(%s))})
  .then(got => JSON.stringify(got.toJSON()))
"""

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="no chromium on this machine (Debian: apt-get install chromium)"
)


class Page:
    """One page of the browser, spoken to by its debugger."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)

    async def ask(self, method: str, **parameters: Any) -> Any:
        id_ = next(self._ids)
        await self._connection.send(json.dumps({"id": id_, "method": method, "params": parameters}))
        async with asyncio.timeout(20):
            while (message := json.loads(await self._connection.recv())).get("id") != id_:
                pass
        assert "error" not in message, message
        return message["result"]

    async def run(self, script: str, options: str) -> str:
        """What a script's promise gives; its failure, if it fails."""
        result = await self.ask(
            "Runtime.evaluate",
            expression=script % json.dumps(options),
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            return str(result["exceptionDetails"]["exception"].get("description"))
        return str(result["result"]["value"])

    async def open(self, url: str) -> None:
        await self.ask("Page.enable")
        await self.ask("Page.navigate", url=url)
        async with asyncio.timeout(20):
            while (await self.run("Promise.resolve(document.readyState + location.origin + %s)", "")) != (
                f"complete{url.rstrip('/')}"
            ):
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    browser = subprocess.Popen(  # noqa: ASYNC220  # it is watched, not waited for
        [
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--remote-debugging-port=0",
            f"--user-data-dir={tmp_path / 'browser'}",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        where = tmp_path / "browser" / "DevToolsActivePort"
        async with asyncio.timeout(START_TIMEOUT_S):
            while not (where.exists() and len(where.read_text().split()) == 2):
                assert browser.poll() is None, "the browser ended at once"
                await asyncio.sleep(0.05)
            port = where.read_text().split()[0]
            async with httpx2.AsyncClient() as client:
                while True:
                    targets = (await client.get(f"http://127.0.0.1:{port}/json/list")).json()
                    pages = [one for one in targets if one["type"] == "page"]
                    if pages:
                        break
                    await asyncio.sleep(0.05)
        async with connect(pages[0]["webSocketDebuggerUrl"], max_size=None, compression=None, proxy=None) as connection:
            yield Page(connection)
    finally:
        browser.terminate()
        try:
            browser.wait(10)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()


def local(hub: HubProcess) -> str:
    """Where a page of this hub is, by the name that browsers give passkeys to."""
    return f"http://localhost:{hub.port}"


async def test_a_real_browser_registers_a_passkey_and_logs_in_by_it(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, page: Page
) -> None:
    hub = hubs.a
    await page.open(local(hub) + "/")
    await page.ask("WebAuthn.enable")
    virtual = (await page.ask("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR))["authenticatorId"]
    token = (await known.tokens(web, hub))["access_token"]
    asked = (await web.post(f"{hub.url}/v1/factors/passkeys/options", json={}, headers=bearer(token))).json()
    body = {"credential": await page.run(CREATE, asked["options"]), "name": "Chromium"}
    made = await web.post(f"{hub.url}/v1/factors/passkeys", json=body, headers=bearer(token))
    assert made.status_code == 201, (made.text, body)
    # As the second factor.
    ticket = await known.ticket(web, hub)
    done = await known.prove(web, hub, ticket["ticket"], credential=await page.run(GET, ticket["passkey"]))
    assert done.status_code == 200, done.text
    assert claims_of(done.json()["access_token"])["amr"] == ["pwd", "pop", "mfa"]
    # And alone.
    tenant = {"tenant": known.tenant.slug}
    asked = (await web.post(f"{hub.url}/v1/login/passkey/options", json=tenant)).json()
    credential = await page.run(GET, asked["options"])
    alone = await web.post(f"{hub.url}/v1/login/passkey", json={**tenant, "credential": credential})
    assert alone.status_code == 200, alone.text
    assert alone.json()["person"] == known.person
    # The same passkey is not registered twice: the browser itself refuses, since it is on the list of known ones.
    fresh = made.json()["access_token"]
    asked = (await web.post(f"{hub.url}/v1/factors/passkeys/options", json={}, headers=bearer(fresh))).json()
    assert "InvalidStateError" in await page.run(CREATE, asked["options"])
    # An authenticator that does not know its holder is no log-in.
    await page.ask("WebAuthn.setUserVerified", authenticatorId=virtual, isUserVerified=False)
    asked = (await web.post(f"{hub.url}/v1/login/passkey/options", json=tenant)).json()
    assert "NotAllowedError" in await page.run(GET, asked["options"])


async def test_a_real_browser_gives_no_passkey_of_this_hub_to_another_origin(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, page: Page
) -> None:
    await page.open(local(hubs.b) + "/")
    await page.ask("WebAuthn.enable")
    await page.ask("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)
    token = (await known.tokens(web, hubs.a))["access_token"]
    asked = (await web.post(f"{hubs.a.url}/v1/factors/passkeys/options", json={}, headers=bearer(token))).json()
    # The browser lets every port of localhost ask; the hub has a list.
    body = {"credential": await page.run(CREATE, asked["options"]), "name": "Elsewhere"}
    refused = await web.post(f"{hubs.a.url}/v1/factors/passkeys", json=body, headers=bearer(token))
    assert (refused.status_code, refused.json()["code"]) == (403, "proof_refused"), body
    options = json.loads(asked["options"]) | {"rp": {"id": "pay.example.com", "name": "x"}}
    assert "SecurityError" in await page.run(CREATE, json.dumps(options))

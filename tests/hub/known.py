"""Somebody with a login: who logs in over HTTP as clients do, with all that takes."""

import json
import time
from typing import Any, NamedTuple

import httpx2
import pyotp

from core.database import Pool, in_tenant
from core.people.opening import Tenant
from core.people.persons import Role
from tests.authenticator import Authenticator, decode
from tests.hub.processes import HubProcess
from tests.hub.stranger import Stranger, Wire

PASSWORD = "zq-canary correct horse"
# Where the hubs of the tests let pages have passkeys: tests/hub/processes.py.
ORIGIN = "http://localhost:5173"
STEP_S = 30


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def network_of(web: httpx2.AsyncClient) -> str:
    """Where these requests come from, as the audit trail says it."""
    return ".".join(web.headers["x-forwarded-for"].split(".")[:3]) + ".0/24"


async def connect(hub: HubProcess, token: str) -> Stranger:
    client = await Stranger.connect(hub.socket_url)
    assert (await client.authenticate(token))["type"] == "welcome"
    return client


class Known(NamedTuple):
    """A person, and the way to their tokens."""

    pool: Pool
    tenant: Tenant
    login: str
    person: str
    account: int
    role: Role

    async def log_in(self, web: httpx2.AsyncClient, hub: HubProcess, **more: Any) -> httpx2.Response:
        body = {"tenant": self.tenant.slug, "login": self.login, "password": PASSWORD, **more}
        return await web.post(f"{hub.url}/v1/login", json=body)

    async def tokens(self, web: httpx2.AsyncClient, hub: HubProcess, **more: Any) -> Wire:
        """Of somebody without a second factor."""
        answer = await self.log_in(web, hub, **more)
        assert answer.status_code == 200, answer.text
        content: Wire = answer.json()
        return content

    async def ticket(self, web: httpx2.AsyncClient, hub: HubProcess, **more: Any) -> Wire:
        """Of somebody with one: the first step of two."""
        answer = await self.log_in(web, hub, **more)
        assert answer.status_code == 202, answer.text
        content: Wire = answer.json()
        return content

    async def prove(self, web: httpx2.AsyncClient, hub: HubProcess, ticket: str, **more: Any) -> httpx2.Response:
        """The second step."""
        body = {"tenant": self.tenant.slug, "ticket": ticket, **more}
        return await web.post(f"{hub.url}/v1/login/factor", json=body)

    async def enrol_app(self, web: httpx2.AsyncClient, hub: HubProcess, token: str) -> tuple["App", Wire]:
        begun = await web.post(f"{hub.url}/v1/factors/totp", json={}, headers=bearer(token))
        assert begun.status_code == 201, begun.text
        app = App(self, pyotp.TOTP(begun.json()["secret"]))
        path = f"/v1/factors/totp/{begun.json()['factor']}/confirm"
        done = await web.post(hub.url + path, json={"code": app.code()}, headers=bearer(token))
        assert done.status_code == 200, done.text
        content: Wire = done.json()
        return app, content

    async def enrol_passkey(
        self, web: httpx2.AsyncClient, hub: HubProcess, token: str, **how: Any
    ) -> tuple[Authenticator, Wire]:
        key = Authenticator(ORIGIN, **how)
        asked = await web.post(f"{hub.url}/v1/factors/passkeys/options", json={}, headers=bearer(token))
        assert asked.status_code == 200, asked.text
        body = {"credential": key.create(asked.json()["options"]), "name": "Key é"}
        done = await web.post(f"{hub.url}/v1/factors/passkeys", json=body, headers=bearer(token))
        assert done.status_code == 201, done.text
        content: Wire = done.json()
        return key, content


class App(NamedTuple):
    """An authenticator app."""

    owner: Known
    totp: pyotp.TOTP

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many half minutes later."""
        return self.totp.at(int(time.time()) + steps * STEP_S)

    async def unused_code(self) -> str:
        """What it shows now, as if half a minute had gone by since the last one was used."""
        async with in_tenant(self.owner.pool, self.owner.tenant.id) as connection:
            await connection.execute("update factors set last_step = null where person_id = $1", self.owner.person)
        return self.code()


def claims_of(token: str) -> Wire:
    """What a token says, read without a key."""
    content: Wire = json.loads(decode(token.split(".")[1]))
    return content

"""Signing keys that turn under load: no valid token is refused, and none of an old key once its overlap is over.

`python -m tests.hub.rotating` does it with two hub processes and the times that Payhub has: three rotations within a
minute, half a minute's announcement, tokens of five minutes. It takes about seven minutes. The tests do the same with
short times.
"""

import argparse
import asyncio
import datetime
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx2
import jwt

from config.embedded import temporary_servers
from config.settings import ensure_master_key
from core import keyring
from core.database import open_pool
from core.keyring import ANNOUNCEMENT_DELAY
from core.keys.choosing import Choice, open_safe
from core.keys.master import Master
from core.people.opening import create_tenant, open_people
from core.people.persons import Role
from core.people.sessions import start_session
from hub.app import KEYS_READ_S
from hub.auth import LEEWAY_S, TOKEN_LIFETIME_S, Tokens
from tests.conftest import Database, make_database
from tests.hub.processes import HubProcess
from tests.hub.stranger import Stranger

SERVE = ("-m", "payhub", "serve")
ALGORITHMS = ("ES256", "EdDSA", "ES256")


class Times(NamedTuple):
    """`every_s`: from one rotation to the next. `delay_s`: from a key's announcement to its first token."""

    lifetime_s: float
    every_s: float
    delay_s: float
    read_s: float


class Report(NamedTuple):
    """What was seen. `by_kid`: how many checks each key's tokens passed; `after`: those after it had stopped signing."""

    checked: int
    refused: list[str]
    by_kid: dict[str, int]
    after: dict[str, int]
    old_taken: list[str]
    renewed: int


class Somebody(NamedTuple):
    """A person's session."""

    person: str
    refresh_token: str


class Turning:
    """Load on some hubs while their keys turn."""

    def __init__(self, places: Sequence[HubProcess], slug: str, times: Times) -> None:
        self._places = places
        self._slug = slug
        self._times = times
        self._live: list[tuple[str, float]] = []
        self._stopped = asyncio.Event()
        self.checked: Counter[str] = Counter()
        self.after: Counter[str] = Counter()
        self.retired: dict[str, float] = {}
        self.refused: list[str] = []
        self.renewed = 0

    async def refresh(self, web: httpx2.AsyncClient, somebody: Somebody) -> tuple[str, Somebody]:
        """A fresh access token."""
        body = {"tenant": self._slug, "refresh_token": somebody.refresh_token}
        answer = await web.post(f"{random.choice(self._places).url}/v1/refresh", json=body)
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        end = jwt.decode(token, options={"verify_signature": False})["exp"]
        self._live.append((token, end))
        return token, somebody._replace(refresh_token=answer.json()["refresh_token"])

    async def walk(self, somebody: Somebody) -> None:
        """Get tokens now and then, and try any that is still good, at any hub and either door."""
        async with httpx2.AsyncClient(timeout=20) as web:
            fresh_at = 0.0
            while not self._stopped.is_set():
                if time.monotonic() >= fresh_at:
                    _, somebody = await self.refresh(web, somebody)
                    # Often enough that each key signs for everybody.
                    fresh_at = time.monotonic() + self._times.every_s / 4
                now = time.time()
                # Dropped half a second before they end: what is on its way when a token ends is no fault.
                self._live = [one for one in self._live if one[1] > now + 0.5]
                if self._live:
                    await self.check(web, random.choice(self._live)[0])
                await asyncio.sleep(0.02)

    async def check(self, web: httpx2.AsyncClient, token: str) -> None:
        """A good token has to be taken."""
        kid = jwt.get_unverified_header(token)["kid"]
        problem = await self.is_refused(web, random.choice(self._places), token, by_socket=random.random() < 0.5)
        if problem is not None:
            self.refused.append(f"{kid}: {problem}")
        self.checked[kid] += 1
        if self.retired.get(kid, float("inf")) < time.time():
            self.after[kid] += 1

    async def is_refused(
        self, web: httpx2.AsyncClient, place: HubProcess, token: str, *, by_socket: bool
    ) -> str | None:
        """Why this hub does not take the token; None if it does."""
        if by_socket:
            async with await Stranger.connect(place.socket_url) as client:
                welcome = await client.authenticate(token)
            return None if welcome["type"] == "welcome" else str(welcome.get("message", welcome))
        answer = await web.get(f"{place.url}/v1/profile", headers={"authorization": f"Bearer {token}"})
        return None if answer.status_code == 200 else answer.text

    async def stay(self, somebody: Somebody) -> None:
        """A socket that is never let go: each token is renewed before it ends."""
        async with httpx2.AsyncClient(timeout=20) as web:
            token, somebody = await self.refresh(web, somebody)
            async with await Stranger.connect(random.choice(self._places).socket_url) as client:
                assert (await client.authenticate(token))["type"] == "welcome"
                while not self._stopped.is_set():
                    await asyncio.sleep(self._times.lifetime_s / 3)
                    token, somebody = await self.refresh(web, somebody)
                    answer = await client.ask("renew", token=token)
                    if answer["type"] != "renewed":
                        self.refused.append(f"renew: {answer}")
                    self.renewed += 1

    def stop(self) -> None:
        self._stopped.set()


async def turn(database: Database, places: Sequence[HubProcess], times: Times, *, walkers: int, stayers: int) -> Report:
    """Three rotations under load, and what came of it."""
    pool = await open_pool(database.app_url, size_max=4, name="payhub-tests")
    safe = await open_safe(Choice(database.keys_url, "local", database.master_key_file), name="payhub-tests")
    admin = await asyncpg.connect(database.admin_url, server_settings={"search_path": "payhub"})
    try:
        tenant = await create_tenant(admin, "turning", "Turning", "BRL", "America/Sao_Paulo")
        people = await open_people(pool, safe, tenant.id, Role.CUSTOMER, ["Somebody"] * (walkers + stayers))
        sessions = [await start_session(pool, tenant.id, one.person_id) for one in people]
        everybody = [
            Somebody(one.person_id, session.refresh_token) for one, session in zip(people, sessions, strict=True)
        ]
        turning = Turning(places, tenant.slug, times)
        tasks = [asyncio.create_task(turning.walk(one)) for one in everybody[:walkers]]
        tasks += [asyncio.create_task(turning.stay(one)) for one in everybody[walkers:]]
        await asyncio.sleep(times.every_s / 3)
        handover = 0.0
        for algorithm in ALGORITHMS:
            delay = datetime.timedelta(seconds=times.delay_s)
            await keyring.rotate(admin, safe.master, algorithm, delay)
            handover = time.time() + times.delay_s
            turning.retired.update(await _retired(admin, safe.master))
            await asyncio.sleep(times.every_s)
        # Until the last old key's last token is over, and a little more.
        over = handover + times.lifetime_s + LEEWAY_S + 1
        await asyncio.sleep(max(over - time.time(), 0))
        turning.stop()
        await asyncio.gather(*tasks)
        old_taken = await _try_old_keys(
            turning, places, admin, safe.master, tenant.id, people[0].person_id, sessions[0].session_id
        )
    finally:
        await admin.close()
        await safe.close()
        await pool.close()
    checked, after = dict(turning.checked), dict(turning.after)
    return Report(sum(checked.values()), turning.refused, checked, after, old_taken, turning.renewed)


async def _retired(admin: "asyncpg.Connection[asyncpg.Record]", master: Master) -> dict[str, float]:
    keys = await keyring.load_keys(admin, master)
    return {key.kid: key.signs_until.timestamp() for key in keys if key.signs_until is not None}


async def _try_old_keys(
    turning: Turning,
    places: Sequence[HubProcess],
    admin: "asyncpg.Connection[asyncpg.Record]",
    master: Master,
    tenant_id: int,
    person: str,
    session: str,
) -> list[str]:
    """What hubs take that somebody signs who has the old private keys: nothing, it has to be."""
    taken = []
    keys = await keyring.load_keys(admin, master)
    async with httpx2.AsyncClient(timeout=20) as web:
        for key in keys:
            token = (
                Tokens([key._replace(signs_until=None)])
                .issue(tenant_id, person, Role.CUSTOMER, session, time.time())
                .token
            )
            for place in places:
                for by_socket in (True, False):
                    problem = await turning.is_refused(web, place, token, by_socket=by_socket)
                    is_newest = key.signs_until is None
                    if problem is None and not is_newest:
                        taken.append(f"{key.kid} at {place.url}")
                    # The newest is good: a harness that refuses everything proves nothing.
                    assert not (is_newest and problem is not None), problem
    return taken


def show(report: Report) -> str:
    """The report in a few lines."""
    return "\n".join(
        (
            f"valid tokens checked     {report.checked:,}, of {len(report.by_kid)} keys",
            f"refused of them          {len(report.refused)} {report.refused[:3] or ''}",
            f"taken in the overlap     {sum(report.after.values()):,} of keys that signed no more",
            f"renewals on open sockets {report.renewed:,}",
            f"taken of old keys after  {len(report.old_taken)} {report.old_taken[:3] or ''}",
        )
    )


@asynccontextmanager
async def two_hubs(command: Sequence[str] = SERVE) -> AsyncIterator[tuple[Database, list[HubProcess]]]:
    """Two hubs with servers of their own: keys are the whole installation's."""
    with tempfile.TemporaryDirectory() as name, temporary_servers(durable=False) as servers:
        folder = Path(name)
        master_key_file = folder / "master.key"
        ensure_master_key(master_key_file)
        database = await make_database(servers, master_key_file)
        hubs = [
            HubProcess(database, folder, one, master_key_file=master_key_file, command=command) for one in ("a", "b")
        ]
        try:
            for hub in hubs:
                await hub.start()
            yield database, hubs
            assert all(hub.bugs() == [] for hub in hubs)
        finally:
            for hub in hubs:
                await hub.stop()


async def main(walkers: int, stayers: int) -> Report:
    """The whole minute, with the times of a real installation."""
    times = Times(TOKEN_LIFETIME_S, 20, ANNOUNCEMENT_DELAY.total_seconds(), KEYS_READ_S)
    async with two_hubs() as (database, hubs):
        return await turn(database, hubs, times, walkers=walkers, stayers=stayers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walkers", type=int, default=8)
    parser.add_argument("--stayers", type=int, default=8)
    arguments = parser.parse_args()
    found = asyncio.run(main(arguments.walkers, arguments.stayers))
    print(show(found))  # noqa: T201  # it is a command
    assert len(found.by_kid) == len(ALGORITHMS) + 1
    assert not found.refused
    assert not found.old_taken

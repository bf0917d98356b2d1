"""Sends secrets through everything, breaks things meanwhile, and searches every place for what must not be there.

python -m tests.hub.hygiene.run --rounds 20
"""

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx2
from redis.asyncio import Redis

from config.embedded import Servers, temporary_servers
from config.settings import ensure_master_key
from core.database import Pool, open_pool
from core.keys.choosing import Choice, open_safe
from core.people.opening import create_tenant
from core.people.persons import Role
from tests.conftest import Database, make_database
from tests.hub.hygiene.canaries import Canary, draw_forbidden
from tests.hub.hygiene.places import Eavesdropper, Found, Search, dump, files_of, read_redis, write_out
from tests.hub.hygiene.sending import Sending
from tests.hub.processes import HubProcess
from tests.hub.walling.commands import Command, read_commands
from tests.hub.walling.doors import SUBPROTOCOLS
from tests.hub.walls import read_documents

ROLES = (Role.CUSTOMER, Role.MERCHANT, Role.OPERATOR)


class Outcome(NamedTuple):
    """What was sent, what was let in, and what was found. `taken`: a command that was done with a secret in it."""

    canaries: int
    sent: int
    taken: list[tuple[str, str]]
    codes: dict[str, set[str]]
    places: Counter[str]
    found: list[Found]


# Of this kind is what is put into every place on purpose: a search that does not find it would find nothing.
PLANTED = Canary("planted", "4-planted-ção-7319", "4-planted-ção-7319")


async def send_and_search(
    servers: Servers, folder: Path, rounds: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> Outcome:
    """All of it, on servers of its own, which end with it."""
    dice = random.Random(seed)
    forbidden = draw_forbidden(dice)
    key_file = folder / "master.key"
    ensure_master_key(key_file)
    async with AsyncExitStack() as ending:
        database = await make_database(servers, key_file)
        keys = await open_safe(Choice(database.keys_url, "local", key_file), name="payhub-hygiene")
        ending.push_async_callback(keys.close)
        pool = await open_pool(database.app_url, size_max=2, name="payhub-hygiene")
        ending.push_async_callback(pool.close)
        admin = await open_pool(database.admin_url, size_max=2, name="payhub-hygiene-admin")
        ending.push_async_callback(admin.close)
        tenant = await create_tenant(admin, "hygiene", "A tenant", "BRL", "America/Sao_Paulo")
        listener = Eavesdropper(database.redis_url)
        await listener.begin()
        ending.push_async_callback(listener.end)
        settings = {"public_url": "http://localhost:8080", "trusted_proxies": "127.0.0.1", "log_level": "debug"}
        hub = HubProcess(database, folder / "logs", "hub", master_key_file=key_file, **settings)
        (folder / "logs").mkdir()
        ending.push_async_callback(hub.stop)
        await hub.start()
        documents = await read_documents(hub.url)
        commands = read_commands(*documents)
        sending = Sending(hub, documents, commands, forbidden, pool, keys, tenant, seed)
        ending.push_async_callback(sending.leave)
        for role in ROLES:
            await sending.enter(role)
        await sending.enrol(Role.CUSTOMER)
        for _ in range(2):
            for command, role in itertools.product(commands, ROLES):
                if command.door != SUBPROTOCOLS[1]:
                    await sending.do(role, command)
        say(f"{len(sending.shown)} secrets were given out by the hub itself")
        for at in range(rounds):
            for command in commands:
                await sending.send(dice.choice(ROLES), command, is_wild=at % 3 == 2)
            if at % 3 == 1:
                # In the middle of what it was asked, the database hangs up.
                await _disturb(admin, lambda: _send_some(sending, commands, dice))
            say(f"round {at + 1}: {sending.sent:,} messages, {len(sending.taken)} taken")
        await _plant(admin, database, hub.log)
        await listener.catch_up(PLANTED.text)
        metrics = await _metrics(hub)
        await sending.leave()
        await hub.stop()
        canaries = [PLANTED, *forbidden, *sending.passwords, *sending.shown_secrets(), *_kept_secrets(key_file)]
        search = Search(canaries)
        places: Counter[str] = Counter()
        found: list[Found] = []

        def look(place: str, content: bytes) -> None:
            places[place.split("/")[0]] += 1
            found.extend(search.look_into(place, content))

        look("metrics", metrics)
        for at, said in enumerate(listener.heard):
            look(f"said to redis/{at}", said)
        for url, name in ((database.admin_url, "ledger"), (database.keys_admin_url, "keys")):
            for table, rows in await dump(url):
                look(f"dump of {name}/{table}", rows)
        for key, value in await read_redis(database.redis_url):
            look(f"redis/{key}", value)
        await write_out(database.admin_url)
        for path, content in files_of(servers, folder / "logs"):
            look(path, content)
        return Outcome(search.count, sending.sent, sending.taken, sending.codes, places, found)


def _kept_secrets(key_file: Path) -> Sequence[Canary]:
    """What the installation itself keeps: the master key."""
    kept = key_file.read_bytes()
    return [Canary("master key", kept.hex(), kept.decode("latin-1"))]


async def _send_some(sending: Sending, commands: Sequence[Command], dice: random.Random) -> None:
    for command in dice.sample(list(commands), 20):
        await sending.send(dice.choice(ROLES), command, is_wild=True)


async def _disturb(admin: Pool, meanwhile: Callable[[], Awaitable[None]]) -> None:
    working = asyncio.ensure_future(meanwhile())
    while not working.done():
        await asyncio.sleep(0.05)
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'payhub%'"
            " and application_name not like 'payhub-hygiene%' and pid <> pg_backend_pid()"
        )
    await working


async def _plant(admin: Pool, database: Database, log: Path) -> None:
    text = PLANTED.text
    await admin.execute("update payhub.tenants set name = $1", text)
    keys = await asyncpg.connect(database.keys_admin_url)
    try:
        await keys.execute("create table payhub.planted as select $1::text as text", text)
    finally:
        await keys.close()
    async with Redis.from_url(database.redis_url) as redis:
        await redis.set("planted", text)
        await redis.publish("planted", text)
    with log.open("a") as lines:
        lines.write(text.encode("unicode_escape").decode() + "\n")


async def _metrics(hub: HubProcess) -> bytes:
    async with httpx2.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{hub.admin_port}/metrics")).content


async def _main(rounds: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as made, temporary_servers(durable=False) as servers:
        outcome = await send_and_search(servers, Path(made), rounds, seed, _say)
    _say(f"{outcome.canaries} secrets, {outcome.sent:,} messages; searched: {dict(outcome.places)}")
    _say(f"taken with a secret inside: {Counter(outcome.taken).most_common()}")
    found = [one for one in outcome.found if one.kind != PLANTED.kind]
    _say(f"what was planted was found in: {sorted({one.place for one in outcome.found if one.kind == PLANTED.kind})}")
    for one in found[:60]:
        _say(f"FOUND {one.kind} in {one.place}: {one.around!r}")
    _say(f"{len(found)} found")
    return min(len(found), 1)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(_main(given.rounds, given.seed)))

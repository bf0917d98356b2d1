"""Throws frames at a live hub: random bytes, damaged messages, and random commands in random order.

As a script it starts servers and a hub of its own: `python -m tests.hub.fuzz --frames 1000000 --seconds 600`.
The same seed sends the same frames.
"""

import argparse
import asyncio
import json
import random
import secrets
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
from websockets.exceptions import ConnectionClosed

from config.embedded import temporary_servers
from core.database import open_pool
from core.keyring import create_key, load_keys
from core.keys.choosing import Choice, open_safe
from core.keys.local import LocalKeys
from core.keys.master import Master
from core.keys.store import SQL as KEYS_SQL
from core.migrate import migrate
from core.people.opening import create_tenant, open_person
from core.people.persons import Role
from hub.auth import Tokens
from tests.conftest import Database
from tests.hub.conftest import Somebody, fund, log_in
from tests.hub.processes import HubProcess
from tests.hub.protocol.examples import from_client, to_row
from tests.hub.raw import RawSocket, frame
from tests.hub.stranger import JSON, MSGPACK, Stranger

# But for the one that would hold the fuzzer itself to a second factor, and let it find no other door.
ROWS = [row for row in map(to_row, from_client()) if not row["value"].get("operators_need_factor")]
ODDITIES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2**53,
    2**63,
    1.5,
    "",
    "x" * 200,
    "\u202e",
    "%00../*",
    [],
    [[]],
    {},
    [1, 2],
)


class Fuzzer:
    """One seed's worth of malice against one hub."""

    def __init__(self, hub: HubProcess, somebody: Somebody, seed: int) -> None:
        self.hub = hub
        self.somebody = somebody
        self.random = random.Random(seed)
        self.frames = 0
        self.heard: Counter[str] = Counter()

    async def run(self, frames: int, seconds: float) -> None:
        """Until so many frames were sent or so much time has passed."""
        deadline = time.monotonic() + seconds
        while self.frames < frames and time.monotonic() < deadline:
            try:
                async with asyncio.timeout(20):
                    await self.random.choice((self._send_bytes, self._send_damage, self._send_commands))()
            except (ConnectionClosed, ConnectionError, asyncio.IncompleteReadError):
                pass

    async def _send_bytes(self) -> None:
        """Bytes that are no frames, or frames of no bytes anybody meant."""
        raw = await RawSocket.connect(self.hub.port)
        try:
            if self.random.random() < 0.9:
                await raw.upgrade(self.random.choice((JSON, MSGPACK)))
                if self.random.random() < 0.7:
                    raw.send(frame(json.dumps({"type": "authenticate", "token": self.somebody.token}).encode()))
            for _ in range(self.random.randint(1, 10)):
                payload = self.random.randbytes(self.random.choice((0, 1, 5, 125, 126, 300, 70_000)))
                whole = frame(
                    payload,
                    self.random.randint(0, 15),
                    fin=self.random.random() < 0.8,
                    rsv=self.random.choice((0, 0, 0, 1, 4)),
                    masked=self.random.random() < 0.95,
                    mask=self.random.randbytes(4),
                )
                raw.send(self.random.choice((whole, payload, whole[: self.random.randint(0, len(whole))])))
                self.frames += 1
                await raw.writer.drain()
        finally:
            RawSocket.opened.remove(raw)
            await raw.leave()

    async def _join(self) -> Stranger:
        client = await Stranger.connect(self.hub.socket_url, self.random.choice((JSON, MSGPACK)))
        await client.authenticate(self.somebody.token)
        return client

    async def _send_damage(self) -> None:
        """Messages with a few bytes wrong."""
        async with await self._join() as client:
            for _ in range(30):
                row = self.random.choice(ROWS)
                data = bytearray(row["json"].encode() if client.subprotocol == JSON else bytes.fromhex(row["msgpack"]))
                for _ in range(self.random.randint(0, 3)):
                    at = self.random.randrange(len(data) + 1)
                    data[at : at + self.random.randint(0, 2)] = self.random.randbytes(self.random.randint(0, 2))
                text = data.decode(errors="replace") if client.subprotocol == JSON else None
                await client.connection.send(bytes(data) if text is None else text)
                self.frames += 1
            await self._listen(client)

    async def _send_commands(self) -> None:
        """Messages that are right, or nearly, in any order."""
        async with await self._join() as client:
            for _ in range(40):
                message = dict(self.random.choice(ROWS)["value"])
                if message["type"] == "authenticate" and self.random.random() < 0.95:
                    continue
                for name in message.keys() & {"account", "payer", "payee"}:
                    message[name] = self.random.choice((self.somebody.account, 1, message[name]))
                if "payment" in message and self.random.random() < 0.8:
                    message["payment"] = str(uuid.UUID(int=self.random.getrandbits(128)))
                if "follow" in message:
                    message["follow"] = [[self.somebody.account, self.random.randint(0, 3)]]
                if self.random.random() < 0.1:
                    message[self.random.choice(list(message))] = self.random.choice(ODDITIES)
                await client.send(message)
                self.frames += 1
            await self._listen(client)

    async def _listen(self, client: Stranger) -> None:
        try:
            while True:
                message = await client.receive(0.05)
                self.heard[str(message.get("code", message["type"]))] += 1
        except TimeoutError:
            pass


async def _main(frames: int, seconds: float, seed: int, folder: Path) -> int:
    with temporary_servers(durable=False) as servers:
        await migrate(servers.admin_database_url)
        (folder / "master.key").write_bytes(secrets.token_bytes(32))
        master = Master(LocalKeys(folder / "master.key"))
        admin = await asyncpg.connect(servers.admin_database_url, server_settings={"search_path": "payhub"})
        await create_key(admin, master)
        tenant = await create_tenant(admin, "fuzzed", "Fuzzed", "BRL", "America/Sao_Paulo")
        await admin.close()
        pool = await open_pool(servers.database_url, size_max=2, name="payhub-fuzz")
        await migrate(servers.keys_admin_database_url, KEYS_SQL)
        keys = await open_safe(
            Choice(servers.keys_database_url, "local", folder / "master.key"), name="payhub-fuzz", size_max=1
        )
        opened = await open_person(pool, keys, tenant.id, Role.OPERATOR, "Fuzzer")
        await fund(pool, tenant, opened.account_id, 10**9, opened.person_id)
        tokens = Tokens(await load_keys(pool, master), lifetime_s=3_600)
        database = Database(
            servers.admin_database_url,
            servers.database_url,
            servers.keys_admin_database_url,
            servers.keys_database_url,
            servers.redis_url,
            folder / "master.key",
        )
        hub = await HubProcess(database, folder, "fuzzed", master_key_file=folder / "master.key").start()
        try:
            fuzzers = []
            for at in range(4):
                somebody = await log_in(pool, tokens, tenant, opened.person_id, opened.account_id, Role.OPERATOR)
                fuzzers.append(Fuzzer(hub, somebody, seed + at))
            running = [asyncio.create_task(one.run(frames // len(fuzzers), seconds)) for one in fuzzers]
            while not all(task.done() for task in running):
                await asyncio.wait(running, timeout=5)
                sent = sum(one.frames for one in fuzzers)
                sys.stdout.write(f"{sent:>10,} frames  {hub.rss_bytes() >> 20} MiB  {len(hub.bugs())} bugs\n")
            await asyncio.gather(*running)
            for bug in hub.bugs():
                sys.stdout.write(json.dumps(bug) + "\n")
            return len(hub.bugs())
        finally:
            await hub.stop()
            await pool.close()
            await keys.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        sys.exit(min(asyncio.run(_main(given.frames, given.seconds, given.seed, Path(made))), 1))

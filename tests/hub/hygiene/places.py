"""Every place that keeps anything, as bytes to be searched: logs, metrics, the databases and their files, Redis."""

import asyncio
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
from redis.asyncio import Redis

from config.embedded import Servers
from tests.hub.hygiene.canaries import Canary, needles

TABLES: Final = """
select format('%I.%I', n.nspname, c.relname)::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema') order by 1
"""


class Found(NamedTuple):
    """A secret where it must not be."""

    kind: str
    place: str
    around: str


class Search:
    """Looks for many secrets at once."""

    def __init__(self, canaries: Sequence[Canary]) -> None:
        self.count = len(canaries)
        self._of = {needle: canary for canary in canaries for needle in needles(canary)}
        self._pattern = re.compile(_tree(sorted(self._of)))

    def look_into(self, place: str, content: bytes) -> Iterator[Found]:
        """What is there."""
        for found in self._pattern.finditer(content):
            around = content[max(0, found.start() - 80) : found.end() + 40].decode("utf-8", "replace")
            yield Found(self._of[found[0]].kind, place, around)


def _tree(needles: Sequence[bytes]) -> bytes:
    """A regular expression that looks at each byte once, however many needles begin with it. They are in order."""
    # What the first and the last have in common, all have.
    shared = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(needles[0], needles[-1], strict=False))
    common = bytes(one for one, _ in shared)
    by_next: dict[bytes, list[bytes]] = {}
    for needle in needles:
        rest = needle[len(common) :]
        by_next.setdefault(rest[:1], []).append(rest)
    # One that ends here is enough: what goes on behind it is found with it.
    if b"" in by_next:
        return re.escape(common)
    return re.escape(common) + b"(?:" + b"|".join(map(_tree, by_next.values())) + b")"


# On a busy machine it is far behind those who speak.
CATCH_UP_S = 60.0


class Eavesdropper:
    """Hears whatever anybody says to Redis."""

    def __init__(self, url: str) -> None:
        self.heard: list[bytes] = []
        self._redis = Redis.from_url(url)
        self._listening: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """From now on."""
        ready = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(ready))
        await ready.wait()

    async def catch_up(self, text: str) -> None:
        """Until this, which somebody has said, was heard: what was said before it was heard, too."""
        heard = 0
        async with asyncio.timeout(CATCH_UP_S):
            while not any(text.encode() in said for said in self.heard[heard:]):
                assert self._listening is not None and not self._listening.done(), "Nobody listens any more."
                heard = len(self.heard)
                await asyncio.sleep(0.05)

    async def end(self) -> None:
        """No more."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        await self._redis.aclose()

    async def _listen(self, ready: asyncio.Event) -> None:
        async with self._redis.monitor() as monitor:
            ready.set()
            async for told in monitor.listen():
                # What it shows of a command is spelled with escapes, like Python's own.
                said = told["command"]
                self.heard.append(
                    re.sub(rb"\\x([0-9a-f]{2})", lambda one: bytes.fromhex(one[1].decode()), said.encode())
                )


async def dump(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table of a database, as text."""
    connection = await asyncpg.connect(url)
    try:
        rows = {}
        for (table,) in await connection.fetch(TABLES):
            told = await connection.fetch(f"select t::text from {table} t")
            rows[table] = "\n".join(row[0] for row in told).encode()
        return iter(rows.items())
    finally:
        await connection.close()


async def read_redis(url: str) -> Iterator[tuple[str, bytes]]:
    """Every key and what it holds, as Redis itself would keep it."""
    async with Redis.from_url(url) as redis:
        found = {}
        async for key in redis.scan_iter():
            found[key.decode(errors="replace")] = key + b" " + (await redis.dump(key) or b"")
        return iter(found.items())


async def write_out(admin_url: str) -> None:
    """Let PostgreSQL write to its files what it only has in memory."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute("checkpoint")
    finally:
        await connection.close()


def files_of(servers: Servers, *more: Path) -> Iterator[tuple[str, bytes]]:
    """PostgreSQL's pages and its write-ahead log, the servers' logs, and whatever else lies in these folders."""
    for folder in (servers.postgres.folder, servers.data_dir / "logs", *more):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(folder.parent)), path.read_bytes()

"""What the wall between tenants costs: posting and reading with row-level security on and off, in turns in one run.

Both speak to one database as the role that serves. The administrator takes the wall down for half of the rounds: for
that, it is a database of its own, which is dropped in the end.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from loadtest.posting import (
    ACCOUNTS,
    FIRST_ACCOUNT,
    UNIFORM,
    Bench,
    as_role,
    connect,
    own_database,
    prepare,
)
from loadtest.report import Reporter
from loadtest.stack import Stack

BATCH: Final = 256
PAGE: Final = 50
ON, OFF = "on", "off"
WALLED: Final = """
select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'payhub' and c.relrowsecurity
"""
# What a screen of a wallet asks for: the account, and the newest page of its history.
READ_ACCOUNT: Final = "select * from read_account($1, $2)"
READ_PAGE: Final = "select * from read_entries($1, $2, null, $3, $4)"
NEWEST: Final = 2**53 - 1


class WallError(Exception):
    """The measurement cannot go on: one sentence."""


async def compare_wall(
    stack: Stack, report: Reporter, *, rounds: int, seconds: int, connections: int
) -> dict[str, Any]:
    """Medians of both, and the ratios of on to off. Raises WallError."""
    found: dict[tuple[str, str], list[float]] = {}
    async with own_database(stack, stack.servers.admin_database_url) as url:
        tenants = await prepare(url)
        admin = await connect(url)
        tables = [row[0] for row in await admin.fetch(WALLED)]
        if not tables:
            raise WallError("There is no table with row-level security.")
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(as_role(url), stack.servers.bin_dir, Path(folder), tenants, BATCH, "v7")
            try:
                with report.progress("measurements", 4 * rounds) as bar:
                    # Something to read, and everybody's caches warm.
                    await _once(bench, url, tenants, seconds, connections)
                    for at in range(rounds):
                        for place, wall in enumerate((ON, OFF) if at % 2 else (OFF, ON)):
                            await _set_wall(admin, tables, wall)
                            posted, read = await _once(bench, url, tenants, seconds, connections)
                            found.setdefault(("posting", wall), []).append(posted)
                            found.setdefault(("reading", wall), []).append(read)
                            bar.reach(4 * at + 2 * place + 2)
            finally:
                await _set_wall(admin, tables, ON)
                await admin.close()
    medians = {f"{what}_{wall}": round(statistics.median(one), 1) for (what, wall), one in found.items()}
    return {
        **medians,
        "ratio_posting": round(medians["posting_on"] / medians["posting_off"], 3),
        "ratio_reading": round(medians["reading_on"] / medians["reading_off"], 3),
        "tables": len(tables),
        "rounds": rounds,
        "seconds_each": seconds,
    }


async def _once(bench: Bench, url: str, tenants: Sequence[int], seconds: int, connections: int) -> tuple[float, float]:
    """Payments posted, and screens read, per second. On new connections: a plan remembers the wall it was made for."""
    pool = [await connect(as_role(url)) for _ in range(connections)]
    try:
        return await bench.batched(pool, UNIFORM, seconds), await _read(pool, tenants, seconds)
    finally:
        for connection in pool:
            await connection.close()


async def _read(pool: Sequence["asyncpg.Connection[Any]"], tenants: Sequence[int], seconds: int) -> float:
    count = 0
    began = time.perf_counter()

    async def read(connection: "asyncpg.Connection[Any]") -> None:
        nonlocal count
        accounts, pages = await connection.prepare(READ_ACCOUNT), await connection.prepare(READ_PAGE)
        while time.perf_counter() - began < seconds:
            tenant, account = random.choice(tenants), FIRST_ACCOUNT + random.randrange(ACCOUNTS)
            if await accounts.fetchrow(tenant, account) is None:
                raise WallError(f"Account {account} is not to be seen by its own tenant.")
            await pages.fetch(tenant, account, NEWEST, PAGE)
            count += 1

    await asyncio.gather(*map(read, pool))
    return count / (time.perf_counter() - began)


async def _set_wall(admin: "asyncpg.Connection[Any]", tables: Sequence[str], wall: str) -> None:
    word = "enable" if wall == ON else "disable"
    async with admin.transaction():
        for table in tables:
            await admin.execute(f"alter table {table} {word} row level security")

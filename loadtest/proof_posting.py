"""What proof costs where nothing but posting is measured: batches of 256 straight into the database.

With: each batch gets its receipts, its roots are told as a hub tells them, and a worker does nothing but seal. Without:
none of it. The key is this measurement's own, since nobody is given these receipts.
"""

import asyncio
import contextlib
import statistics
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.nouns import Payment, Posting
from core.proof.leaves import blind
from core.proof.receipts import BatchRoot, write_receipts
from loadtest.posting import UNIFORM, Bench, as_role, connect, own_database, prepare
from loadtest.report import Reporter
from loadtest.stack import Stack

BATCH: Final = 256
CONNECTIONS: Final = 2
# As often as a hub does.
ROOTS_TOLD_S: Final = 0.3
KID: Final = "00" * 8
READ_SALTS: Final = "select tenant_id, salt from read_proof_salts($1)"
NOTE_ROOTS: Final = "select note_roots($1, $2, $3)"


class Signing:
    """Does for a batch what a hub does when it is posted."""

    def __init__(self, salts: dict[int, bytes]) -> None:
        self._salts = salts
        self._sign = Ed25519PrivateKey.generate().sign
        self._roots: list[BatchRoot] = []

    def prove(self, batch: Sequence[Payment], row: Any) -> None:
        """Make the receipts of a batch."""
        *answers, batches = row
        plain = map(Posting, *answers)
        postings = [one._replace(batch=number) for one, number in zip(plain, batches, strict=True)]
        _, roots = write_receipts(batch, postings, blind(batch, self._salts), KID, self._sign)
        self._roots += roots

    @asynccontextmanager
    async def telling(self, url: str) -> AsyncIterator[None]:
        """Tell the roots, as long as the block lasts."""
        connection = await connect(as_role(url))

        async def tell() -> None:
            while True:
                await asyncio.sleep(ROOTS_TOLD_S)
                if self._roots:
                    roots, self._roots = self._roots, []
                    await connection.execute(NOTE_ROOTS, *map(list, zip(*roots, strict=True)))

        task = asyncio.create_task(tell())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await connection.close()


async def compare_posting(
    stack: Stack,
    report: Reporter,
    *,
    rounds: int,
    seconds: int,
    sealing: Callable[[str], AbstractContextManager[Any]],
    catch_up: Callable[[str], None],
) -> dict[str, Any]:
    """Medians of both, and the ratio of with to without.

    `sealing`: a worker that seals what is in the database at a URL. `catch_up`: works off what is left there.
    """
    found: dict[str, list[float]] = {"with": [], "without": []}
    async with own_database(stack, stack.servers.admin_database_url) as url:
        tenants = await prepare(url)
        async with _connections(url) as pool:
            salts = {row["tenant_id"]: row["salt"] for row in await pool[0].fetch(READ_SALTS, tenants)}
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(as_role(url), stack.servers.bin_dir, Path(folder), tenants, BATCH, "v7")
            for number in range(rounds):
                kinds = ("with", "without")
                for name in kinds if number % 2 == 0 else reversed(kinds):
                    await asyncio.to_thread(catch_up, url)
                    async with _connections(url) as pool:
                        if name == "without":
                            posted = await bench.batched(pool, UNIFORM, seconds)
                        else:
                            signing = Signing(salts)
                            with sealing(url):
                                async with signing.telling(url):
                                    posted = await bench.batched(pool, UNIFORM, seconds, signing.prove)
                    found[name].append(posted)
                    report.note(f"posting {name}: {posted:,.0f} payments per second")
    with_proof, without = (statistics.median(found[name]) for name in ("with", "without"))
    return {
        "posting_with_per_second": with_proof,
        "posting_without_per_second": without,
        "posting_ratio": with_proof / without,
        "posting_all": found,
    }


@asynccontextmanager
async def _connections(url: str) -> AsyncIterator[list["asyncpg.Connection[Any]"]]:
    pool = [await connect(as_role(url)) for _ in range(CONNECTIONS)]
    try:
        yield pool
    finally:
        for connection in pool:
            await connection.close()

"""Puts receipts beside postings, and tells the log the batches' roots. After the commit, and never in its way.

If anything goes wrong here the payment is as posted as it is: the answer has no receipt then, which can be asked for
later, and the log finds the root itself.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import inf
from operator import attrgetter
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.database import Connection, Pool, acquire
from core.keyring import SigningKey
from core.nouns import Payment, Posting
from core.proof.leaves import Blinded, blind
from core.proof.receipts import BatchRoot, PublicKeys, Sign, roots_of, write_receipts

log = logging.getLogger(__name__)

# What is not told within a few seconds the log has long found itself.
ROOTS_WAITING_MAX = 20_000

READ_SALTS = "select tenant_id, salt from read_proof_salts($1)"
NOTE_ROOTS = "select note_roots($1, $2, $3)"

TENANT_OF = attrgetter("tenant_id")

Post: TypeAlias = Callable[[Sequence[Payment]], Awaitable[list[Posting]]]


class Signer:
    """Signs with the key that is in use, of those that core.keyring gave for proofs."""

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        self.keys: list[SigningKey] = []
        self.replace_keys(keys)

    def replace_keys(self, keys: Iterable[SigningKey]) -> None:
        """Use these from now on."""
        # Oldest first.
        self.keys = sorted(keys, key=lambda key: (key.signs_from, key.kid))
        # Newest first, from when until when in seconds since the epoch: it is asked for every batch.
        self._spans: list[tuple[float, float, str, Sign]] = []
        for key in reversed(self.keys):
            assert isinstance(key.private_key, Ed25519PrivateKey), "proofs are signed with Ed25519"
            until = inf if key.signs_until is None else key.signs_until.timestamp()
            self._spans.append((key.signs_from.timestamp(), until, key.kid, key.private_key.sign))

    def key_at(self, now: float) -> tuple[str, Sign]:
        """The key in use at `now` (seconds since the epoch): its kid, and what signs. Raises LookupError."""
        for since, until, kid, sign in self._spans:
            if since <= now < until:
                return kid, sign
        raise LookupError("No key signs proofs at this time.")

    def public_keys(self) -> PublicKeys:
        """What checks the signatures of all of them, by kid."""
        return {
            key.kid: key.private_key.public_key() for key in self.keys if isinstance(key.private_key, Ed25519PrivateKey)
        }


class Notary:
    """Posts batches with `post`, and gives each of their payments its receipt."""

    def __init__(self, post: Post, pool: Pool, signer: Signer, clock: Callable[[], float]) -> None:
        self._post = post
        self._pool = pool
        self._signer = signer
        self._clock = clock
        self._salts: dict[int, bytes] = {}
        self._roots: deque[BatchRoot] = deque(maxlen=ROOTS_WAITING_MAX)

    async def __call__(self, batch: Sequence[Payment]) -> list[Posting]:
        """Post, and sign what was posted. Raises what `post` raises."""
        blinded: list[Blinded] = []
        # Half of a receipt's work needs no answer. It is done as soon as the batch has left, while the database works.
        asyncio.get_running_loop().call_soon(self._blind, batch, blinded)
        postings = await self._post(batch)
        try:
            return await self._sign(batch, postings, blinded)
        except Exception as error:
            log.warning("receipts_failed", extra={"payments": len(batch), "error": type(error).__name__})
            return postings

    async def tell_roots(self) -> None:
        """Tell the log the roots since the last time, all in one statement."""
        if not self._roots:
            return
        waiting, self._roots = self._roots, deque(maxlen=ROOTS_WAITING_MAX)
        async with acquire(self._pool) as connection:
            await note_roots(connection, waiting)

    def _blind(self, batch: Sequence[Payment], into: list[Blinded]) -> None:
        # A tenant who pays here for the first time: `_sign` reads the salt. Whatever else is wrong is met there again,
        # and named; from here the loop would log it with the payments in it.
        with contextlib.suppress(Exception):
            into += blind(batch, self._salts)

    async def _sign(
        self, batch: Sequence[Payment], postings: list[Posting], blinded: Sequence[Blinded]
    ) -> list[Posting]:
        if not blinded:
            missing = set(map(TENANT_OF, batch)) - self._salts.keys()
            if missing:
                async with acquire(self._pool) as connection:
                    self._salts |= await read_salts(connection, missing)
            blinded = blind(batch, self._salts)
        kid, sign = self._signer.key_at(self._clock())
        answers, roots = write_receipts(batch, postings, blinded, kid, sign)
        self._roots.extend(roots)
        return answers


async def read_salts(connection: Connection, tenants: Iterable[int]) -> dict[int, bytes]:
    """What blinds the tenants' commitments."""
    return {row["tenant_id"]: row["salt"] for row in await connection.fetch(READ_SALTS, list(tenants))}


async def tell_posted(connection: Connection, batch: Sequence[Payment], postings: Sequence[Posting]) -> None:
    """Write the roots of what was just posted, in the same transaction: the log need not read it all again."""
    salts = await read_salts(connection, {payment.tenant_id for payment in batch})
    await note_roots(connection, roots_of(batch, postings, salts))


async def note_roots(connection: Connection, roots: Sequence[BatchRoot]) -> None:
    """Write the roots beside their batches, where the log looks for them."""
    if roots:
        tenants, batches, hashes = zip(*roots, strict=True)
        await connection.execute(NOTE_ROOTS, tenants, batches, hashes)

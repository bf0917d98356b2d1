"""What lines say: descriptions and references, sealed by the chunk under the key of the account's owner.

One sealing for a thousand lines costs a line next to nothing. References that repeat within a bulk are found by a keyed
hash of each, which is good for that bulk alone: BLAKE2s (RFC 7693), at half the price of an HMAC.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from core.database import Connection
from core.keys.places import BULK_WORDS
from core.keys.safe import Safe

# Of the keyed hash: two of a million references that differ are alike once in 10**26 files.
HASH_BYTES: Final = 16
# Lines of one chunk at most (bulk_words.a_chunk_has_a_length).
CHUNK_MAX: Final = 1_000

READ_WORDS = """
select first, person_id::text, sealed
  from bulk_words
 where tenant_id = $1 and bulk_id = $2 and first > $3 - 1000 and first + length > $3 and first <= $4
 order by first
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[str | None], list[str | None]]).decode


class Kept(NamedTuple):
    """A chunk's words as they are kept. `sealed` None: no line says anything."""

    hashes: list[bytes | None]
    person_id: str
    sealed: bytes | None


async def seal_words(
    keys: Safe,
    tenant_id: int,
    person_id: str,
    bulk_id: str,
    first: int,
    descriptions: Sequence[str | None],
    references: Sequence[str | None],
) -> Kept:
    """Seal what the lines from number `first` on say. Raises KeysUnavailable, PersonErased."""
    if descriptions.count(None) == len(descriptions) and references.count(None) == len(references):
        return Kept([None] * len(references), person_id, None)
    cipher = await keys.one(tenant_id, person_id, create=True)
    # A key for this bulk alone: equal references of two files are not alike.
    key = await keys.index(tenant_id, "bulk references", bulk_id)
    mac = hashlib.blake2s
    hashes = [
        None if one is None else mac(one.encode(), key=key, digest_size=HASH_BYTES).digest() for one in references
    ]
    return Kept(
        hashes, person_id, cipher.seal(*BULK_WORDS.at(bulk_id, str(first)), _encode((descriptions, references)))
    )


class Words:
    """What some lines say, by number."""

    def __init__(self) -> None:
        self._chunks: list[tuple[int, list[str | None], list[str | None]]] = []

    def of(self, number: int) -> tuple[str | None, str | None]:
        """A line's description and reference. Ask in the order of numbers: the last chunk is at hand."""
        for first, descriptions, references in reversed(self._chunks):
            if first <= number < first + len(references):
                return descriptions[number - first], references[number - first]
        return None, None

    def add(self, first: int, descriptions: list[str | None], references: list[str | None]) -> None:
        """Take a chunk."""
        self._chunks.append((first, descriptions, references))


async def read_words(connection: Connection, keys: Safe, tenant_id: int, bulk_id: str, first: int, last: int) -> Words:
    """What the lines from number `first` to `last` say; of whoever was erased, nothing. Raises KeysUnavailable."""
    words = Words()
    rows = await connection.fetch(READ_WORDS, tenant_id, bulk_id, first, last)
    ciphers = await keys.of(tenant_id, {person_id for _, person_id, _ in rows})
    for start, person_id, sealed in rows:
        opened = ciphers[person_id].open_bytes(*BULK_WORDS.at(bulk_id, str(start)), sealed)
        if opened is not None:
            words.add(start, *_decode(opened))
    return words

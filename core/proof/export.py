"""Writes a tenant's whole log into a file that can be checked without this database (core/proof/checking.py).

One JSON object per line: the header, then each leaf with all that is below it, and each signed head after the leaf
that it was signed at. The file holds what one side of a payment must not know of the other (`salt` opens it): it is
for the institution and its auditors.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.database import Connection, Pool, acquire
from core.keyring import SigningKey
from core.proof.leaves import LeafKind, to_us
from core.proof.notary import read_salts
from core.proof.receipts import to_text
from core.proof.records import read_entries, read_records

FORMAT: Final = "payhub log 1"
# Payments read at a time: a few megabytes.
PAGE_LENGTH: Final = 10_000

READ_LEAVES = """
select number, kind, ids::text[], cardinality(ids) as size
  from log_leaves
 where tenant_id = $1 and number >= $2
 order by number
 limit $3
"""
READ_HEADS = """
select size, root, sealed_at, kid, signature
  from log_heads
 where tenant_id = $1 and size > $2 and size <= $3
 order by size
"""
# Leaves at a time; of a bulk, each is ten thousand payments.
LEAVES_PER_PAGE: Final = 200

_encode = msgspec.json.Encoder().encode


async def export_log(pool: Pool, tenant_id: int, slug: str, keys: Sequence[SigningKey]) -> AsyncIterator[bytes]:
    """The lines of the file, as of one moment. Raises RecordMissing where a row that the log has is gone."""
    # One snapshot: what is sealed meanwhile is in the next file.
    async with acquire(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant_id))
        salt = (await read_salts(connection, [tenant_id]))[tenant_id]
        yield _line(_header(tenant_id, slug, keys, salt))
        number = 0
        while leaves := await connection.fetch(READ_LEAVES, tenant_id, number, LEAVES_PER_PAGE):
            lines = await _leaf_lines(connection, tenant_id, leaves)
            heads = await connection.fetch(READ_HEADS, tenant_id, number, number + len(leaves))
            after: dict[int, Any] = {row["size"]: row for row in heads}
            for at, line in enumerate(lines, start=number + 1):
                yield line
                if at in after:
                    yield _line({"head": _head(after[at])})
            number += len(leaves)


async def _leaf_lines(connection: Connection, tenant_id: int, leaves: Sequence[Any]) -> list[bytes]:
    """The leaves' lines, in order. All payments are read together, page by page."""
    wanted = {kind: [id_ for row in leaves if row["kind"] == kind for id_ in row["ids"]] for kind in LeafKind}
    payments = {
        record.facts.id: [*record.facts, *record.private]
        for at in range(0, len(wanted[LeafKind.PAYMENTS]), PAGE_LENGTH)
        for record in await read_records(connection, tenant_id, wanted[LeafKind.PAYMENTS][at : at + PAGE_LENGTH])
    }
    entries = {entry.id: list(entry) for entry in await read_entries(connection, tenant_id, wanted[LeafKind.AUDIT])}
    return [
        _line({"payments": [payments[id_] for id_ in row["ids"]]})
        if row["kind"] == LeafKind.PAYMENTS
        else _line({"entries": [entries[id_] for id_ in row["ids"]]})
        for row in leaves
    ]


def _header(tenant_id: int, slug: str, keys: Sequence[SigningKey], salt: bytes) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "tenant": tenant_id,
        "slug": slug,
        "keys": {
            key.kid: to_text(key.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)) for key in keys
        },
        "salt": to_text(salt),
    }


def _head(row: Any) -> dict[str, Any]:
    return {
        "size": row["size"],
        "root": to_text(row["root"]),
        "at_us": to_us(row["sealed_at"]),
        "key": row["kid"],
        "signature": to_text(row["signature"]),
    }


def _line(content: dict[str, Any]) -> bytes:
    return _encode(content) + b"\n"

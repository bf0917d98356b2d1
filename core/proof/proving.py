"""Proofs, read from the tables as they are now: that a payment is in the log, and that a log only ever grew.

What comes out can be checked without this database. It proves nothing itself: if somebody changed a row, the proof made
of it does not check.
"""

from typing import NamedTuple

from core.database import Connection, Pool, in_tenant
from core.errors import NotFound, Refusal
from core.nouns import DONE
from core.proof.heads import Head
from core.proof.leaves import LeafKind, hash_asked, hash_kept, join_private, payment_leaf, salt_for
from core.proof.notary import read_salts
from core.proof.receipts import Receipt, Sign, statement
from core.proof.records import Record, read_records
from core.proof.sealing import read_nodes
from core.proof.tree import Node, build, consistency_nodes, inclusion_nodes, join, paths_in

READ_LEAF = """
select number, ids::text[]
  from log_leaves
 where tenant_id = $1 and kind = $2 and judged_at = to_timestamp($3::numeric / 1000000) and $4::uuid = any (ids)
"""
HEAD = "select tenant_id, size, root, sealed_at, kid, signature from log_heads where tenant_id = $1"
READ_HEAD = f"{HEAD} and ($2::bigint is null or size = $2) order by size desc limit 1"


class InLog(NamedTuple):
    """Where the log has a batch: its leaf's number, the path from it to the head's root, and the head."""

    number: int
    path: bytes
    head: Head


class PaymentProof(NamedTuple):
    """All that proves a payment. `in_log` None: it is not sealed yet, and will be within a second.

    `asked` and `kept` are the two parts of the commitment, `salt` what opens them (its halves, in this order).
    """

    record: Record
    asked: bytes
    kept: bytes
    salt: bytes
    size: int
    place: int
    path: bytes
    root: bytes
    in_log: InLog | None

    def receipt(self, kid: str, sign: Sign) -> Receipt | None:
        """The receipt that came, or should have come, with the payment's answer; signed anew. None: not sealed yet."""
        if self.in_log is None:
            return None
        tenant_id = self.in_log.head.tenant_id
        signature = sign(statement(tenant_id, self.size, self.root))
        return Receipt(kid, self.size, self.place, join_private(self.asked, self.kept), self.path, signature)


class Growth(NamedTuple):
    """That the log of `head` begins with the one of `old_size` leaves. `old` None: its head is kept here no more."""

    old: Head | None
    head: Head
    proof: bytes


async def prove_payment(pool: Pool, tenant_id: int, payment_id: str) -> PaymentProof:
    """The payment's proof. Raises NotFound for one that was never done here."""
    async with in_tenant(pool, tenant_id) as connection:
        (record,) = await _read(connection, tenant_id, [payment_id])
        salt = (await read_salts(connection, [tenant_id]))[tenant_id]
        leaf = await connection.fetchrow(READ_LEAF, tenant_id, LeafKind.PAYMENTS, record.facts.judged_at_us, payment_id)
        ids = [payment_id] if leaf is None else leaf["ids"]
        leaves = []
        for one in await _read(connection, tenant_id, ids):
            blinding = salt_for(salt, one.facts.id)
            asked, kept = _parts(one, blinding)
            leaves.append(payment_leaf(one.facts, join_private(asked, kept)))
        levels, place = build(leaves), ids.index(payment_id)
        in_log = None if leaf is None else await _find(connection, tenant_id, leaf["number"])
    blinding = salt_for(salt, payment_id)
    asked, kept = _parts(record, blinding)
    return PaymentProof(record, asked, kept, blinding, len(ids), place, paths_in(levels)[place], levels[-1][0], in_log)


async def read_head(pool: Pool, tenant_id: int, size: int | None = None) -> Head:
    """The latest head, or the one that was signed at this size. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        return await _head(connection, tenant_id, size)


async def prove_growth(pool: Pool, tenant_id: int, old_size: int, size: int | None = None) -> Growth:
    """That the log begins with the one of `old_size`, whether or not a head of it is there. Raises NotFound for `size`.

    Whoever kept a head has it proved for ever: old heads are taken away here (thin_heads), and the tree never.
    """
    async with in_tenant(pool, tenant_id) as connection:
        head = await _head(connection, tenant_id, size)
        if old_size > head.size:
            raise Refusal("cursor_out_of_range", field="from_size")
        row = await connection.fetchrow(READ_HEAD, tenant_id, old_size)
        steps = consistency_nodes(old_size, head.size)
        proof = await _join_all(connection, tenant_id, steps)
        return Growth(None if row is None else Head(*row), head, proof)


async def prove_between(pool: Pool, tenant_id: int, old_size: int, size: int) -> bytes:
    """That the log of `size` leaves begins with the one of `old_size`, whether or not heads were signed at them.

    Raises LookupError for what the log does not have.
    """
    async with in_tenant(pool, tenant_id) as connection:
        return await _join_all(connection, tenant_id, consistency_nodes(old_size, size))


async def _read(connection: Connection, tenant_id: int, ids: list[str]) -> list[Record]:
    try:
        records = await read_records(connection, tenant_id, ids)
    except LookupError:
        raise NotFound from None
    if any(record.facts.status not in DONE for record in records):
        raise NotFound
    return records


def _parts(record: Record, salt: bytes) -> tuple[bytes, bytes]:
    private = record.private
    return hash_asked(private.asked_by, salt), hash_kept(private.fee, private.shares, salt)


async def _find(connection: Connection, tenant_id: int, number: int) -> InLog:
    head = await _head(connection, tenant_id, None)
    path = await _join_all(connection, tenant_id, inclusion_nodes(number, head.size))
    return InLog(number, path, head)


async def _head(connection: Connection, tenant_id: int, size: int | None) -> Head:
    row = await connection.fetchrow(READ_HEAD, tenant_id, size)
    if row is None:
        raise NotFound
    return Head(*row)


async def _join_all(connection: Connection, tenant_id: int, steps: list[list[Node]]) -> bytes:
    """The hash of each step, all read at once."""
    hashes = iter(await read_nodes(connection, tenant_id, [node for step in steps for node in step]))
    return b"".join(join(next(hashes) for _ in step) for step in steps)

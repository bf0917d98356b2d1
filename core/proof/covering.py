"""Holds a tenant's log to the ledger: every payment that was done is in one leaf, and every leaf is what was sealed.

It reads alone and holds a page of leaves at a time; works on a live database as on one that came out of a backup.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple

from core.database import Connection
from core.proof import heads
from core.proof.checking import LogBroken
from core.proof.heads import Head
from core.proof.leaves import LeafKind, batch_leaf, entry_leaf
from core.proof.notary import read_salts
from core.proof.receipts import PublicKeys
from core.proof.records import RecordMissing, leaf_of, read_entries, read_records
from core.proof.tree import Edge, root_of

# Leaves at a time; of a bulk, each is ten thousand payments. And rows at a time, of as many leaves as they are in.
LEAVES_PER_PAGE: Final = 50
ROWS_PER_PAGE: Final = 10_000
# The server joins and sorts all of a tenant's payments.
TIMEOUT_S: Final = 6 * 3_600.0

# Payments that were done and are in no leaf, or in two; those that still wait to be sealed are in none. And what is in
# a leaf and was not done. The server spills to its disk what does not fit into its memory.
NOT_ONCE = """
with logged as materialized (
    select one as id, count(*) as times
      from payhub.log_leaves, unnest(ids) as one
     where tenant_id = $1 and kind = 0
     group by 1
), waiting as materialized (
    select one as id
      from payhub.batches_unlogged
      join payhub.outbox using (tenant_id, batch), unnest(payment_ids) as one
     where tenant_id = $1
), done as (
    select id from payhub.payments where tenant_id = $1 and payer_version is not null
)
select coalesce(done.id, logged.id)::text, coalesce(logged.times, 0), done.id is not null
  from done
  full join logged on logged.id = done.id
 where (done.id is null or logged.id is null or logged.times <> 1)
   and not (logged.id is null and exists (select from waiting where waiting.id = done.id))
 order by 1
 limit 1
"""
COUNT = "select count(*), coalesce(sum(cardinality(ids)), 0)::bigint from payhub.log_leaves where tenant_id = $1"
READ_LEAVES = """
select number, kind, ids::text[], root
  from payhub.log_leaves
 where tenant_id = $1
 order by number
"""
READ_HEADS = """
select tenant_id, size, root, sealed_at, kid, signature
  from payhub.log_heads
 where tenant_id = $1 and size > $2 and size <= $3
 order by size
"""
NEWEST = "select max(size) from payhub.log_heads where tenant_id = $1"


KINDS: Final = frozenset(int(kind) for kind in LeafKind)


class _Leaf(NamedTuple):
    number: int
    kind: int
    ids: list[str]
    root: bytes


class Covered(NamedTuple):
    """What was looked at."""

    leaves: int
    payments: int
    entries: int
    heads: int


async def count_logged(connection: Connection, tenant_id: int) -> int:
    """How much there is below the leaves."""
    row = await connection.fetchrow(COUNT, tenant_id, timeout=TIMEOUT_S)
    assert row is not None
    return int(row[1])


async def check_cover(
    connection: Connection,
    tenant_id: int,
    keys: PublicKeys,
    on_progress: Callable[[int], None] | None = None,
) -> Covered:
    """Check one tenant's log against its payments. Raises LogBroken with the first thing that is wrong.

    `connection` is an administrator's, in a transaction with one snapshot.
    """
    await _require_each_once(connection, tenant_id)
    salt = (await read_salts(connection, [tenant_id])).get(tenant_id, b"")
    edge, below, signed = Edge(), [0, 0], 0
    cursor = await connection.cursor(READ_LEAVES, tenant_id, timeout=TIMEOUT_S)
    while page := [_Leaf(*row) for row in await cursor.fetch(LEAVES_PER_PAGE)]:
        for at, leaf in enumerate(page, start=edge.size):
            if leaf.number != at or leaf.kind not in KINDS:
                raise LogBroken(f"Leaf {at} is not there, or is none.")
        heads_after = await connection.fetch(READ_HEADS, tenant_id, edge.size, edge.size + len(page))
        after = {row["size"]: Head(*row) for row in heads_after}
        async for leaf, root in _roots(connection, tenant_id, page, salt):
            if root != leaf.root:
                what = "payments" if leaf.kind == LeafKind.PAYMENTS else "audit entries"
                raise LogBroken(
                    f"Leaf {leaf.number} is not what was sealed: one of its {len(leaf.ids)} {what} was changed "
                    f"(the first is {leaf.ids[0]})."
                )
            edge.append(batch_leaf(leaf.kind, len(leaf.ids), root))
            below[leaf.kind] += len(leaf.ids)
            if edge.size in after:
                _check_head(after[edge.size], edge, keys)
                signed += 1
        if on_progress is not None:
            on_progress(sum(below))
    newest = await connection.fetchval(NEWEST, tenant_id)
    if (newest or 0) != edge.size:
        raise LogBroken(f"The newest head is over {newest or 0} leaves, and there are {edge.size}.")
    return Covered(edge.size, below[LeafKind.PAYMENTS], below[LeafKind.AUDIT], signed)


async def _require_each_once(connection: Connection, tenant_id: int) -> None:
    row = await connection.fetchrow(NOT_ONCE, tenant_id, timeout=TIMEOUT_S)
    if row is None:
        return
    id_, times, is_done = row
    if not is_done:
        raise LogBroken(f"Payment {id_} is in the log, and was not done.")
    raise LogBroken(f"Payment {id_} was done, and is in {times} leaves of the log and not in one.")


async def _roots(
    connection: Connection, tenant_id: int, leaves: Sequence[_Leaf], salt: bytes
) -> AsyncIterator[tuple[_Leaf, bytes]]:
    """Each leaf with the root over its rows as they are now. The rows of many small leaves are read together."""
    group: list[_Leaf] = []
    for leaf in leaves:
        group.append(leaf)
        if sum(len(one.ids) for one in group) >= ROWS_PER_PAGE:
            async for found in _roots_of(connection, tenant_id, group, salt):
                yield found
            group = []
    async for found in _roots_of(connection, tenant_id, group, salt):
        yield found


async def _roots_of(
    connection: Connection, tenant_id: int, leaves: Sequence[_Leaf], salt: bytes
) -> AsyncIterator[tuple[_Leaf, bytes]]:
    payments = [id_ for leaf in leaves if leaf.kind == LeafKind.PAYMENTS for id_ in leaf.ids]
    entries = [id_ for leaf in leaves if leaf.kind == LeafKind.AUDIT for id_ in leaf.ids]
    hashes: dict[str, bytes] = {}
    try:
        for at in range(0, len(payments), ROWS_PER_PAGE):
            records = await read_records(connection, tenant_id, payments[at : at + ROWS_PER_PAGE])
            hashes.update((record.facts.id, leaf_of(record, salt)[0]) for record in records)
        hashes.update((entry.id, entry_leaf(entry)) for entry in await read_entries(connection, tenant_id, entries))
    except RecordMissing as missing:
        raise LogBroken(f"{missing} is in a leaf of the log, and not there any more.") from None
    for leaf in leaves:
        yield leaf, root_of([hashes[id_] for id_ in leaf.ids])


def _check_head(head: Head, edge: Edge, keys: PublicKeys) -> None:
    if head.root != edge.root:
        raise LogBroken(
            f"The head of {head.size} leaves is not over these: leaves were taken away, added or put elsewhere."
        )
    if not heads.is_signed(head, keys):
        raise LogBroken(f"The head of {head.size} leaves is not signed by a key of the institution's ({head.kid}).")

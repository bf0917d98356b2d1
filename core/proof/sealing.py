"""Makes the logs grow: takes what was committed since, hashes it into the tenant's tree, signs the new head.

Any number of workers may do it, one at a time for a tenant, without a lock that a payment waits for. A batch is taken
once; one that commits late comes late, and those that share an account come in the order of its numbers.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from core.database import Connection, Pool, acquire, transaction
from core.proof import heads
from core.proof.heads import Head
from core.proof.leaves import LeafKind, batch_leaf
from core.proof.notary import Signer
from core.proof.records import read_batch_leaves, read_entry_leaves
from core.proof.tree import Edge, root_of, subtrees

log = logging.getLogger(__name__)

# Hubs tell roots every 0.3 seconds: what is older without one was posted by somebody who did not, or could not.
PATIENCE: Final = timedelta(seconds=0.5)
# Of one tenant at a time: a second's worth at full speed.
BATCHES_PER_TURN: Final = 500
TENANTS_PER_ROUND: Final = 100

FIND = "select * from find_unlogged($1, $2)"
CLAIM = "select batch, judged_at, size, root, ids::text[] from claim_unlogged($1, $2, $3)"
NAME_TENANT = "select set_config('payhub.tenant_id', $1, true)"
READ_SIZE = "select size from log_heads where tenant_id = $1 order by size desc limit 1"
# Heads of one log follow each other in time as in size, even when the clock was set back: a witness relies on it.
NOW = """
select greatest(clock_timestamp(), (select sealed_at from log_heads where tenant_id = $1 order by size desc limit 1))
"""
READ_NODES = """
select log_nodes.hash
  from unnest($2::smallint[], $3::bigint[]) with ordinality as wanted (level, number, at)
  join log_nodes on log_nodes.tenant_id = $1 and log_nodes.level = wanted.level and log_nodes.number = wanted.number
 order by wanted.at
"""
GROW = "select grow_log($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"


class Claimed(NamedTuple):
    """A batch that the log is to take. `root` None: to be found from what is in it. `batch` None: audit entries."""

    batch: int | None
    judged_at: datetime
    size: int
    root: bytes | None
    ids: list[str] | None


async def seal_logs(pool: Pool, signer: Signer, clock: Callable[[], float], patience: timedelta = PATIENCE) -> int:
    """Seal what every tenant has waiting. How many leaves were added; a full turn wants another at once."""
    async with acquire(pool) as connection:
        tenants = [row[0] for row in await connection.fetch(FIND, patience, TENANTS_PER_ROUND)]
    count = 0
    for tenant_id in tenants:
        try:
            count += await seal_log(pool, tenant_id, signer, clock, patience)
        except (LookupError, asyncpg.IntegrityConstraintViolationError) as error:
            # A row that waited to be sealed is gone, or a node of the tree, or a head: somebody has been at the tables.
            # It is tried again and again, until an operator has looked; the others' logs grow on.
            log.error("log_cannot_grow", extra={"tenant_id": tenant_id, "missing": str(error)})
    return count


async def seal_log(
    pool: Pool, tenant_id: int, signer: Signer, clock: Callable[[], float], patience: timedelta = PATIENCE
) -> int:
    """Seal what one tenant has waiting, up to a turn's worth. How many leaves were added."""
    async with acquire(pool) as connection, transaction(connection):
        await connection.execute(NAME_TENANT, str(tenant_id))
        claimed = [Claimed(*row) for row in await connection.fetch(CLAIM, tenant_id, patience, BATCHES_PER_TURN)]
        if not claimed:
            return 0
        sealed_at = await connection.fetchval(NOW, tenant_id)
        roots = await _roots(connection, tenant_id, claimed)
        edge = await read_edge(connection, tenant_id)
        first, nodes = edge.size, []
        for one, root in zip(claimed, roots, strict=True):
            kind = LeafKind.AUDIT if one.batch is None else LeafKind.PAYMENTS
            nodes += edge.append(batch_leaf(kind, one.size, root))
        kid, sign = signer.key_at(clock())
        signature = sign(heads.statement(tenant_id, edge.size, edge.root, sealed_at))
        head = Head(tenant_id, edge.size, edge.root, sealed_at, kid, signature)
        await _write(connection, head, first, claimed, roots, nodes)
    return len(claimed)


async def read_edge(connection: Connection, tenant_id: int) -> Edge:
    """The tenant's tree as far as it has grown."""
    size = await connection.fetchval(READ_SIZE, tenant_id) or 0
    return Edge(size, await read_nodes(connection, tenant_id, subtrees(0, size)))


async def read_nodes(connection: Connection, tenant_id: int, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
    """The hashes of whole subtrees, as asked for. Raises LookupError if the log lacks one: it was tampered with."""
    levels, numbers = ([one[at] for one in wanted] for at in (0, 1))
    found = [row[0] for row in await connection.fetch(READ_NODES, tenant_id, levels, numbers)]
    if len(found) != len(wanted):
        raise LookupError("The log's tree lacks a node.")
    return found


async def _roots(connection: Connection, tenant_id: int, claimed: Sequence[Claimed]) -> list[bytes]:
    roots = []
    for one in claimed:
        if one.root is not None:
            roots.append(one.root)
            continue
        assert one.ids is not None
        if one.batch is None:
            leaves = await read_entry_leaves(connection, tenant_id, one.ids)
        else:
            leaves = await read_batch_leaves(connection, tenant_id, one.ids)
        roots.append(root_of(leaves))
    return roots


async def _write(
    connection: Connection,
    head: Head,
    first: int,
    claimed: Sequence[Claimed],
    roots: Sequence[bytes],
    nodes: Sequence[tuple[int, int, bytes]],
) -> None:
    payments = [(one.batch, root) for one, root in zip(claimed, roots, strict=True) if one.batch is not None]
    audit: tuple[Any, ...] = (None, None, None)
    if claimed[-1].batch is None:
        audit = roots[-1], claimed[-1].judged_at, claimed[-1].ids
    await connection.execute(
        GROW,
        head.tenant_id,
        first,
        [batch for batch, _ in payments],
        [root for _, root in payments],
        *audit,
        *([node[at] for node in nodes] for at in range(3)),
        head.size,
        head.root,
        head.sealed_at,
        head.kid,
        head.signature,
    )

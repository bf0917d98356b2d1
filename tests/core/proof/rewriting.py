"""What a superuser who has the signing key, too, can do to a tenant's log: rewrite it whole, cut it, restore a backup.

After each, the log is as whole and as well signed as it was. Only what was kept outside tells.
"""

import time
from datetime import datetime

from core.database import Connection, Pool, acquire, transaction
from core.proof import heads
from core.proof.leaves import LeafKind, batch_leaf
from core.proof.notary import Signer
from core.proof.records import read_batch_leaves, read_entry_leaves
from core.proof.tree import Edge, root_of
from tests.conftest import PAST_TRIGGERS

LEAVES = "select number, kind, ids::text[] from payhub.log_leaves where tenant_id = $1 order by number"
HEADS = "select size, sealed_at from payhub.log_heads where tenant_id = $1 order by size"


async def rewrite(admin: Pool, tenant_id: int, signer: Signer, statement: str, *arguments: object) -> None:
    """Change rows as if they had always been so, and the log over them from its first leaf on."""
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute(statement, *arguments)
        await _sign_anew(connection, tenant_id, signer)


async def cut(admin: Pool, tenant_id: int, signer: Signer, to_size: int, sealed_at: datetime | None = None) -> None:
    """Take leaves off the end, with the payments in them, so that the log ends at `to_size`; its last head may be new."""
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        gone = await connection.fetchval(
            "select array_agg(one) from payhub.log_leaves, unnest(ids) as one where tenant_id = $1 and number >= $2",
            tenant_id,
            to_size,
        )
        await connection.execute("delete from payhub.payments where tenant_id = $1 and id = any ($2)", tenant_id, gone)
        await connection.execute(
            "delete from payhub.outbox where tenant_id = $1 and payment_ids && $2", tenant_id, gone
        )
        await connection.execute(
            "delete from payhub.audit_entries where tenant_id = $1 and id = any ($2)", tenant_id, gone
        )
        await connection.execute(
            "delete from payhub.log_leaves where tenant_id = $1 and number >= $2", tenant_id, to_size
        )
        await connection.execute("delete from payhub.log_heads where tenant_id = $1 and size > $2", tenant_id, to_size)
        if sealed_at is not None:
            await connection.execute(
                "update payhub.log_heads set sealed_at = $3 where tenant_id = $1 and size = $2",
                tenant_id,
                to_size,
                sealed_at,
            )
        await _sign_anew(connection, tenant_id, signer)


async def _sign_anew(connection: Connection, tenant_id: int, signer: Signer) -> None:
    """The tree over the leaves as they are now, its nodes, and its heads at the sizes there are; all well signed."""
    leaves = await connection.fetch(LEAVES, tenant_id)
    sealed_at = {row["size"]: row["sealed_at"] for row in await connection.fetch(HEADS, tenant_id)}
    await connection.execute("delete from payhub.log_nodes where tenant_id = $1", tenant_id)
    edge, kid_and_sign = Edge(), signer.key_at(time.time())
    for number, kind, ids in leaves:
        read = read_batch_leaves if kind == LeafKind.PAYMENTS else read_entry_leaves
        root = root_of(await read(connection, tenant_id, ids))
        await connection.execute(
            "update payhub.log_leaves set root = $3 where tenant_id = $1 and number = $2", tenant_id, number, root
        )
        await connection.executemany(
            "insert into payhub.log_nodes (tenant_id, level, number, hash) values ($1, $2, $3, $4)",
            [(tenant_id, *node) for node in edge.append(batch_leaf(kind, len(ids), root))],
        )
        if edge.size in sealed_at:
            kid, sign = kid_and_sign
            signature = sign(heads.statement(tenant_id, edge.size, edge.root, sealed_at[edge.size]))
            await connection.execute(
                "update payhub.log_heads set root = $3, kid = $4, signature = $5 where tenant_id = $1 and size = $2",
                tenant_id,
                edge.size,
                edge.root,
                kid,
                signature,
            )

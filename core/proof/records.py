"""Reads what stands in the leaves back from the tables, as the ledger and the audit trail have it now."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from core.database import Connection
from core.proof.leaves import (
    AuditFacts,
    Facts,
    Private,
    commitment_to,
    entry_leaf,
    payment_leaf,
    salt_for,
)
from core.proof.notary import read_salts

READ_PAYMENTS = """
select wanted.id::text, payments.kind, payments.status, payments.payer, payments.payee, payments.amount,
       (extract(epoch from payments.judged_at) * 1000000)::bigint, payments.subject::text, payments.charge::text,
       payments.asked_by::text, coalesce(payments.fee, 0), payments.shared is not null and payments.shared <> 0
  from unnest($2::uuid[]) with ordinality as wanted (id, at)
  left join payments on payments.tenant_id = $1 and payments.id = wanted.id
 order by wanted.at
"""
READ_SHARES = """
select payment_id::text, account_id, amount
  from shares
 where tenant_id = $1 and payment_id = any ($2::uuid[])
 order by payment_id, account_id, amount
"""
READ_ENTRIES = """
select wanted.id::text, (extract(epoch from entries.at) * 1000000)::bigint, entries.what, entries.who::text,
       entries.about, entries.why, entries.session_id::text, entries.network, entries.details::text
  from unnest($2::uuid[]) with ordinality as wanted (id, place)
  left join audit_entries as entries on entries.tenant_id = $1 and entries.id = wanted.id
 order by wanted.place
"""


class Record(NamedTuple):
    """A payment as its leaf has it, and what only one of its sides may know."""

    facts: Facts
    private: Private


class RecordMissing(LookupError):
    """A payment or an entry that the log has is not in the tables any more: they were tampered with."""


async def read_records(connection: Connection, tenant_id: int, ids: Sequence[str]) -> list[Record]:
    """The payments with these ids, in this order. Raises RecordMissing."""
    rows = await connection.fetch(READ_PAYMENTS, tenant_id, ids)
    split = [row[0] for row in rows if row[11]]
    shares: dict[str, list[tuple[int, int]]] = {}
    if split:
        for id_, account, amount in await connection.fetch(READ_SHARES, tenant_id, split):
            shares.setdefault(id_, []).append((account, amount))
    if any(row[2] is None for row in rows):
        raise RecordMissing(next(row[0] for row in rows if row[2] is None))
    return [Record(Facts(*row[:9]), Private(row[9], row[10], tuple(shares.get(row[0], ())))) for row in rows]


async def read_batch_leaves(connection: Connection, tenant_id: int, ids: Sequence[str]) -> list[bytes]:
    """The leaves of a batch, from its payments as they are now. Raises RecordMissing."""
    salt = (await read_salts(connection, [tenant_id]))[tenant_id]
    return [leaf_of(record, salt)[0] for record in await read_records(connection, tenant_id, ids)]


def leaf_of(record: Record, tenant_salt: bytes) -> tuple[bytes, bytes]:
    """A payment's leaf and the commitment in it."""
    commitment = commitment_to(record.private, salt_for(tenant_salt, record.facts.id))
    return payment_leaf(record.facts, commitment), commitment


async def read_entries(connection: Connection, tenant_id: int, ids: Sequence[str]) -> list[AuditFacts]:
    """The audit entries with these ids, in this order. Raises RecordMissing."""
    rows = await connection.fetch(READ_ENTRIES, tenant_id, ids)
    if any(row[2] is None for row in rows):
        raise RecordMissing(next(row[0] for row in rows if row[2] is None))
    return [AuditFacts(*row)._replace(details=json.loads(row["details"] or "null")) for row in rows]


async def read_entry_leaves(connection: Connection, tenant_id: int, ids: Sequence[str]) -> list[bytes]:
    """The leaves of audit entries, as they are now. Raises RecordMissing."""
    return [entry_leaf(entry) for entry in await read_entries(connection, tenant_id, ids)]

"""Reads a tenant's log as events: page by page, each leaf whole or to where it was told, in the log's own order.

The log has every batch once, numbered without a gap, and an account's numbers in order (claim_unlogged.sql); what it
points at is never changed. So the same place of it gives the same events whenever and by whomever it is read.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

import asyncpg

from core.database import Connection, Pool, in_tenant
from core.ledger.entries import entries_of
from core.nouns import Kind, Leg, Payment, PaymentStatus, Posting, SystemAccount
from core.proof.leaves import LeafKind
from core.sinks.events import (
    AUDIT,
    RECEIVED,
    SENT,
    AuditEntry,
    Place,
    Told,
    tell_audit,
    tell_entry,
    tell_paid,
    to_time,
    type_of,
)

# Of a page: what is read ends with the leaf that reaches it. A leaf has a batch, or as many entries of the trail as the
# log takes at a time, so a page holds a thousand of them at most.
DONE_PER_PAGE: Final = 512
LEAVES_PER_PAGE: Final = 512

LEAVES: Final = """
select number, kind, cardinality(ids) as size
  from log_leaves
 where tenant_id = $1 and number >= $2
 order by number
 limit $3
"""
PAYMENTS: Final = """
select leaf, id::text, kind, status, payer, payee, amount, payer_version, payee_version, payer_balance, payee_balance,
       judged_at_us, subject::text, charge::text, hold, payer_held, fee, fee_version, fee_balance, shared
  from read_log_payments($1, $2, $3)
"""
# Of payments that were split. Their primary key is led by the payment.
SHARES: Final = """
select payment_id::text, account_id, amount, balance, version
  from shares
 where tenant_id = $1 and payment_id = any ($2::uuid[])
 order by payment_id, version
"""
TRAIL: Final = """
select leaves.number, entry.id::text, (extract(epoch from entry.at) * 1000000)::bigint, entry.what, entry.who::text,
       entry.about, entry.session_id::text
  from log_leaves as leaves
 cross join lateral unnest(leaves.ids) with ordinality as one (id, place)
  join audit_entries as entry on entry.tenant_id = leaves.tenant_id and entry.id = one.id
 where leaves.tenant_id = $1 and leaves.number between $2 and $3 and leaves.kind = 1
 order by leaves.number, one.place
"""


class Log(NamedTuple):
    """Whose log, and as what it is told: CloudEvents' source, and the tenant's currency."""

    tenant_id: int
    source: str
    currency: str


class Page(NamedTuple):
    """Events that are wanted, and how far the log is told with them: the next leaf, and whether there was one more."""

    events: list[Told]
    number: int
    taken: int
    is_last: bool


# Id, event and type; None: it is not wanted.
_Made: TypeAlias = tuple[str, bytes, str] | None


class LogBroken(Exception):
    """The log points at something that is not there."""


async def read_page(
    pool: Pool, log: Log, number: int, taken: int, is_wanted: Callable[[str], bool], done_max: int = DONE_PER_PAGE
) -> Page:
    """The next events from leaf `number` on, past the first `taken` of its. Raises LogBroken."""
    async with in_tenant(pool, log.tenant_id) as connection:
        leaves = await connection.fetch(LEAVES, log.tenant_id, number, LEAVES_PER_PAGE)
        chosen = _choose(leaves, done_max)
        if not chosen:
            return Page([], number, taken, True)
        done: dict[int, list[asyncpg.Record]] = {leaf["number"]: [] for leaf in chosen}
        legs: dict[str, list[Leg]] = {}
        if any(leaf["kind"] == LeafKind.PAYMENTS for leaf in chosen):
            legs = await _read_payments(connection, log.tenant_id, chosen, done)
        if any(leaf["kind"] == LeafKind.AUDIT for leaf in chosen):
            await _read_trail(connection, log.tenant_id, chosen, done)
    teller = _Teller(log, is_wanted, legs)
    events: list[Told] = []
    for leaf in chosen:
        skipped = taken if leaf["number"] == number else 0
        events += teller.tell(leaf["number"], leaf["kind"], done[leaf["number"]], skipped)
    return Page(events, chosen[-1]["number"] + 1, 0, len(chosen) == len(leaves) < LEAVES_PER_PAGE)


def _choose(leaves: Sequence[asyncpg.Record], done_max: int) -> Sequence[asyncpg.Record]:
    count = 0
    for at, leaf in enumerate(leaves):
        count += leaf["size"]
        if count >= done_max:
            return leaves[: at + 1]
    return leaves


async def _read_payments(
    connection: Connection,
    tenant_id: int,
    leaves: Sequence[asyncpg.Record],
    done: dict[int, list[asyncpg.Record]],
) -> dict[str, list[Leg]]:
    """Payments, to their leaves; and what was shared of those that were split."""
    rows = await connection.fetch(PAYMENTS, tenant_id, leaves[0]["number"], leaves[-1]["number"])
    if len(rows) != sum(leaf["size"] for leaf in leaves if leaf["kind"] == LeafKind.PAYMENTS):
        raise LogBroken("The log points at a payment that is not there.")
    for row in rows:
        done[row[0]].append(row)
    legs: dict[str, list[Leg]] = {}
    if split := [row["id"] for row in rows if row["shared"]]:
        for id_, account, amount, balance, version in await connection.fetch(SHARES, tenant_id, split):
            legs.setdefault(id_, []).append(Leg(account, amount, balance, version))
    return legs


async def _read_trail(
    connection: Connection,
    tenant_id: int,
    leaves: Sequence[asyncpg.Record],
    done: dict[int, list[asyncpg.Record]],
) -> None:
    rows = await connection.fetch(TRAIL, tenant_id, leaves[0]["number"], leaves[-1]["number"])
    if len(rows) != sum(leaf["size"] for leaf in leaves if leaf["kind"] == LeafKind.AUDIT):
        raise LogBroken("The log points at an entry of the trail that is not there.")
    for row in rows:
        done[row[0]].append(row)


class _Teller:
    """Makes events of what was read. Each type is asked for once."""

    def __init__(self, log: Log, is_wanted: Callable[[str], bool], legs: Mapping[str, Sequence[Leg]]) -> None:
        self._log = log
        self._legs = legs
        self._is_wanted = cache(is_wanted)

    def tell(self, leaf: int, kind: int, rows: Sequence[asyncpg.Record], skipped: int) -> list[Told]:
        """A leaf's events past its first `skipped`.

        Counted are all of them, so that a sink which wants others later finds its place.
        """
        made = self._trail(leaf, rows) if kind == LeafKind.AUDIT else self._payments(leaf, rows)
        last = len(made)
        return [
            Told(one[0], one[1], one[2], leaf + (at == last), 0 if at == last else at)
            for at, one in enumerate(made, 1)
            if one is not None and at > skipped
        ]

    def _trail(self, leaf: int, rows: Sequence[asyncpg.Record]) -> list[_Made]:
        made: list[_Made] = []
        for at, row in enumerate(rows, 1):
            entry = AuditEntry(*row[1:])
            type_ = AUDIT + entry.what
            made.append((*tell_audit(self._log.source, entry, leaf, at), type_) if self._is_wanted(type_) else None)
        return made

    def _payments(self, leaf: int, rows: Sequence[asyncpg.Record]) -> list[_Made]:
        made: list[_Made] = []
        # All payments of a batch were judged at one moment.
        place = Place(self._log.source, self._log.currency, leaf, to_time(rows[0]["judged_at_us"]))
        for row in rows:
            (
                _, id_, kind, status, payer, payee, amount, payer_version, payee_version, payer_balance, payee_balance,
                judged_at_us, subject, charge, hold, held, fee, fee_version, fee_balance, shared,
            ) = row  # fmt: skip
            if kind == Kind.PAY and status == PaymentStatus.POSTED and not (charge or hold or fee or shared):
                if self._is_wanted(SENT):
                    told = tell_paid(place, SENT, payer, payer_version, id_, -amount, payee, payer_balance)
                    made.append((*told, SENT))
                else:
                    made.append(None)
                if self._is_wanted(RECEIVED):
                    told = tell_paid(place, RECEIVED, payee, payee_version, id_, amount, payer, payee_balance)
                    made.append((*told, RECEIVED))
                else:
                    made.append(None)
                continue
            payment = Payment(self._log.tenant_id, id_, payer, payee, amount, "", None, kind, subject, charge)
            legs = (Leg(SystemAccount.FEES, fee, fee_balance, fee_version),) if fee_version is not None else ()
            posting = Posting(
                status, payer_balance, payer_version, payee_balance, payee_version, judged_at_us, hold, held, fee,
                shared, legs=(*legs, *self._legs.get(id_, ())),
            )  # fmt: skip
            for entry in entries_of(payment, posting):
                type_ = type_of(entry)
                made.append((*tell_entry(place, entry, type_), type_) if self._is_wanted(type_) else None)
        return made

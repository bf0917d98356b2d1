"""What stands in the leaves, byte by byte. Pure. Whoever checks a proof builds the same bytes (README: the receipt).

All numbers are big-endian. A leaf of a payment holds what both of its sides know, and a commitment to what only one
of them does: who asked, the fee, the shares. It is blinded, or whoever holds a neighbour's path could guess a fee.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from struct import Struct
from typing import Any, NamedTuple, TypeAlias

from core.nouns import Payment, Posting, SystemAccount
from core.proof.tree import hash_leaf

# A marker each, so that bytes of one kind never pass for another's.
PAYMENT = b"payhub payment 1"
PRIVATE = b"payhub private 1"
ENTRY = b"payhub audit 1"
BATCH = b"payhub batch 1"
NO_ID = bytes(16)
SALT_SIZE = 16

# id, kind, status, payer, payee, amount, microseconds since the epoch, the payment it is about, the charge it pays
_PUBLIC = Struct(">16sBBQQQQ16s16s")
# asked by, fee (negative: given back)
_ASKED = Struct(">16sq")
_SHARE = Struct(">Qq")
# kind, size, root
_BATCH = Struct(">BI32s")
_sha256 = hashlib.sha256

Shares: TypeAlias = Sequence[tuple[int, int]]


class LeafKind(IntEnum):
    """What is below a leaf of the log. Stored in log_leaves.kind."""

    PAYMENTS = 0
    AUDIT = 1


class Facts(NamedTuple):
    """What a leaf says of a payment that was posted, or set aside for review."""

    id: str
    kind: int
    status: int
    payer: int
    payee: int
    amount: int
    judged_at_us: int
    subject: str | None = None
    charge: str | None = None


class Private(NamedTuple):
    """What it commits to besides. `shares`: (account, amount) that went on from the payee, or came back."""

    asked_by: str
    fee: int = 0
    shares: tuple[tuple[int, int], ...] = ()


def facts_of(payment: Payment, posting: Posting) -> Facts:
    """What was posted, from the question and its answer."""
    amount = payment.amount if posting.amount is None else posting.amount
    return Facts(
        payment.id,
        payment.kind,
        posting.status,
        payment.payer,
        payment.payee,
        amount,
        posting.judged_at_us,
        payment.subject,
        payment.charge,
    )


def private_of(payment: Payment, posting: Posting) -> Private:
    """The rest of it."""
    legs = posting.legs
    if not legs:
        return Private(payment.asked_by, posting.fee)
    shares = sorted((leg.account, leg.amount) for leg in legs if leg.account != SystemAccount.FEES)
    return Private(payment.asked_by, posting.fee, tuple(shares))


def salt_for(tenant_salt: bytes, payment_id: str) -> bytes:
    """What blinds one payment's commitment: known of one, it tells nothing of another."""
    return _sha256(tenant_salt + id_bytes(payment_id)).digest()[:SALT_SIZE]


def commitment_to(private: Private, salt: bytes) -> bytes:
    """The commitment to what not both sides may know."""
    data = PRIVATE + salt + _ASKED.pack(id_bytes(private.asked_by), private.fee)
    for account, amount in private.shares:
        data += _SHARE.pack(account, amount)
    return _sha256(data).digest()


def payment_leaf(facts: Facts, commitment: bytes) -> bytes:
    """The hash of a payment's leaf."""
    id_, kind, status, payer, payee, amount, judged_at_us, subject, charge = facts
    return hash_leaf(
        PAYMENT
        + _PUBLIC.pack(
            id_bytes(id_),
            kind,
            status,
            payer,
            payee,
            amount,
            judged_at_us,
            NO_ID if subject is None else id_bytes(subject),
            NO_ID if charge is None else id_bytes(charge),
        )
        + commitment
    )


def entry_leaf(entry: "AuditFacts") -> bytes:
    """The hash of an audit entry's leaf."""
    rest = [entry.what, entry.who, entry.about, entry.why, entry.session_id, entry.network, entry.details]
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hash_leaf(ENTRY + id_bytes(entry.id) + entry.at_us.to_bytes(8) + text.encode())


class AuditFacts(NamedTuple):
    """An audit entry as its leaf says it (core.audit.trail.Entry)."""

    id: str
    at_us: int
    what: str
    who: str | None = None
    about: str | None = None
    why: str | None = None
    session_id: str | None = None
    network: str | None = None
    details: Any = None


def batch_leaf(kind: int, size: int, root: bytes) -> bytes:
    """The hash of the log's leaf that stands for a batch."""
    return hash_leaf(BATCH + _BATCH.pack(kind, size, root))


def id_bytes(id_: str) -> bytes:
    """A UUID's 16 bytes."""
    return bytes.fromhex(id_.replace("-", ""))


def to_us(at: datetime) -> int:
    """Microseconds since the epoch, without a float on the way."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond

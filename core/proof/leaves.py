"""What stands in the leaves, byte by byte. Pure. Whoever checks a proof builds the same bytes (README: the receipt).

All numbers are big-endian. A leaf of a payment holds what both of its sides know, and a commitment to what only one
of them does: who asked, the fee, the shares. It is blinded, or whoever knows the rest of a leaf could guess a fee.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from itertools import repeat
from operator import add, itemgetter
from struct import Struct
from typing import Any, NamedTuple, TypeAlias

from core.nouns import Payment, Posting, SystemAccount
from core.proof.tree import LEAF, hash_leaf

# A marker each, so that bytes of one kind never pass for another's.
PAYMENT = b"payhub payment 1"
PRIVATE = b"payhub private 1"
ASKED = b"payhub asked 1"
KEPT = b"payhub kept 1"
ENTRY = b"payhub audit 1"
BATCH = b"payhub batch 1"
NO_ID = bytes(16)
NOTHING_KEPT = bytes(32)
# Half of a payment's salt blinds who asked, the other half what was kept: each can be told without the other.
SALT_SIZE = 16

# id, kind, status, payer, payee, amount, microseconds since the epoch, the payment it is about, the charge it pays
_PUBLIC = Struct(">16sBBQQQQ16s16s")
# fee (negative: given back); account, amount
_FEE = Struct(">q")
_SHARE = Struct(">Qq")
# kind, size, root
_BATCH = Struct(">BI32s")
# The same, whole: what goes into a hash is put together at one stroke. A salt is cut to its first half by its `16s`.
_PAYMENT_LEAF = LEAF + PAYMENT
_pack_leaf = Struct(f">{len(_PAYMENT_LEAF)}s{_PUBLIC.format[1:]}32s").pack
_pack_asked = Struct(f">{len(ASKED)}s{SALT_SIZE}s16s").pack
_pack_private = Struct(f">{len(PRIVATE)}s32s32s").pack
_sha256 = hashlib.sha256
_digest = type(_sha256()).digest
# Of a payment: its tenant, its id, who asked for it.
_QUESTION = itemgetter(0, 1, 5)

Shares: TypeAlias = Sequence[tuple[int, int]]
Blinded: TypeAlias = tuple[bytes, bytes, bytes, bytes]
"""A payment's id, its salt, who asked (`hash_asked`), and the commitment that it has if nothing is kept."""


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
    return _sha256(tenant_salt + id_bytes(payment_id)).digest()


def hash_asked(asked_by: str, salt: bytes) -> bytes:
    """Who asked, blinded."""
    return _sha256(ASKED + salt[:SALT_SIZE] + id_bytes(asked_by)).digest()


def hash_kept(fee: int, shares: Shares, salt: bytes) -> bytes:
    """What the payee did not get of the amount, blinded: the fee, and what went on to others."""
    if not fee and not shares:
        return NOTHING_KEPT
    return _sha256(
        KEPT + salt[SALT_SIZE:] + _FEE.pack(fee) + b"".join(_SHARE.pack(account, amount) for account, amount in shares)
    ).digest()


def join_private(asked: bytes, kept: bytes) -> bytes:
    """The commitment in the leaf, from its two parts."""
    return _sha256(PRIVATE + asked + kept).digest()


def commitment_to(private: Private, salt: bytes) -> bytes:
    """The commitment to what not both sides may know."""
    asked_by, fee, shares = private
    return join_private(hash_asked(asked_by, salt), hash_kept(fee, shares, salt))


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


def blind(batch: Sequence[Payment], tenant_salts: Mapping[int, bytes]) -> list[Blinded]:
    """Of each payment what its question alone says, so that it can be made while the answer is waited for.

    Raises KeyError: a tenant's salt is missing.
    """
    if not batch:
        return []
    tenants, texts, askers = zip(*map(_QUESTION, batch), strict=True)
    ids = [bytes.fromhex(text.replace("-", "")) for text in texts]
    salts = _hash_all(map(add, map(tenant_salts.__getitem__, tenants), ids))
    asked = _hash_all(map(_pack_asked, repeat(ASKED), salts, map(_asker_bytes, askers)))
    commitments = _hash_all(map(_pack_private, repeat(PRIVATE), asked, repeat(NOTHING_KEPT)))
    return list(zip(ids, salts, asked, commitments, strict=True))


def leaves_of(
    batch: Sequence[Payment], postings: Sequence[Posting], places: Iterable[int], blinded: Sequence[Blinded]
) -> tuple[list[bytes], list[bytes]]:
    """The hashes of the leaves of what was just posted at these places, and the commitments in them.

    Each is `payment_leaf` of its facts over `commitment_to` the rest, written out: a hub does it for every payment, and
    it is most of what a receipt costs.
    """
    leaves, commitments = [], []
    for at in places:
        status, _, _, _, _, judged_at_us, _, _, fee, _, found, _, _, legs, _, _ = posting = postings[at]
        _, _, payer, payee, amount, _, _, kind, subject, charge = batch[at][:10]
        id_, salt, asked, commitment = blinded[at]
        if fee or legs:
            commitment = join_private(asked, hash_kept(fee, private_of(batch[at], posting).shares, salt))
        commitments.append(commitment)
        public = _pack_leaf(
            _PAYMENT_LEAF,
            id_,
            kind,
            status,
            payer,
            payee,
            amount if found is None else found,
            judged_at_us,
            NO_ID if subject is None else id_bytes(subject),
            NO_ID if charge is None else id_bytes(charge),
            commitment,
        )
        leaves.append(_sha256(public).digest())
    return leaves, commitments


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


def _hash_all(parts: Iterable[bytes]) -> list[bytes]:
    return list(map(_digest, map(_sha256, parts)))


# Whoever asks for one payment asks for more.
_asker_bytes = lru_cache(10_000)(id_bytes)


def to_us(at: datetime) -> int:
    """Microseconds since the epoch, without a float on the way."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond

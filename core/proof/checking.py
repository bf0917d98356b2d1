"""Checks what others say of a log, with nothing but the bytes: a receipt, an exported log, heads that were kept. Pure.

It trusts the keys that it is told to trust and hashes everything anew. The first thing that is wrong is named.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from core.proof import heads
from core.proof.cosignatures import Cosignature, is_cosigned
from core.proof.heads import Head
from core.proof.leaves import (
    AuditFacts,
    Facts,
    LeafKind,
    Private,
    batch_leaf,
    commitment_to,
    entry_leaf,
    payment_leaf,
    salt_for,
)
from core.proof.receipts import PublicKeys, Reason, ReceiptRefused, Unproved, from_text
from core.proof.tree import Edge, is_consistent, is_included, root_of

ID_PATTERN: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
ID = re.compile(ID_PATTERN)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What is said of a head from outside, within what its statement has room for. Until the year 9999.
Tenant: TypeAlias = Annotated[int, Meta(ge=0, lt=2**32)]
Size: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
AtUs: TypeAlias = Annotated[int, Meta(ge=0, lt=253_402_300_800_000_000)]
NO_WITNESSES: Final[Mapping[str, Ed25519PublicKey]] = {}


class LogBroken(Unproved):
    """The log does not prove: the message says where, and what is wrong there."""

    def __init__(self, message: str = "", reason: Reason = Reason.BROKEN_LOG) -> None:
        super().__init__(message, reason)


class KeptHead(NamedTuple):
    """A head that somebody kept outside the database.

    `source` is where, for people. With a signature it is the institution's own word, or it is not proved at all;
    `cosignatures` are those of witnesses that saw it.
    """

    tenant: int
    size: int
    root: bytes
    at_us: int
    source: str = ""
    kid: str = ""
    signature: bytes | None = None
    cosignatures: tuple[Cosignature, ...] = ()

    @property
    def head(self) -> Head:
        """As it was signed."""
        return Head(self.tenant, self.size, self.root, moment(self.at_us), self.kid, self.signature or b"")


class Verdict(NamedTuple):
    """What was proved: so many leaves, payments and audit entries, up to the last head.

    `kept_heads`: how many that were kept elsewhere are this log's, and `kept_by` how many of each source; `cosigned`:
    those of them that a known witness cosigned. `kept_to`: the largest of them.
    """

    slug: str
    leaves: int
    payments: int
    entries: int
    heads: int
    kept_heads: int
    sealed_at: datetime
    kept_by: Mapping[str, int] = {}
    cosigned: int = 0
    kept_to: int = 0


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    tenant: Tenant
    slug: str
    keys: dict[str, str]
    salt: str


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    size: Size
    root: str
    at_us: AtUs
    key: str
    signature: str


# id, kind, status, payer, payee, amount, at, subject, charge, asked by, fee, shares
_Payment = tuple[str, int, int, int, int, int, int, str | None, str | None, str, int, list[tuple[int, int]]]
_Entry = tuple[str, int, str, str | None, str | None, str | None, str | None, str | None, Any]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    payments: list[_Payment] | None = None
    entries: list[_Entry] | None = None
    head: _Head | None = None


def check_log(
    lines: Iterable[bytes],
    trusted: Mapping[str, Ed25519PublicKey] | None = None,
    kept: Iterable[KeptHead] = (),
    on_progress: Callable[[int], None] | None = None,
    witnesses: Mapping[str, Ed25519PublicKey] = NO_WITNESSES,
) -> Verdict:
    """Prove an exported log from its first leaf to its last head. Raises LogBroken.

    `trusted`: the institution's keys as the caller knows them; None: those in the file, which proves that it is whole
    and not whose it is. `kept`: heads from elsewhere; each must be on the way. `witnesses`: keys of those whose
    cosignatures count. `on_progress(payments)` is told now and then.
    """
    lines = iter(lines)
    header = _decode(next(lines, b""), _Header, 1)
    keys = trusted if trusted is not None else {kid: read_key(text) for kid, text in header.keys.items()}
    wanted = _wanted(kept, header.tenant, keys, witnesses)
    kept_by: Counter[str] = Counter()
    kept_to = max(wanted, default=0)
    salt = from_text(header.salt)
    edge = Edge()
    payments = entries = signed = met = cosigned = 0
    last: Head | None = None
    for at, line in enumerate(lines, start=2):
        content = _decode(line, _Line, at)
        if content.head is not None:
            last = _check_head(header.tenant, content.head, edge, keys, last)
            signed += 1
            continue
        if content.payments is not None:
            leaves = [_payment_leaf(one, salt, edge.size) for one in content.payments]
            edge.append(batch_leaf(LeafKind.PAYMENTS, len(leaves), root_of(leaves)))
            payments += len(leaves)
        elif content.entries is not None:
            leaves = [_entry_leaf(one, edge.size) for one in content.entries]
            edge.append(batch_leaf(LeafKind.AUDIT, len(leaves), root_of(leaves)))
            entries += len(leaves)
        else:
            raise LogBroken(f"Line {at} is neither a leaf nor a head.")
        for one in wanted.pop(edge.size, ()):
            if one.root != edge.root:
                raise LogBroken(
                    f"The head that was kept of {_time(one.at_us)} ({one.size} leaves{_where(one)}) is not this log's: "
                    "it was rewritten at or before that leaf."
                )
            met += 1
            cosigned += bool(one.cosignatures)
            kept_by[one.source] += 1
        if on_progress is not None:
            on_progress(payments)
    if wanted:
        size = max(wanted)
        where = _where(wanted[size][0])
        raise LogBroken(f"A head was kept of {size} leaves{where}, and there are {edge.size}: the end was cut off.")
    if last is None or last.size != edge.size:
        raise LogBroken(f"No head is signed over the end of the log, which has {edge.size} leaves.")
    return Verdict(
        header.slug, edge.size, payments, entries, signed, met, last.sealed_at, dict(kept_by), cosigned, kept_to
    )


def _wanted(
    kept: Iterable[KeptHead], tenant: int, keys: PublicKeys, witnesses: Mapping[str, Ed25519PublicKey]
) -> dict[int, list[KeptHead]]:
    """The heads of this log that were kept, by size; each the institution's word, and its cosignatures good."""
    wanted: dict[int, list[KeptHead]] = {}
    # Every place keeps the same heads: each signature is checked once.
    proved: set[tuple[Head, tuple[Cosignature, ...]]] = set()
    for one in kept:
        if one.tenant != tenant:
            continue
        known = tuple(cosignature for cosignature in one.cosignatures if cosignature.witness in witnesses)
        if one.signature is not None and (one.head, known) not in proved:
            _check_kept(one, known, keys, witnesses)
            proved.add((one.head, known))
        wanted.setdefault(one.size, []).append(one._replace(cosignatures=known))
    return wanted


def _check_kept(
    one: KeptHead,
    cosignatures: Iterable[Cosignature],
    keys: PublicKeys,
    witnesses: Mapping[str, Ed25519PublicKey],
) -> None:
    if not heads.is_signed(one.head, keys):
        raise LogBroken(
            f"The head that was kept of {_time(one.at_us)} ({one.size} leaves{_where(one)}) is signed by no trusted "
            f"key ({one.kid})."
        )
    for cosignature in cosignatures:
        if not is_cosigned(one.head, cosignature, witnesses):
            raise LogBroken(
                f"The head of {one.size} leaves{_where(one)} was not cosigned by witness {cosignature.witness}, as it "
                "says there."
            )


def _check_head(tenant: int, told: _Head, edge: Edge, keys: PublicKeys, last: Head | None) -> Head:
    try:
        root, signature = from_text(told.root), from_text(told.signature)
    except ReceiptRefused:
        raise LogBroken(f"The head of {told.size} leaves cannot be read.") from None
    head = Head(tenant, told.size, root, moment(told.at_us), told.key, signature)
    if told.size != edge.size:
        raise LogBroken(f"A head of {told.size} leaves stands after leaf {edge.size - 1}: leaves are missing or added.")
    if root != edge.root:
        since = 0 if last is None else last.size
        raise LogBroken(
            f"The root over {told.size} leaves is not the one that was signed: "
            f"one of the leaves {since} to {edge.size - 1} was changed."
        )
    if not heads.is_signed(head, keys):
        raise LogBroken(f"The head of {told.size} leaves is not signed by a trusted key ({told.key}).")
    return head


def _payment_leaf(one: _Payment, salt: bytes, number: int) -> bytes:
    try:
        _require_ids(one[0], one[7], one[8], one[9])
        facts = Facts(*one[:9])
        private = Private(one[9], one[10], tuple((account, amount) for account, amount in one[11]))
        return payment_leaf(facts, commitment_to(private, salt_for(salt, facts.id)))
    except Exception:
        raise LogBroken(f"A payment in leaf {number} is no payment.") from None


def _entry_leaf(one: _Entry, number: int) -> bytes:
    try:
        _require_ids(one[0])
        return entry_leaf(AuditFacts(*one))
    except Exception:
        raise LogBroken(f"An audit entry in leaf {number} is no audit entry.") from None


def _require_ids(*ids: str | None) -> None:
    """An id in another spelling has the same bytes, and would be another id to whoever reads the file."""
    for one in ids:
        if one is not None and ID.fullmatch(one) is None:
            raise ValueError


def _decode(line: bytes, kind: type, at: int) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LogBroken(f"Line {at} cannot be read.") from None


def read_key(text: str) -> Ed25519PublicKey:
    """A public key from its text. Raises LogBroken."""
    try:
        return Ed25519PublicKey.from_public_bytes(from_text(text))
    except (ReceiptRefused, ValueError):
        raise LogBroken("A key cannot be read.", Reason.MALFORMED) from None


def is_in_log(root: bytes, size: int, number: int, path: bytes, head: Head) -> bool:
    """Whether the path proves that the batch with this root and size is leaf `number` of the head's log."""
    return is_included(batch_leaf(LeafKind.PAYMENTS, size, root), number, head.size, path, head.root)


def has_grown(old: Head, head: Head, proof: bytes, keys: PublicKeys) -> bool:
    """Whether both heads are signed, and the later log begins with the earlier one."""
    return (
        heads.is_signed(old, keys)
        and heads.is_signed(head, keys)
        and old.tenant_id == head.tenant_id
        and is_consistent(old.size, old.root, head.size, head.root, proof)
    )


def moment(at_us: int) -> datetime:
    """The moment so many microseconds after the epoch."""
    return EPOCH + timedelta(microseconds=at_us)


def _time(at_us: int) -> str:
    return moment(at_us).isoformat(timespec="seconds")


def _where(one: KeptHead) -> str:
    return f", in {one.source}" if one.source else ""

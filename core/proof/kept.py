"""Heads that were kept outside the database, as lines of a file: written, read back, compared with each other. Pure.

One JSON object per line: a head, and who cosigned it. The append-only file, the objects in a bucket and what a witness
answers are all of this form. `check_log(kept=…)` holds a log to them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.proof import heads
from core.proof.checking import AtUs, KeptHead, LogBroken, Size, Tenant
from core.proof.cosignatures import Cosignature
from core.proof.heads import Head
from core.proof.leaves import to_us
from core.proof.receipts import ReceiptRefused, from_text, to_text

# The longest honest line has a few cosignatures; a longer one is not read.
LINE_SIZE_MAX = 16 * 1024


class CosignatureText(msgspec.Struct, frozen=True):
    """A cosignature as it travels."""

    witness: str
    seen_at_us: AtUs
    signature: str


class HeadText(msgspec.Struct, frozen=True, omit_defaults=True):
    """A head as it travels, and who cosigned it."""

    tenant: Tenant
    size: Size
    root: str
    at_us: AtUs
    key: str
    signature: str
    cosignatures: tuple[CosignatureText, ...] = ()


class Split(NamedTuple):
    """Two heads of one log that cannot both be: two roots over as many leaves, or a later head over fewer."""

    one: KeptHead
    other: KeptHead


class Comparison(NamedTuple):
    """How many heads are in both, as (tenant, size), and those that contradict each other."""

    common: int
    splits: list[Split]


def to_line(head: Head, cosignatures: Iterable[Cosignature] = ()) -> bytes:
    """A head as a line of such a file."""
    return msgspec.json.encode(to_head_text(head, cosignatures)) + b"\n"


def to_head_text(head: Head, cosignatures: Iterable[Cosignature] = ()) -> HeadText:
    """A head as it travels."""
    return HeadText(
        head.tenant_id,
        head.size,
        to_text(head.root),
        to_us(head.sealed_at),
        head.kid,
        to_text(head.signature),
        tuple(CosignatureText(one.witness, one.seen_at_us, to_text(one.signature)) for one in cosignatures),
    )


def from_head_text(text: HeadText, source: str = "") -> KeptHead:
    """A head from its text. Raises ReceiptRefused."""
    root = from_text(text.root)
    if len(root) != heads.ROOT_SIZE or not heads.is_kid(text.key):
        raise ReceiptRefused("It is no head.")
    return KeptHead(
        text.tenant,
        text.size,
        root,
        text.at_us,
        source,
        text.key,
        from_text(text.signature),
        tuple(Cosignature(one.witness, one.seen_at_us, from_text(one.signature)) for one in text.cosignatures),
    )


class KeptFile:
    """The heads in such a file. `unreadable`: lines passed over, as a writer that died leaves one half written."""

    def __init__(self, lines: Iterable[bytes], source: str) -> None:
        self._lines = lines
        self._decoder = msgspec.json.Decoder(HeadText)
        self.source = source
        self.unreadable = 0

    def __iter__(self) -> Iterator[KeptHead]:
        for line in self._lines:
            try:
                if len(line) > LINE_SIZE_MAX:
                    raise ReceiptRefused
                yield from_head_text(self._decoder.decode(line), self.source)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ReceiptRefused):
                self.unreadable += bool(line.strip())


def compare(
    one: Iterable[KeptHead],
    other: Iterable[KeptHead],
    keys: Mapping[str, Ed25519PublicKey] | None = None,
) -> Comparison:
    """What two witnesses, or any two places, were shown. `keys`: the institution's, to check its signatures by.

    A contradiction is the institution's own word against its own: both heads of a Split are signed. Raises LogBroken
    for a head that is not.
    """
    sides = [_by_tenant(side, keys) for side in (one, other)]
    common, splits = 0, []
    for tenant in sides[0].keys() & sides[1].keys():
        ours, theirs = (side[tenant] for side in sides)
        for size in sorted(ours.keys() & theirs.keys()):
            common += 1
            if ours[size].root != theirs[size].root:
                splits.append(Split(ours[size], theirs[size]))
        splits += _shrinkings(ours, theirs)
    return Comparison(common, splits)


def _by_tenant(side: Iterable[KeptHead], keys: Mapping[str, Ed25519PublicKey] | None) -> dict[int, dict[int, KeptHead]]:
    found: dict[int, dict[int, KeptHead]] = {}
    for one in side:
        if keys is not None and not heads.is_signed(one.head, keys):
            raise LogBroken(f"The head of {one.size} leaves in {one.source} is signed by no trusted key ({one.kid}).")
        found.setdefault(one.tenant, {}).setdefault(one.size, one)
    return found


def _shrinkings(ours: Mapping[int, KeptHead], theirs: Mapping[int, KeptHead]) -> Iterator[Split]:
    """Where the log was signed later with fewer leaves: it only ever grows, and so does the time of its heads."""
    last: KeptHead | None = None
    for one in sorted([*ours.values(), *theirs.values()], key=lambda one: (one.at_us, one.size)):
        if last is not None and one.at_us > last.at_us and one.size < last.size:
            yield Split(last, one)
            return
        if last is None or one.size >= last.size:
            last = one

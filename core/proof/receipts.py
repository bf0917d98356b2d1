"""Signed receipts: one signature per batch over its root, and each payment's path to it. Pure but for the signing.

    version 1 · kid 8 · size 4 · place 4 · commitment 32 · path length 1 · path 32 each · signature 64

The signature (Ed25519, RFC 8032) is over the tenant, the batch's size and its root: with the payment's facts, a receipt
says that this institution posted this payment, and when. It is proof whatever becomes of the database. It holds no
number that would tell how much the institution posts.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from itertools import repeat
from struct import Struct, error
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.nouns import DONE, Payment, Posting
from core.proof.leaves import Blinded, Facts, blind, leaves_of, payment_leaf
from core.proof.tree import HASH_SIZE, build, paths_in, root_from, root_of

VERSION = 1
SIGNATURE_SIZE = 64
_STATEMENT = b"payhub statement 1"
# tenant, size, root
_SIGNED = Struct(">II32s")
# version, kid, size, place, commitment, path length
_HEAD = Struct(">B8sII32sB")

# As Posting._make, which looks at the length besides.
_to_posting: Callable[[tuple[Any, ...]], Posting] = partial(tuple.__new__, Posting)

Sign = Callable[[bytes], bytes]
PublicKeys = Mapping[str, Ed25519PublicKey]


class Receipt(NamedTuple):
    """A receipt, taken apart. `kid` names the key that signed it."""

    kid: str
    size: int
    place: int
    commitment: bytes
    path: bytes
    signature: bytes

    def pack(self) -> bytes:
        """As it travels."""
        kid, size, place, commitment, path, signature = self
        head = _HEAD.pack(VERSION, bytes.fromhex(kid), size, place, commitment, len(path) // HASH_SIZE)
        return head + path + signature


class BatchRoot(NamedTuple):
    """The root of a batch, to be told to whoever makes the log grow."""

    tenant_id: int
    batch: int
    root: bytes


class Reason(StrEnum):
    """Why something does not prove, for programs. Every implementation says the same (tests/vectors/proofs.json)."""

    MALFORMED = "malformed"  # not what it is said to be, whatever it is about
    NOT_DONE = "not_done"  # there are receipts of what was done alone
    UNKNOWN_KEY = "unknown_key"
    NO_WAY = "no_way"  # a path that leads to no root
    SIGNATURE = "signature"  # not over this payment: it or the receipt was changed
    COMMITMENT = "commitment"  # the fee, the shares or who asked are not what was signed
    HEAD_SIGNATURE = "head_signature"
    NOT_IN_LOG = "not_in_log"
    BROKEN_LOG = "broken_log"


class Unproved(Exception):
    """Something does not prove what it is said to prove: the message says what is wrong, for people."""

    def __init__(self, message: str = "", reason: Reason = Reason.MALFORMED) -> None:
        super().__init__(message)
        self.reason = reason


class ReceiptRefused(Unproved):
    """Not a receipt, or not for this payment."""


def statement(tenant_id: int, size: int, root: bytes) -> bytes:
    """What is signed of a batch."""
    return _STATEMENT + _SIGNED.pack(tenant_id, size, root)


def write_receipts(
    batch: Sequence[Payment], postings: Sequence[Posting], blinded: Sequence[Blinded], kid: str, sign: Sign
) -> tuple[list[Posting], list[BatchRoot]]:
    """The postings with a receipt for each payment that was done now, and the batches' roots.

    `blinded`: the payments as `blind` gives them. What was done before, or refused, has no receipt.
    """
    answers = list(postings)
    roots = []
    for number, places in _by_batch(postings).items():
        tenant_id = batch[places[0]].tenant_id
        leaves, commitments = leaves_of(batch, postings, places, blinded)
        levels = build(leaves)
        size, root = len(leaves), levels[-1][0]
        signature = sign(statement(tenant_id, size, root))
        kid_bytes = bytes.fromhex(kid)
        paths = paths_in(levels)
        lengths = [len(path) // HASH_SIZE for path in paths]
        heads = map(_HEAD.pack, repeat(VERSION), repeat(kid_bytes), repeat(size), range(size), commitments, lengths)
        receipts = map(b"".join, zip(heads, paths, repeat(signature), strict=False))
        for at, receipt in zip(places, receipts, strict=True):
            answers[at] = _to_posting(postings[at][:-1] + (receipt,))  # noqa: RUF005  # it is faster
        roots.append(BatchRoot(tenant_id, number, root))
    return answers, roots


def roots_of(batch: Sequence[Payment], postings: Sequence[Posting], salts: Mapping[int, bytes]) -> list[BatchRoot]:
    """The batches' roots, where nobody waits for a receipt. `salts`: the tenants' (proof_salts)."""
    blinded = blind(batch, salts)
    roots = []
    for number, places in _by_batch(postings).items():
        tenant_id = batch[places[0]].tenant_id
        leaves, _ = leaves_of(batch, postings, places, blinded)
        roots.append(BatchRoot(tenant_id, number, root_of(leaves)))
    return roots


def _by_batch(postings: Sequence[Posting]) -> dict[int, Sequence[int]]:
    """Where each batch's payments are, in order."""
    numbers = [posting.batch for posting in postings]
    there = dict.fromkeys(numbers)
    # Most of what is posted together is one tenant's, and all of it posted.
    if len(there) == 1 and (number := numbers[0]) is not None:
        return {number: range(len(numbers))}
    return {number: [at for at, one in enumerate(numbers) if one == number] for number in there if number is not None}


def read_receipt(data: bytes) -> Receipt:
    """Take a receipt apart. Raises ReceiptRefused."""
    try:
        version, kid, size, place, commitment, length = _HEAD.unpack_from(data)
    except error:
        raise ReceiptRefused("It is too short for a receipt.") from None
    end = _HEAD.size + length * HASH_SIZE
    if version != VERSION:
        raise ReceiptRefused(f"It is a receipt of version {version}, and this program knows {VERSION}.")
    if len(data) != end + SIGNATURE_SIZE:
        raise ReceiptRefused("It has not the length of a receipt.")
    return Receipt(kid.hex(), size, place, commitment, data[_HEAD.size : end], data[end:])


def check_receipt(tenant_id: int, facts: Facts, receipt: Receipt, keys: PublicKeys) -> bytes:
    """The root of the batch that the payment is in, if the receipt proves that it is. Raises ReceiptRefused."""
    if facts.status not in DONE:
        raise ReceiptRefused("There are receipts of what was done alone.", Reason.NOT_DONE)
    key = keys.get(receipt.kid)
    if key is None:
        raise ReceiptRefused(
            f"It is signed by a key ({receipt.kid}) that is none of the institution's.", Reason.UNKNOWN_KEY
        )
    try:
        leaf = payment_leaf(facts, receipt.commitment)
    except (error, ValueError):
        raise ReceiptRefused("These are no facts of a payment.") from None
    root = root_from(leaf, receipt.place, receipt.size, receipt.path)
    if root is None:
        raise ReceiptRefused("Its path leads nowhere.", Reason.NO_WAY)
    try:
        key.verify(receipt.signature, statement(tenant_id, receipt.size, root))
    except InvalidSignature:
        raise ReceiptRefused(
            "The signature is not over this: the payment or the receipt was changed.", Reason.SIGNATURE
        ) from None
    return root


def to_text(data: bytes) -> str:
    """Bytes as text: base64 (RFC 4648, 4), as the hub's JSON has them."""
    return base64.b64encode(data).decode()


def from_text(text: str) -> bytes:
    """The bytes in a text, which has one spelling for them. Raises ReceiptRefused."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise ReceiptRefused("It is not base64.") from None
    if to_text(data) != text:
        raise ReceiptRefused("It is not base64 as it is written here.")
    return data

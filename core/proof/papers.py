"""Checks the paper that a customer keeps of a payment: the hub's `payment_proof`, as JSON. Pure.

It says in sentences what is proved. The keys are those that the reader trusts, from wherever they had them first.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.nouns import Kind, PaymentStatus
from core.proof import heads
from core.proof.checking import AtUs, LogBroken, Size, Tenant, is_in_log, moment, read_key
from core.proof.heads import Head
from core.proof.leaves import Facts, hash_asked, hash_kept, join_private
from core.proof.receipts import ReceiptRefused, check_receipt, from_text, read_receipt


class _Facts(msgspec.Struct):
    payment: str
    kind: str
    status: str
    payer: int
    payee: int
    amount: int
    at_us: AtUs
    about: str | None = None
    charge: str | None = None


class _Kept(msgspec.Struct):
    fee: int
    shares: list[tuple[int, int]]
    salt: str


class _Asked(msgspec.Struct):
    person: str
    salt: str


class _Head(msgspec.Struct):
    tenant: Tenant
    size: Size
    root: str
    at_us: AtUs
    key: str
    signature: str


class _Log(msgspec.Struct):
    number: int
    path: str
    head: _Head


class Paper(msgspec.Struct):
    """What is read of the paper; what else it holds is not looked at. `receipt` and `tenant`, `facts` must be there."""

    tenant: Tenant
    facts: _Facts
    receipt: str
    asked_hash: str | None = None
    kept_hash: str | None = None
    log: _Log | None = None
    kept: _Kept | None = None
    asked: _Asked | None = None


def read_keys(data: bytes) -> dict[str, Ed25519PublicKey]:
    """The keys in what /docs/proof-keys.json gave. Raises LogBroken."""
    try:
        found = msgspec.json.decode(data, type=dict[str, list[dict[str, Any]]])["keys"]
        return {one["key"]: read_key(one["public_key"]) for one in found}
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise LogBroken("These are no keys: save what /docs/proof-keys.json gives.") from None


def check_paper(data: bytes, keys: Mapping[str, Ed25519PublicKey]) -> list[str]:
    """What the paper proves, in sentences. Raises ReceiptRefused or LogBroken with what is wrong with it."""
    try:
        paper = msgspec.json.decode(data, type=Paper)
        facts = _to_facts(paper.facts)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, RecursionError):
        raise ReceiptRefused("This is no proof of a payment: save what read_proof gives.") from None
    receipt = read_receipt(from_text(paper.receipt))
    root = check_receipt(paper.tenant, facts, receipt, keys)
    at = moment(facts.judged_at_us).isoformat(timespec="seconds")
    said = [
        f"The institution (key {receipt.kid}) signed that payment {facts.id} was {paper.facts.status} at {at}: "
        f"{paper.facts.kind}, {facts.amount} from account {facts.payer} to account {facts.payee}."
    ]
    if paper.kept is not None or paper.asked is not None:
        said += _open(paper, receipt.commitment)
    if paper.log is not None:
        said.append(_place(paper, root, receipt.size, keys))
    return said


def _to_facts(told: _Facts) -> Facts:
    return Facts(
        told.payment,
        Kind[told.kind.upper()],
        PaymentStatus[told.status.upper()],
        told.payer,
        told.payee,
        told.amount,
        told.at_us,
        told.about,
        told.charge,
    )


def _open(paper: Paper, commitment: bytes) -> list[str]:
    """What the payee did not get, and who asked, as far as the paper opens it."""
    asked, kept = from_text(paper.asked_hash or ""), from_text(paper.kept_hash or "")
    said = []
    try:
        if paper.kept is not None:
            shares = tuple(sorted(paper.kept.shares))
            # The second half of the payment's salt; the first is not told with it.
            kept = hash_kept(paper.kept.fee, shares, bytes(16) + from_text(paper.kept.salt))
            said.append(f"Of it {paper.kept.fee} was kept as a fee, and {sum(amount for _, amount in shares)} shared.")
        if paper.asked is not None:
            asked = hash_asked(paper.asked.person, from_text(paper.asked.salt))
            said.append(f"Person {paper.asked.person} asked for it.")
    except ValueError:
        raise ReceiptRefused("What opens the commitment cannot be read.") from None
    if join_private(asked, kept) != commitment:
        raise ReceiptRefused("The fee, the shares or who asked are not what was signed.")
    return said


def _place(paper: Paper, root: bytes, size: int, keys: Mapping[str, Ed25519PublicKey]) -> str:
    assert paper.log is not None
    told = paper.log.head
    sealed_at = moment(told.at_us)
    head = Head(told.tenant, told.size, from_text(told.root), sealed_at, told.key, from_text(told.signature))
    if told.tenant != paper.tenant or not heads.is_signed(head, keys):
        raise LogBroken("The log's head is not signed by a trusted key.")
    if not is_in_log(root, size, paper.log.number, from_text(paper.log.path), head):
        raise LogBroken("The path does not lead from the payment to the log's head.")
    return (
        f"It is in leaf {paper.log.number} of the log of {head.size} leaves whose head was signed at "
        f"{sealed_at.isoformat(timespec='seconds')}."
    )

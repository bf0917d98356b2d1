"""Checks the paper that a customer keeps of a payment: the hub's `payment_proof`, as JSON. Pure.

It says in sentences what is proved. The keys are those that the reader trusts, from wherever they had them first.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from core.nouns import BALANCE_MAX, DONE, Kind
from core.proof import heads
from core.proof.checking import ID_PATTERN, AtUs, LogBroken, Size, Tenant, is_in_log, moment, read_key
from core.proof.kept import HeadText, from_head_text
from core.proof.leaves import SALT_SIZE, Facts, hash_asked, hash_kept, join_private
from core.proof.receipts import Reason, ReceiptRefused, check_receipt, from_text, read_receipt

Id: TypeAlias = Annotated[str, Meta(pattern=ID_PATTERN, max_length=36)]
# What every client's number type holds exactly; the ledger has no larger ones.
Whole: TypeAlias = Annotated[int, Meta(ge=0, le=BALANCE_MAX)]
Signed: TypeAlias = Annotated[int, Meta(ge=-BALANCE_MAX, le=BALANCE_MAX)]
KINDS: Final = {kind.name.lower(): kind for kind in Kind}
STATUSES: Final = {status.name.lower(): status for status in DONE}


class _Facts(msgspec.Struct):
    payment: Id
    kind: str
    status: str
    payer: Whole
    payee: Whole
    amount: Whole
    at_us: AtUs
    about: Id | None = None
    charge: Id | None = None


class _Kept(msgspec.Struct):
    fee: Signed
    shares: list[tuple[Whole, Signed]]
    salt: str


class _Asked(msgspec.Struct):
    person: Id
    salt: str


class _Log(msgspec.Struct):
    number: Size
    path: str
    head: HeadText


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
        raise LogBroken("These are no keys: save what /docs/proof-keys.json gives.", Reason.MALFORMED) from None


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
    status = STATUSES.get(told.status)
    if status is None:
        raise ReceiptRefused("There are receipts of what was done alone.", Reason.NOT_DONE)
    return Facts(
        told.payment,
        KINDS[told.kind],
        status,
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
    if paper.kept is not None:
        shares = tuple(sorted(paper.kept.shares))
        # The second half of the payment's salt; the first is not told with it.
        kept = hash_kept(paper.kept.fee, shares, bytes(SALT_SIZE) + _salt(paper.kept.salt))
        said.append(f"Of it {paper.kept.fee} was kept as a fee, and {sum(amount for _, amount in shares)} shared.")
    if paper.asked is not None:
        asked = hash_asked(paper.asked.person, _salt(paper.asked.salt))
        said.append(f"Person {paper.asked.person} asked for it.")
    if join_private(asked, kept) != commitment:
        raise ReceiptRefused("The fee, the shares or who asked are not what was signed.", Reason.COMMITMENT)
    return said


def _salt(text: str) -> bytes:
    """Of its one length: a longer one could swallow the fee and make another of what follows."""
    salt = from_text(text)
    if len(salt) != SALT_SIZE:
        raise ReceiptRefused("What opens the commitment cannot be read.")
    return salt


def _place(paper: Paper, root: bytes, size: int, keys: Mapping[str, Ed25519PublicKey]) -> str:
    assert paper.log is not None
    head = from_head_text(paper.log.head).head
    if head.tenant_id != paper.tenant or not heads.is_signed(head, keys):
        raise LogBroken("The log's head is not signed by a trusted key.", Reason.HEAD_SIGNATURE)
    if not is_in_log(root, size, paper.log.number, from_text(paper.log.path), head):
        raise LogBroken("The path does not lead from the payment to the log's head.", Reason.NOT_IN_LOG)
    return (
        f"It is in leaf {paper.log.number} of the log of {head.size} leaves whose head was signed at "
        f"{head.sealed_at.isoformat(timespec='seconds')}."
    )

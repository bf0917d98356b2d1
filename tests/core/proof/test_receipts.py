"""Receipts: each holds for its own payment, of this institution, and for nothing else."""

import itertools
import random
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.nouns import Kind, Leg, Payment, PaymentStatus, Posting, SystemAccount
from core.proof.leaves import (
    Facts,
    Private,
    blind,
    commitment_to,
    facts_of,
    leaves_of,
    payment_leaf,
    private_of,
    salt_for,
)
from core.proof.receipts import (
    ReceiptRefused,
    check_receipt,
    from_text,
    read_receipt,
    to_text,
    write_receipts,
)

KEY = Ed25519PrivateKey.generate()
KID = "00112233445566ff"
KEYS = {KID: KEY.public_key()}
SALTS = {7: bytes(range(32)), 8: bytes(range(32, 64))}


@dataclass
class Batch:
    payments: list[Payment]
    postings: list[Posting]


def batch_of(sizes: dict[int, int]) -> Batch:
    """A batch with so many payments of each tenant, mixed."""
    tenants = [tenant for tenant, size in sizes.items() for _ in range(size)]
    random.shuffle(tenants)
    payments = [
        Payment(tenant, str(uuid.uuid4()), 10**11 + at, 2 * 10**11 + at, at + 1, str(uuid.uuid4()))
        for at, tenant in enumerate(tenants)
    ]
    postings = [Posting(PaymentStatus.POSTED, 0, 1, 0, 1, 1_700_000_000_000_000, batch=tenant) for tenant in tenants]
    return Batch(payments, postings)


def signed(batch: Batch) -> list[Posting]:
    return write_receipts(batch.payments, batch.postings, blind(batch.payments, SALTS), KID, KEY.sign)[0]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 256])
def test_every_payment_of_a_batch_has_a_receipt_that_proves_it(size: int) -> None:
    batch = batch_of({7: size, 8: 3})
    answers = signed(batch)
    roots: dict[int, set[bytes]] = {7: set(), 8: set()}
    for payment, answer in zip(batch.payments, answers, strict=True):
        assert answer.receipt is not None
        receipt = read_receipt(from_text(to_text(answer.receipt)))
        roots[payment.tenant_id].add(check_receipt(payment.tenant_id, facts_of(payment, answer), receipt, KEYS))
        with pytest.raises(ReceiptRefused, match="changed"):
            check_receipt(15 - payment.tenant_id, facts_of(payment, answer), receipt, KEYS)
    assert [len(one) for one in roots.values()] == [1, 1]
    assert write_receipts(batch.payments, batch.postings, blind(batch.payments, SALTS), KID, KEY.sign)[1] == [
        (tenant, tenant, *roots[tenant]) for tenant in dict.fromkeys(one.tenant_id for one in batch.payments)
    ]


def test_a_leaf_written_at_once_is_the_one_that_its_parts_make() -> None:
    batch = batch_of({7: 6})
    payment, posting = batch.payments[0], batch.postings[0]
    asked = (
        payment,
        payment._replace(kind=Kind.REFUND, subject=str(uuid.uuid4())),
        payment._replace(charge=str(uuid.uuid4())),
        payment._replace(shares=((10**11 + 9, 3),)),
    )
    found = (
        posting,
        posting._replace(amount=55, status=PaymentStatus.IN_REVIEW),
        posting._replace(fee=2, legs=(Leg(SystemAccount.FEES, 2, 2, 1),)),
        posting._replace(fee=-2, shared=3, legs=(Leg(10**11 + 9, 3, 3, 1), Leg(SystemAccount.FEES, -2, 0, 2))),
    )
    leaves = set()
    for one, answer in itertools.product(asked, found):
        commitment = commitment_to(private_of(one, answer), salt_for(SALTS[7], one.id))
        leaves.add(leaf := payment_leaf(facts_of(one, answer), commitment))
        assert leaves_of([one], [answer], [0], blind([one], SALTS)) == ([leaf], [commitment])
    assert len(leaves) == len(asked[:-1]) * len(found)


CHANGED: dict[str, Any] = {
    "id": str(uuid.uuid4()),
    "kind": Kind.REFUND,
    "status": PaymentStatus.IN_REVIEW,
    "payer": 5,
    "payee": 5,
    "amount": 5_000,
    "judged_at_us": 1,
    "subject": str(uuid.uuid4()),
    "charge": str(uuid.uuid4()),
}


@pytest.mark.parametrize("field", Facts._fields)
def test_a_receipt_proves_no_other_fact(field: str) -> None:
    batch = batch_of({7: 5})
    answer = signed(batch)[2]
    facts = facts_of(batch.payments[2], answer)
    assert answer.receipt is not None
    receipt = read_receipt(answer.receipt)
    check_receipt(7, facts, receipt, KEYS)
    with pytest.raises(ReceiptRefused):
        check_receipt(7, facts._replace(**{field: CHANGED[field]}), receipt, KEYS)


def test_a_flipped_bit_anywhere_a_cut_or_something_added_is_refused() -> None:
    batch = batch_of({7: 6})
    answer = signed(batch)[3]
    facts, data = facts_of(batch.payments[3], answer), answer.receipt
    assert data is not None

    def check(changed: bytes) -> None:
        check_receipt(7, facts, read_receipt(changed), KEYS)

    check(data)
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ReceiptRefused):
            check(bytes(flipped))
    for changed in (b"", data[:10], data[:-1], data + b"\0", data[:17] + data[49:], random.randbytes(len(data))):
        with pytest.raises(ReceiptRefused):
            check(bytes(changed))
    for text in ("", "é", "a", "====", to_text(data)[:-1], to_text(data) + "!", "-" * 10_000):
        with pytest.raises(ReceiptRefused):
            check(from_text(text))


def test_another_institutions_key_signs_nothing_here() -> None:
    batch = batch_of({7: 4})
    forged = write_receipts(
        batch.payments, batch.postings, blind(batch.payments, SALTS), KID, Ed25519PrivateKey.generate().sign
    )[0][0]
    unknown = write_receipts(batch.payments, batch.postings, blind(batch.payments, SALTS), "ff" * 8, KEY.sign)[0][0]
    for answer, why in ((forged, "changed"), (unknown, "none of the institution's")):
        assert answer.receipt is not None
        with pytest.raises(ReceiptRefused, match=why):
            check_receipt(7, facts_of(batch.payments[0], answer), read_receipt(answer.receipt), KEYS)


def test_what_was_refused_or_done_before_has_no_receipt() -> None:
    batch = batch_of({7: 4})
    batch.postings[1] = Posting(PaymentStatus.INSUFFICIENT_FUNDS, None, None, None, None, 5)
    batch.postings[2] = batch.postings[2]._replace(batch=None)
    answers = signed(batch)
    assert [answer.receipt is not None for answer in answers] == [True, False, False, True]
    assert read_receipt(answers[0].receipt or b"").size == 2
    refused = facts_of(batch.payments[1], answers[1])
    with pytest.raises(ReceiptRefused, match="done alone"):
        check_receipt(7, refused, read_receipt(answers[0].receipt or b""), KEYS)


def test_what_only_one_side_may_know_is_committed_to_and_blinded() -> None:
    payment = Payment(
        7, str(uuid.uuid4()), 10**11, 2 * 10**11, 100, str(uuid.uuid4()), shares=((5 * 10**11, 20), (4 * 10**11, 10))
    )
    legs = (Leg(SystemAccount.FEES, 3, 0, 1), Leg(5 * 10**11, 20, 0, 1), Leg(4 * 10**11, 10, 0, 1))
    posting = Posting(PaymentStatus.POSTED, 0, 1, 0, 1, 5, fee=3, shared=30, legs=legs)
    private = private_of(payment, posting)
    assert private == Private(payment.asked_by, 3, ((4 * 10**11, 10), (5 * 10**11, 20)))
    salt = salt_for(SALTS[7], payment.id)
    commitment = commitment_to(private, salt)
    for other in (
        private._replace(fee=4),
        private._replace(shares=private.shares[:1]),
        private._replace(asked_by=payment.id),
    ):
        assert commitment_to(other, salt) != commitment
    # Known of one payment, the salt tells nothing of another's; and without it no fee can be guessed.
    assert commitment_to(private, salt_for(SALTS[7], str(uuid.uuid4()))) != commitment
    assert commitment_to(private, salt_for(SALTS[8], payment.id)) != commitment


def test_a_batch_of_256_is_signed_within_the_time_of_a_few_payments() -> None:
    batch = batch_of({7: 256})
    fastest = min(timed(batch) for _ in range(5))
    # About 3 ms; the bound only catches a tree that is built anew for each payment.
    assert fastest < 0.05


def timed(batch: Batch) -> float:
    began = time.perf_counter()
    signed(batch)
    return time.perf_counter() - began

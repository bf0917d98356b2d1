"""Examples of hub/protocol/proofs.py."""

from hub.protocol import proofs
from hub.protocol.fields import Message

PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
ABOUT = "0190a1b2-c3d4-7e5f-8a6b-000000000001"
CHARGE = "ffffffff-ffff-4fff-bfff-ffffffffffff"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
HASH = bytes(range(224, 256))
HEAD = proofs.HeadState(1, 7, HASH, 1_772_368_496_789_012, "00112233445566ff", b"B" * 64)
FACTS = proofs.PaymentFacts(PAYMENT, "pay", "posted", 123456789012, 210987654321, 5, 1_772_368_496_789_012)
STEP = proofs.PaymentFacts(PAYMENT, "refund", "posted", 1, 2, 10**13, 1, about=ABOUT, charge=CHARGE)

EXAMPLES: tuple[Message, ...] = (
    proofs.ReadProof(1, PAYMENT),
    proofs.ReadHead(2),
    proofs.ReadHead(2, size=7),
    proofs.ReadGrowth(3, 5),
    proofs.ReadGrowth(3, 5, to_size=7),
    proofs.ReadProofKeys(4),
    proofs.PaymentProof(1, 1, FACTS, HASH, HASH),
    proofs.PaymentProof(
        1,
        1,
        STEP,
        HASH,
        HASH,
        receipt=b"\1\x01#Eg\x89\xab\xcd\xef",
        log=proofs.LogPlace(3, HASH + HASH, HEAD),
        kept=proofs.Kept(-3, [(123456789012, 20)], b"C" * 16),
        asked=proofs.Asked(PERSON, b"D" * 16),
    ),
    proofs.HeadAnswer(2, HEAD),
    proofs.GrowthAnswer(3, HEAD, b"", old=HEAD),
    proofs.GrowthAnswer(3, HEAD, HASH),
    proofs.ProofKeysAnswer(4, [proofs.ProofKey("00112233445566ff", HASH, AT, signs_until=AT)]),
)

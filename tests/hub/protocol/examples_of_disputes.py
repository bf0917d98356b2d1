"""Examples of hub/protocol/disputes.py."""

from hub.protocol import disputes
from hub.protocol.fields import Message

DISPUTE = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-000000000001"
EVIDENCE = "0190a1b2-c3d4-7e5f-8a6b-000000000002"
AT = "2026-03-01T12:34:56.789012Z"
NEW = disputes.DisputeState(DISPUTE, PAYMENT, 1, 2, 100, "fraud", "med", "open", 60, 0, 0, False, "payer", AT, AT, AT)
OLD = disputes.DisputeState(
    DISPUTE,
    PAYMENT,
    1,
    2,
    100,
    "duplicate",
    "card",
    "partly_accepted",
    0,
    30,
    10,
    True,
    "operator",
    AT,
    AT,
    AT,
    text="Twice.\nThe same day.",
    offered=20,
    answer="Once",
    answered_at=AT,
    awarded=40,
    note="é 😀",
    decided_at=AT,
    claim_due_at=AT,
    claimed_at=AT,
    refund_due_at=AT,
    collect_until=AT,
    closed_at=AT,
)
PIECE = disputes.EvidenceState(EVIDENCE, "payee", AT, text="See", name="a.pdf", media_type="application/pdf", size=9)
PROFILE = disputes.ProfileState(
    "med", True, ["fraud"], 1, 2, "to_operators", 3, "payer_wins", "payee_wins", 4, 5, claim_s=6
)

EXAMPLES: tuple[Message, ...] = (
    disputes.OpenDispute(1, DISPUTE, PAYMENT, "fraud", text="Not me.\nNever.", amount=5, profile="med"),
    disputes.OpenDispute(1, DISPUTE, PAYMENT, "other"),
    disputes.AnswerDispute(2, DISPUTE, "accept_part", amount=5, text="Half"),
    disputes.AnswerDispute(2, DISPUTE, "contest"),
    disputes.AddEvidence(
        3, DISPUTE, EVIDENCE, text="See", name="a.png", media_type="image/png", content="iVBORw0KGgo="
    ),
    disputes.AddEvidence(3, DISPUTE, EVIDENCE, text="é"),
    disputes.ReadEvidence(4, DISPUTE, EVIDENCE),
    disputes.DecideDispute(5, DISPUTE, 0, note="No"),
    disputes.DecideDispute(5, DISPUTE, 10**13),
    disputes.ClaimDispute(6, DISPUTE),
    disputes.WithdrawDispute(7, DISPUTE),
    disputes.ReadDispute(8, DISPUTE),
    disputes.ReadDisputes(9, status="open", overdue=True, before=DISPUTE, limit=10),
    disputes.ReadDisputes(9),
    disputes.SetDisputeProfile(
        10,
        "own",
        ["fraud", "other"],
        100,
        10,
        "payer_wins",
        20,
        "payee_wins",
        30,
        200,
        claim_s=5,
        on_no_claim="to_operators",
        default=True,
    ),
    disputes.SetDisputeProfile(10, "own", ["fraud"], 100, 10, "payer_wins", 20, "payee_wins", 30, 200),
    disputes.ReadDisputeProfiles(11),
    disputes.DisputeAnswer(1, NEW),
    disputes.DisputeFileAnswer(8, OLD, [PIECE, disputes.EvidenceState(EVIDENCE, "payer", AT)]),
    disputes.DisputesAnswer(9, [NEW, OLD], next=DISPUTE),
    disputes.DisputesAnswer(9, []),
    disputes.EvidenceAdded(3, DISPUTE, PIECE),
    disputes.EvidenceAnswer(4, DISPUTE, PIECE, content="iVBORw0KGgo="),
    disputes.EvidenceAnswer(4, DISPUTE, disputes.EvidenceState(EVIDENCE, "operator", AT, text="x")),
    disputes.DisputeProfileSet(10, PROFILE),
    disputes.DisputeProfilesAnswer(11, [PROFILE]),
)

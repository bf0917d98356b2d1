"""Examples of hub/protocol/steps.py."""

from typing import Any, cast

import msgspec

from hub.protocol import steps
from hub.protocol.fields import Message
from hub.protocol.messages import Paid, Pay
from tests.hub.protocol import examples_of_disputes

PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
ABOUT = "0190a1b2-c3d4-7e5f-8a6b-000000000001"
CHARGE = "ffffffff-ffff-4fff-bfff-ffffffffffff"
AT = "2026-03-01T12:34:56.789012Z"
# Bytes as a receipt begins; what is in it, core/proof says.
RECEIPT = b"\1\x01#Eg\x89\xab\xcd\xef"
METADATA = {"order": "17", "table.no-3_x": "é 😀"}
# Parts are made from the commands: no checker knows their fields.
PARTS = cast("dict[type, Any]", steps.PARTS)
FROM_EACH = [
    PARTS[Pay](payment=PAYMENT, payer=1, payee=2, amount=3, charge=CHARGE, shares=[(4, 1)], metadata=METADATA),
    PARTS[steps.Authorize](payment=PAYMENT, payer=1, payee=2, amount=3, lasts_s=60),
    PARTS[steps.Capture](payment=PAYMENT, about=ABOUT, amount=3, final=True),
    PARTS[steps.Void](payment=PAYMENT, about=ABOUT),
    PARTS[steps.Refund](payment=PAYMENT, about=ABOUT, amount=3, description="back"),
    PARTS[steps.Reverse](payment=PAYMENT, about=ABOUT),
    PARTS[steps.Release](payment=PAYMENT, about=ABOUT),
    PARTS[steps.Decline](payment=PAYMENT, about=ABOUT),
]
ABOUT_DISPUTES = [
    part(**{name: value for name, value in msgspec.structs.asdict(example).items() if name != "id"})
    for command, part in cast("dict[type, Any]", steps.DISPUTE_PARTS).items()
    for example in examples_of_disputes.EXAMPLES
    if isinstance(example, command)
]

EXAMPLES: tuple[Message, ...] = (
    Pay(2, PAYMENT, 123456789012, 210987654321, 5, charge=CHARGE, shares=[(1, 2), (3, 4)], metadata=METADATA),
    Paid(2, PAYMENT, "in_review", AT, 995, 2, held=5, amount=5, fee=-1, rule=7, receipt=RECEIPT),
    steps.Authorize(
        1, PAYMENT, 123456789012, 210987654321, 5, lasts_s=2_592_000, description="Room 12", metadata=METADATA
    ),
    steps.Authorize(1, PAYMENT, 123456789012, 210987654321, 5),
    steps.Capture(2, PAYMENT, ABOUT, 10**13, final=True, description="Minibar", metadata=METADATA),
    steps.Capture(2, PAYMENT, ABOUT, 1),
    steps.Void(3, PAYMENT, ABOUT),
    steps.Refund(4, PAYMENT, ABOUT, 5, description="Broken", metadata=METADATA),
    steps.Reverse(5, PAYMENT, ABOUT, description="By mistake"),
    steps.Release(6, PAYMENT, ABOUT),
    steps.Decline(7, PAYMENT, ABOUT),
    steps.Link(8, FROM_EACH),
    steps.DryRun(9, FROM_EACH[:1], linked=True),
    steps.DryRun(9, FROM_EACH[1:2]),
    *(steps.DryRun(9, [part]) for part in ABOUT_DISPUTES),
    steps.Linked(8, True, [steps.Outcome(PAYMENT, "posted", 5, 6, amount=7, fee=1, held=8, rule=9, receipt=RECEIPT)]),
    steps.Linked(8, False, [steps.Outcome(PAYMENT, "linked_refused")]),
    steps.Tried(
        9,
        [steps.Outcome(PAYMENT, "posted", 5, 6)],
        [
            steps.EntryTried(1, PAYMENT, "payment.sent", -5, 2, hold=3, fee=1, number=6, balance=5, held=0),
            steps.EntryTried(2, PAYMENT, "payment.received", 5, 1),
        ],
    ),
    steps.Tried(9, [], [], dispute=examples_of_disputes.OLD),
)

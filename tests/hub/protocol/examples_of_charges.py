"""Examples of hub/protocol/charges.py."""

from hub.protocol import charges
from hub.protocol.fields import Message

CHARGE = "ffffffff-ffff-4fff-bfff-ffffffffffff"
AT = "2026-03-01T12:34:56.789012Z"
OWN = charges.ChargeState(
    CHARGE,
    1,
    "paid",
    True,
    AT,
    "000201…",
    "https://pay.example/c/demo/x",
    name="Café",
    amount=5,
    description="Tea",
    expires_at=AT,
    reference="17",
    paid_count=2,
    paid_amount=10,
)
SEEN = charges.ChargeState(CHARGE, 1, "expired", False, AT)

EXAMPLES: tuple[Message, ...] = (
    charges.CreateCharge(
        1, CHARGE, 123456789012, amount=5, description="Tea", reference="17", expires_in_s=60, reusable=True
    ),
    charges.CreateCharge(1, CHARGE, 123456789012),
    charges.ReadCharge(2, CHARGE),
    charges.ReadCode(3, "00020126"),
    charges.ReadCharges(4, 123456789012, status="expired", before=CHARGE, limit=10),
    charges.ReadCharges(4, 123456789012),
    charges.CancelCharge(5, CHARGE),
    charges.ChargeAnswer(1, OWN),
    charges.ChargesAnswer(4, 123456789012, [OWN, SEEN], next=CHARGE),
    charges.ChargesAnswer(4, 123456789012, []),
)

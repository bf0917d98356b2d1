"""Examples of hub/protocol/oversight.py."""

from hub.protocol import oversight
from hub.protocol.fields import Message
from hub.protocol.messages import EntryState
from hub.protocol.rules import DecisionState

PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
OTHER = "ffffffff-ffff-4fff-bfff-ffffffffffff"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
SECOND = oversight.SecondState(AT, {"posted": 12, "insufficient_funds": 1}, 1_800, 4_200)

EXAMPLES: tuple[Message, ...] = (
    oversight.ExplainPayment(1, PAYMENT),
    oversight.ReadHolds(2, after=AT, after_payment=PAYMENT, limit=10),
    oversight.ReadHolds(2),
    oversight.ReadConditions(3, 123456789012),
    oversight.ReadTraffic(4, watch=True),
    oversight.ReadTraffic(4),
    oversight.ReadConnections(5, person=PERSON, limit=10),
    oversight.ReadConnections(5),
    oversight.PaymentExplained(
        1,
        PAYMENT,
        [
            oversight.TakenState(PAYMENT, "pay", "posted", 5, AT, PERSON, session=OTHER, rule=7),
            oversight.TakenState(OTHER, "refund", "refund_exceeds_captured", 6, AT, PERSON),
        ],
        [oversight.SideEntry(123456789012, EntryState(3, PAYMENT, "payment.sent", -5, 1, -5, AT, "x"))],
        [oversight.OwnerState(123456789012, PERSON, 3), oversight.OwnerState(210987654321, PERSON)],
        [DecisionState(PAYMENT, 1, 2, 5, 7, "payment", 5, 4, "alert", AT)],
        [OTHER],
        [
            oversight.ToldState(
                "payment_received",
                PERSON,
                AT,
                heard_at=AT,
                handed=[
                    oversight.HandedState("web", "taken", 1, AT, ended_at=AT),
                    oversight.HandedState("mail", "waiting", 2, AT, code="451"),
                ],
            ),
            oversight.ToldState("payment_sent", PERSON, AT),
        ],
        [
            oversight.HookedState(OTHER, 1, 3, PAYMENT, "payment.received", AT, 12, "taken", 1, status=200),
            oversight.HookedState(OTHER, 1, 3, PAYMENT, "payment.received", AT, 5_000, "timeout", 2),
        ],
    ),
    oversight.HoldsAnswer(
        2, [oversight.HoldState(PAYMENT, 1, 2, 10, 7, 3, AT, AT, description="Room 12")], AT, PAYMENT
    ),
    oversight.HoldsAnswer(2, [oversight.HoldState(PAYMENT, 1, 2, 10, 10, 0, AT, AT)]),
    oversight.ConditionsAnswer(3, 123456789012, PERSON, 1, 2),
    oversight.ConditionsAnswer(3, 3),
    oversight.TrafficAnswer(4, AT, 2, 2, 31, 12, [SECOND, oversight.SecondState(AT, {})]),
    oversight.TrafficSecond(SECOND, 1, 2, 31, 0),
    oversight.ConnectionsAnswer(
        5,
        1,
        2,
        3,
        [
            oversight.ConnectedState(
                PERSON, "customer", OTHER, "web", AT, 1, 2, seen_at=AT, network="203.0.113.0/24", behind=True
            ),
            oversight.ConnectedState(PERSON, "merchant", OTHER, "machine", AT, 0, 0),
        ],
        [
            oversight.DepartureState(PERSON, "customer", OTHER, "native", AT, AT, 1006, network="203.0.113.0/24"),
            oversight.DepartureState(PERSON, "operator", OTHER, "web", AT, AT, 4002, by_hub=True),
        ],
    ),
)

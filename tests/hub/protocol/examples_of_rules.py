"""Examples of hub/protocol/rules.py."""

from hub.protocol import rules
from hub.protocol.fields import Message

PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
NIGHT = rules.RuleState(
    7,
    1,
    "Night",
    "night",
    100_000,
    "refuse",
    night_from="20:00",
    night_to="06:00",
    own_max=500_000,
    raise_wait_s=86_400,
)
VELOCITY = rules.RuleState(8, 1, "Velocity", "velocity", 10, "alert", within_s=3_600, off=True)

EXAMPLES: tuple[Message, ...] = (
    rules.SetLimits(1, 1, "Customers"),
    rules.SetRule(
        2,
        7,
        1,
        "Night",
        "night",
        100_000,
        "refuse",
        night_from="20:00",
        night_to="06:00",
        own_max=500_000,
        raise_wait_s=86_400,
    ),
    rules.SetRule(3, 8, 1, "Velocity", "velocity", 10, "alert", within_s=3_600, off=True),
    rules.ReadRules(4),
    rules.PutUnderLimits(5, 123456789012, limits=1),
    rules.PutUnderLimits(5, 123456789012),
    rules.ReadOwnLimits(6, 123456789012),
    rules.SetOwnLimit(7, 123456789012, "night", 50_000),
    rules.ListPayee(8, 210987654321, "allowed", account=123456789012),
    rules.ListPayee(8, 210987654321, "denied"),
    rules.ReadListedPayees(9, 123456789012, after=3, limit=10),
    rules.ReadListedPayees(9, 123456789012),
    rules.ReadReviews(9, limit=10),
    rules.ReadReviews(9),
    rules.ReadAlerts(10, before=AT, before_payment=PAYMENT, action="review", limit=10, watch=True),
    rules.ReadAlerts(10),
    rules.ReadChanges(11, before="2026-03-01T09:34:56-03:00", limit=1),
    rules.ReadChanges(11),
    rules.LimitsSet(1, 1, "Customers"),
    rules.RuleSet(2, NIGHT),
    rules.RulesAnswer(4, [NIGHT, VELOCITY]),
    rules.UnderLimits(5, 123456789012, limits=1),
    rules.UnderLimits(5, 123456789012),
    rules.OwnLimits(
        6,
        123456789012,
        [
            rules.LimitState("night", 100_000, own_max=500_000, next_max=200_000, next_from=AT),
            rules.LimitState("day", 5),
        ],
    ),
    rules.OwnLimitSet(7, 123456789012, rules.LimitState("night", 50_000)),
    rules.PayeeListed(8, 210987654321, "allowed", AT, account=123456789012),
    rules.PayeeListed(8, 210987654321, "denied", AT),
    rules.ListedPayees(9, 123456789012, [rules.ListedPayeeState(210987654321, "allowed", AT)], next=210987654321),
    rules.ListedPayees(9, 123456789012, []),
    rules.Reviews(
        9, [rules.ReviewState(PAYMENT, 1, 2, 5, "payment.sent", AT, AT, 7, "payment", 5, 4, description="Rent")]
    ),
    rules.Alerts(
        10,
        [rules.DecisionState(PAYMENT, 1, 2, 5, 7, "payment", 5, 4, "refuse", AT)],
        next_before=AT,
        next_payment=PAYMENT,
    ),
    rules.Alerts(10, []),
    rules.Changes(
        11,
        [rules.ChangeState(AT, "rule", "7", asked_by=PERSON, before="{}", after="{}"), rules.ChangeState(AT, "x", "y")],
    ),
    rules.Alert(PAYMENT, 1, 2, 5, 7, "alert", AT),
)

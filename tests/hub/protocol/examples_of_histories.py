"""Examples of hub/protocol/histories.py."""

from hub.protocol import histories
from hub.protocol.fields import Message
from hub.protocol.messages import EntryState

PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
OTHER = "0190a1b2-c3d4-7e5f-8a6b-000000000002"
ABOUT = "0190a1b2-c3d4-7e5f-8a6b-000000000001"
AT = "2026-03-01T12:34:56.789012Z"
WORDS = {"order": "17", "note": "é 😀"}
ENTRY = EntryState(3, PAYMENT, "hold.captured", -5, 1, -5, AT, "x", ABOUT, hold=-5, held=0, fee=1, metadata=WORDS)
LIFE = histories.LifeState(
    PAYMENT,
    "authorize",
    "posted",
    1,
    2,
    100,
    AT,
    60,
    10,
    held=40,
    disputed=5,
    fee=2,
    fee_returned=1,
    shared=3,
    expires_at=AT,
    in_review=True,
    about=ABOUT,
    charge=ABOUT,
    rule=7,
    description="Room",
    metadata=WORDS,
    by=ABOUT,
    by_name="Ana",
)

EXAMPLES: tuple[Message, ...] = (
    histories.ReadBalanceAt(1, 123456789012, "2026-03-01T09:34:56.789-03:00"),
    histories.SearchEntries(
        2,
        123456789012,
        from_at=AT,
        to_at=AT,
        amount_min=0,
        amount_max=10**13,
        direction="in",
        counterparty=1,
        kind="capture",
        text="Café",
        key="order",
        value="17",
        before=9,
        limit=200,
    ),
    histories.SearchEntries(2, 123456789012),
    histories.ReadTotals(3, 123456789012, AT, AT),
    histories.ReadSales(3, 123456789012, ["2026-03-01T00:00:00-03:00", AT]),
    histories.ReadRefusals(4, 123456789012, status="limit_exceeded", before=AT, before_payment=PAYMENT, limit=10),
    histories.ReadRefusals(4, 123456789012),
    histories.ReadPayment(5, PAYMENT),
    histories.ReadPayment(5, PAYMENT, after=AT, after_step=ABOUT, limit=2),
    histories.SetAccountMetadata(6, 123456789012, WORDS),
    histories.ReadAccountMetadata(7, 123456789012),
    histories.FindAccounts(8, "order", "17", after=5, limit=10),
    histories.FindAccounts(8, "order", "17"),
    histories.BalanceAtAnswer(1, 123456789012, AT, -5, 3, 7),
    histories.SearchAnswer(2, 123456789012, [ENTRY], next=3),
    histories.SearchAnswer(2, 123456789012, []),
    histories.TotalsAnswer(3, 123456789012, 4, 5, 6, 7),
    histories.SalesAnswer(3, 123456789012, 9, [histories.SalesSpan(4, 500, 1, 60, 7)]),
    histories.RefusalsAnswer(
        4,
        123456789012,
        [
            histories.RefusalState(
                PAYMENT, "limit_exceeded", "capture", 2, 5, AT, about=ABOUT, rule=7, description="Rent"
            ),
            histories.RefusalState(PAYMENT, "insufficient_funds", "pay", 2, 5, AT),
        ],
        next_before=AT,
        next_payment=PAYMENT,
    ),
    histories.RefusalsAnswer(4, 123456789012, []),
    histories.LifeAnswer(
        5,
        LIFE,
        [
            histories.StepState(ABOUT, "capture", 60, AT, fee=2),
            histories.StepState(OTHER, "void", 1, AT, by=ABOUT, by_name="Ana"),
        ],
        next_after=AT,
        next_step=ABOUT,
    ),
    histories.AccountMetadataAnswer(6, 123456789012, WORDS),
    histories.AccountsFound(8, [histories.AccountWords(123456789012, WORDS)], next=123456789012),
    histories.AccountsFound(8, []),
)

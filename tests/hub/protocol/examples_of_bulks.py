"""One example of every message of bulks, every optional field at least once."""

from hub.protocol import bulks
from hub.protocol.fields import Message

BULK = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
OTHER = "0190a1b2-0000-7e5f-8a6b-9c0d1e2f3a4b"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
APPROVER = "7a1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
PAYMENT = "8d5e2a4e-7e5f-8b0a-9a34-2f6f00000002"
AT = "2026-03-01T12:34:56.789012Z"
FRESH = bulks.BulkState(BULK, 123456789012, False, "receiving", PERSON, 0, 0, 0, 0, 0, 0, 0, 0, AT)
FAILED = bulks.BulkState(
    OTHER, 123456789012, True, "failed", PERSON, 3, 3, 0, 750, 0, 0, 0, 0, AT, AT, AT, AT, APPROVER, 2, "payee_not_open"
)

EXAMPLES: tuple[Message, ...] = (
    bulks.CreateBulk(1, BULK, 123456789012, True, lines=3, amount=750, again=True),
    bulks.CreateBulk(1, BULK, 123456789012, False),
    bulks.AddBulkLines(
        2,
        BULK,
        1,
        [
            bulks.BulkLine(210987654321, 250, "Salário de março", "2026-03/17"),
            bulks.BulkLine(-1, 0, payer=123456789012),
        ],
    ),
    bulks.CloseBulk(3, BULK),
    bulks.ApproveBulk(4, BULK),
    bulks.CancelBulk(5, BULK),
    bulks.ReadBulk(6, BULK, watch=True),
    bulks.ReadBulk(6, BULK),
    bulks.ReadBulks(7, account=123456789012, status="checked", before=OTHER, limit=200),
    bulks.ReadBulks(7),
    bulks.ReadBulkReport(8, BULK, after=200, limit=200, wrong=True),
    bulks.ReadBulkReport(8, BULK),
    bulks.BulkAnswer(1, FRESH),
    bulks.BulksAnswer(7, [FRESH, FAILED], OTHER),
    bulks.BulksAnswer(7, []),
    bulks.BulkReport(
        8,
        BULK,
        [
            bulks.LineResult(1, 123456789012, "waiting", 210987654321, 250),
            bulks.LineResult(
                2, 123456789012, "posted", 210987654321, 250, "Salário de março", "2026-03/17", payment=PAYMENT
            ),
            bulks.LineResult(3, 123456789012, "bad", code="not_a_number", field="payee"),
        ],
        3,
    ),
    bulks.BulkReport(8, BULK, []),
    bulks.BulkProgress(BULK, "posting", 100_000, 99_998, 2, 41_000, 40_990, 8),
)

"""Files of payments: sent, checked line by line, approved, followed while they are posted.

A file comes whole over HTTP (PUT /v1/bulks/{bulk}/file) or as a stream of `bulk_lines`.
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import BALANCE_MAX
from hub.protocol.fields import PAGE_LENGTH_MAX, PLAIN_TEXT_PATTERN, UUID_PATTERN, AccountId, Command, Message

# As core.bulk.lines.LINES_MAX.
LINES_MAX = 1_000_000
# With their texts they fit into one message; if not, send fewer.
LINES_PER_MESSAGE_MAX = 500

BulkId: TypeAlias = Annotated[
    str,
    Meta(
        pattern=UUID_PATTERN,
        min_length=36,
        max_length=36,
        description="A UUID made by whoever makes the bulk: its idempotency key.",
    ),
]
LineNumber: TypeAlias = Annotated[int, Meta(ge=1, le=LINES_MAX, description="Of a payment in its file, from 1.")]
Total: TypeAlias = Annotated[int, Meta(ge=0, le=BALANCE_MAX, description="Minor units of the tenant's currency.")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=LINES_MAX)]
# Wider than what is good, so that a bad value is one line's fault and not the message's.
AnyNumber: TypeAlias = Annotated[int, Meta(ge=-BALANCE_MAX, le=BALANCE_MAX)]
AnyText: TypeAlias = Annotated[str, Meta(max_length=500, pattern=PLAIN_TEXT_PATTERN)]
StatusName: TypeAlias = Literal["receiving", "checked", "approved", "posting", "finished", "failed", "cancelled"]

# From the client


class BulkLine(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A payment of a bulk. `reference` is your own and stands once in a bulk. Operators may name a payer."""

    payee: AnyNumber
    amount: AnyNumber
    description: AnyText | UnsetType = UNSET
    reference: AnyText | UnsetType = UNSET
    payer: AnyNumber | UnsetType = UNSET


class CreateBulk(Command, frozen=True, tag="create_bulk", gc=False):
    """Announce a file of payments from an account. Atomic: all of its lines are posted, or none.

    `lines` and `amount` are what the file has to hold, bad lines included. `again`: a file that was sent within a day
    is meant.
    """

    bulk: BulkId
    account: AccountId
    atomic: bool
    lines: LineNumber | UnsetType = UNSET
    amount: Total | UnsetType = UNSET
    again: bool | UnsetType = UNSET


class AddBulkLines(Command, frozen=True, tag="bulk_lines", gc=False):
    """The next lines of a bulk, instead of a file, from number `first` on. Sent again they change nothing."""

    bulk: BulkId
    first: LineNumber
    lines: Annotated[list[BulkLine], Meta(min_length=1, max_length=LINES_PER_MESSAGE_MAX)]


class CloseBulk(Command, frozen=True, tag="close_bulk", gc=False):
    """All lines are there: check what can only be checked of all of them. A file is closed by its end."""

    bulk: BulkId


class ApproveBulk(Command, frozen=True, tag="approve_bulk", gc=False):
    """Let a checked bulk be posted. Whoever made it cannot."""

    bulk: BulkId


class CancelBulk(Command, frozen=True, tag="cancel_bulk", gc=False):
    """Give a bulk up, as long as posting has not begun."""

    bulk: BulkId


class ReadBulk(Command, frozen=True, tag="bulk", gc=False):
    """A bulk as it stands. With `watch`, the socket is told of its progress until it is over.

    At most four times a second, as `bulk_progress`.
    """

    bulk: BulkId
    watch: bool | UnsetType = UNSET


class ReadBulks(Command, frozen=True, tag="bulks", gc=False):
    """Bulks of an account, newest first, below the bulk `before`. Operators may leave the account out."""

    account: AccountId | UnsetType = UNSET
    status: StatusName | UnsetType = UNSET
    before: BulkId | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET


class ReadBulkReport(Command, frozen=True, tag="bulk_report", gc=False):
    """What became of a bulk's lines, those after number `after`. `wrong`: only bad and refused ones."""

    bulk: BulkId
    after: Annotated[int, Meta(ge=0, le=LINES_MAX)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET
    wrong: bool | UnsetType = UNSET


# Over HTTP alone


class SendBulkFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A bulk's whole file as the request's body. Sent again, it begins anew."""

    bulk: BulkId


class ReadBulkCsv(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of all lines, as CSV; with `wrong`, of bad and refused ones. No cell begins like a formula."""

    bulk: BulkId
    wrong: bool | UnsetType = UNSET


# From the hub


class BulkState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A bulk as it stands. `lines` were read, `good` of them can be posted, and sum up to `amount`.

    `through` is the last line that was judged; `posted` and `refused` count, `posted_amount` sums up. An atomic bulk
    that failed says by which line and by which payment status.
    """

    bulk: str
    account: int
    atomic: bool
    status: StatusName
    maker: str
    lines: int
    good: int
    bad: int
    amount: int
    through: int
    posted: int
    posted_amount: int
    refused: int
    created_at: str
    checked_at: str | UnsetType = UNSET
    approved_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    approver: str | UnsetType = UNSET
    failed_line: int | UnsetType = UNSET
    failed_code: str | UnsetType = UNSET


class LineResult(Struct, frozen=True, omit_defaults=True, gc=False):
    """A line and what became of it.

    `status` is its payment's, or `waiting`, `not_posted` where the bulk ended before, `bad`: `code`, `field` say why.
    """

    number: int
    payer: int
    status: str
    payee: int | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    description: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    payment: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    field: str | UnsetType = UNSET


class BulkAnswer(Message, frozen=True, tag="bulk_state", gc=False):
    """A bulk."""

    id: int
    bulk: BulkState


class BulksAnswer(Message, frozen=True, tag="bulk_states", gc=False):
    """Bulks, newest first. `next` is the `before` of the next page; none: this was the last."""

    id: int
    bulks: list[BulkState]
    next: str | UnsetType = UNSET


class BulkReport(Message, frozen=True, tag="bulk_report_page", gc=False):
    """Lines and what became of them. `next` is the `after` of the next page; none: this was the last."""

    id: int
    bulk: str
    lines: list[LineResult]
    next: int | UnsetType = UNSET


class BulkProgress(Message, frozen=True, tag="bulk_progress", gc=False):
    """A watched bulk has moved. `lines` were read so far, or in all; `through` is the last one that was judged."""

    bulk: str
    status: StatusName
    lines: int
    good: int
    bad: int
    through: int
    posted: int
    refused: int


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    CreateBulk,
    AddBulkLines,
    CloseBulk,
    ApproveBulk,
    CancelBulk,
    ReadBulk,
    ReadBulks,
    ReadBulkReport,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (BulkAnswer, BulksAnswer, BulkReport, BulkProgress)

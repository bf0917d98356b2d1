"""Looking back: entries that fit a search, balances at a past moment, sums, refusals, whole lives of payments."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import AMOUNT_MAX, BALANCE_MAX, Kind
from hub.protocol.fields import (
    FREE,
    METADATA_KEYS_MAX,
    PAGE_LENGTH_MAX,
    PLAIN_TEXT_PATTERN,
    AccountId,
    Command,
    Message,
    PaymentId,
    Time,
)
from hub.protocol.messages import EntryState

Page: TypeAlias = Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)]
KindName: TypeAlias = Annotated[str, Meta(pattern=f"^({'|'.join(one.name.lower() for one in Kind)})$")]
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN_TEXT_PATTERN)]
Key: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,40}$", extra=FREE)]
Value: TypeAlias = Annotated[str, Meta(max_length=200, pattern=PLAIN_TEXT_PATTERN, extra=FREE)]
StatusName: TypeAlias = Annotated[str, Meta(pattern="^[a-z_]{1,40}$")]


# A month of days twice over, or four days of hours, and then some.
EDGES_MAX: Final = 100
Edges: TypeAlias = Annotated[list[Time], Meta(min_length=2, max_length=EDGES_MAX, description="In their order.")]

# As Metadata, and it may be empty.
Words: TypeAlias = Annotated[dict[Key, Value], Meta(max_length=METADATA_KEYS_MAX)]


class ReadBalanceAt(Command, frozen=True, tag="balance_at", gc=False):
    """What an account had at a moment of ledger time."""

    account: AccountId
    at: Time


class SearchEntries(Command, frozen=True, tag="search", gc=False):
    """A page of an account's entries that fit all that is said, newest first, below the event number `before`.

    Amounts are what moved, without its sign: a hold moves nothing, its amount is 0. `text` is looked for in
    descriptions, whatever its capitals and accents; `key`, or `key` and `value`, in metadata. One page looks at a
    bounded number of entries: as long as there is a `next`, there may be more, even after an empty page.
    """

    account: AccountId
    from_at: Time | UnsetType = UNSET
    to_at: Time | UnsetType = UNSET
    amount_min: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] | UnsetType = UNSET
    amount_max: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] | UnsetType = UNSET
    direction: Literal["in", "out"] | UnsetType = UNSET
    counterparty: AccountId | UnsetType = UNSET
    kind: KindName | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    key: Key | UnsetType = UNSET
    value: Value | UnsetType = UNSET
    before: Annotated[int, Meta(ge=1, le=BALANCE_MAX)] | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class ReadTotals(Command, frozen=True, tag="totals", gc=False):
    """How many entries an account has from one moment up to, and without, another; what came in, went out, and was
    kept as fees.
    """

    account: AccountId
    from_at: Time
    to_at: Time


class ReadSales(Command, frozen=True, tag="sales", gc=False):
    """What an account sold and gave back, from each moment of `edges` up to, and without, the next: a chart's bars.

    A sale is what somebody paid it; what the institution itself pays in is none.
    """

    account: AccountId
    edges: Edges


class ReadRefusals(Command, frozen=True, tag="refusals", gc=False):
    """Payments out of an account that were refused, newest first. They are no entries: nothing moved.

    `before` and `before_payment` are the last page's `next_before` and `next_payment`.
    """

    account: AccountId
    status: StatusName | UnsetType = UNSET
    before: Time | UnsetType = UNSET
    before_payment: PaymentId | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class ReadPayment(Command, frozen=True, tag="read_payment", gc=False):
    """A payment's whole life: what became of it, what its steps add up to, and each of them.

    `after` and `after_step` are the last page's `next_after` and `next_step`.
    """

    payment: PaymentId
    after: Time | UnsetType = UNSET
    after_step: PaymentId | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class SetAccountMetadata(Command, frozen=True, tag="set_account_metadata", gc=False):
    """Write your own words about an account, in place of all that were there; none: forget them."""

    account: AccountId
    metadata: Words


class ReadAccountMetadata(Command, frozen=True, tag="account_metadata", gc=False):
    """The words about an account."""

    account: AccountId


class FindAccounts(Command, frozen=True, tag="find_accounts", gc=False):
    """Operators: the accounts with this word, by number, above `after`."""

    key: Key
    value: Value
    after: AccountId | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class StepState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A step that was taken in a payment's life. `by`, `by_name`: to the merchant, who of their people asked for it."""

    payment: str
    kind: str
    amount: int
    at: str
    fee: int | UnsetType = UNSET
    by: str | UnsetType = UNSET
    by_name: str | UnsetType = UNSET


class LifeState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A payment and what its steps add up to. `held`: still reserved; `disputed`: reserved on the payee's account.

    `by`, `by_name`: to the merchant who paid, who of their people asked for it.
    """

    payment: str
    kind: str
    status: str
    payer: int
    payee: int
    amount: int
    at: str
    captured: int
    refunded: int
    held: int | UnsetType = UNSET
    disputed: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    fee_returned: int | UnsetType = UNSET
    shared: int | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    in_review: bool | UnsetType = UNSET
    about: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET
    rule: int | UnsetType = UNSET
    description: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    by: str | UnsetType = UNSET
    by_name: str | UnsetType = UNSET


class SalesSpan(Struct, frozen=True, gc=False):
    """What was sold and given back in one span, as payers paid and got it; `fees`: kept, less what was returned."""

    sales: int
    amount: int
    returns: int
    returned: int
    fees: int


class RefusalState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A payment that was not made, and why."""

    payment: str
    status: str
    kind: str
    payee: int
    amount: int
    at: str
    about: str | UnsetType = UNSET
    rule: int | UnsetType = UNSET
    description: str | UnsetType = UNSET


class AccountWords(Struct, frozen=True, gc=False):
    """An account and the words about it."""

    account: int
    metadata: dict[str, str]


class BalanceAtAnswer(Message, frozen=True, tag="balance_then", gc=False):
    """What the account had then, after its event `number`: posted, and the part of it that was held."""

    id: int
    account: int
    at: str
    posted: int
    held: int
    number: int


class SearchAnswer(Message, frozen=True, tag="found", gc=False):
    """Entries that fit, newest first. `next` is the `before` of the next page; none: that was all."""

    id: int
    account: int
    entries: list[EntryState]
    next: int | UnsetType = UNSET


class TotalsAnswer(Message, frozen=True, tag="totals_state", gc=False):
    """Sums in minor units."""

    id: int
    account: int
    count: int
    sum_in: int
    sum_out: int
    fees: int


class SalesAnswer(Message, frozen=True, tag="sales_state", gc=False):
    """A span for each pair of neighbouring edges. `number`: of the last event that was looked at."""

    id: int
    account: int
    number: int
    spans: list[SalesSpan]


class RefusalsAnswer(Message, frozen=True, tag="refusal_states", gc=False):
    """Refused payments, newest first. `next_before` and `next_payment` begin the next page; none: no more."""

    id: int
    account: int
    refusals: list[RefusalState]
    next_before: str | UnsetType = UNSET
    next_payment: str | UnsetType = UNSET


class LifeAnswer(Message, frozen=True, tag="life", gc=False):
    """A payment's whole life; its steps, oldest first. `next_after`, `next_step` begin the next page; none: no more."""

    id: int
    life: LifeState
    steps: list[StepState]
    next_after: str | UnsetType = UNSET
    next_step: str | UnsetType = UNSET


class AccountMetadataAnswer(Message, frozen=True, tag="account_words", gc=False):
    """The words about an account, as they stand."""

    id: int
    account: int
    metadata: dict[str, str]


class AccountsFound(Message, frozen=True, tag="accounts_found", gc=False):
    """Accounts, by number. `next` is the `after` of the next page; none: that was all."""

    id: int
    accounts: list[AccountWords]
    next: int | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    ReadBalanceAt,
    SearchEntries,
    ReadTotals,
    ReadSales,
    ReadRefusals,
    ReadPayment,
    SetAccountMetadata,
    ReadAccountMetadata,
    FindAccounts,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    BalanceAtAnswer,
    SearchAnswer,
    TotalsAnswer,
    SalesAnswer,
    RefusalsAnswer,
    LifeAnswer,
    AccountMetadataAnswer,
    AccountsFound,
)

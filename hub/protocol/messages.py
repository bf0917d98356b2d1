"""Every message, as a type. What a field may hold is in its type, and checked while it is decoded.

Money is an integer of minor units. Accounts are numbers, payments are UUIDs that the client makes up
and stores before it sends. `id` ties an answer to its command; answers may overtake each other.
An optional field is left out when it has no value; it is never null.
"""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import AMOUNT_MAX, BALANCE_MAX, DESCRIPTION_LENGTH_MAX

# A page that a phone shows and one answer frame carries without strain.
PAGE_LENGTH_MAX = 200
PAGE_LENGTH = 50
# What a device can hold without an answer after days offline; one settlement's worth of work.
IN_DOUBT_MAX = 500
# Far above what a person has, far below what would hurt the hub.
FOLLOWED_MAX = 100

UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# No control characters (a log stays one line), no marks that turn the reading direction, no lone surrogates.
PLAIN_TEXT_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]*$"

CorrelationId: TypeAlias = Annotated[
    int, Meta(ge=0, le=BALANCE_MAX, description="Chosen by the client; the answer repeats it.")
]
AccountId: TypeAlias = Annotated[int, Meta(ge=1, le=10**12 - 1, description="An account's number within the tenant.")]
PaymentId: TypeAlias = Annotated[
    str,
    Meta(
        pattern=UUID_PATTERN,
        min_length=36,
        max_length=36,
        description="A UUID made by the client and stored before it is sent: the payment's idempotency key.",
    ),
]
Amount: TypeAlias = Annotated[int, Meta(ge=1, le=AMOUNT_MAX, description="Minor units of the tenant's currency.")]
Number: TypeAlias = Annotated[
    int, Meta(ge=0, le=BALANCE_MAX, description="Of an event; each account counts from 1, without a gap.")
]
Description: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1, max_length=DESCRIPTION_LENGTH_MAX, pattern=PLAIN_TEXT_PATTERN, description="Seen by both sides."
    ),
]
Token: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048, description="An access token.")]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN_TEXT_PATTERN)]
Login: TypeAlias = Annotated[str, Meta(min_length=3, max_length=100, pattern="^[A-Za-z0-9][A-Za-z0-9._@+-]*$")]
Password: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
Role: TypeAlias = Annotated[str, Meta(pattern="^(customer|merchant|operator)$")]


class Message(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", omit_defaults=True, gc=False):
    """One thing on the wire."""


class Command(Message, frozen=True, gc=False):
    """A message from a client that expects an answer with the same id."""

    id: CorrelationId


# From the client


class Authenticate(Message, frozen=True, tag="authenticate", gc=False):
    """The first message of a connection."""

    token: Token


class Renew(Command, frozen=True, tag="renew", gc=False):
    """A fresh token of the same session, before the old one ends."""

    token: Token


class Pay(Command, frozen=True, tag="pay", gc=False):
    """Move money. The same payment id again gives the first answer and moves nothing."""

    payment: PaymentId
    payer: AccountId
    payee: AccountId
    amount: Amount
    description: Description | UnsetType = UNSET


class ReadAccount(Command, frozen=True, tag="account", gc=False):
    """One of your accounts: balance, overdraft floor, number of its last event."""

    account: AccountId


class ReadAccounts(Command, frozen=True, tag="accounts", gc=False):
    """All of your accounts."""


class ReadBalance(Command, frozen=True, tag="balance", gc=False):
    """The balance of an account and the number of its last event."""

    account: AccountId


class ReadHistory(Command, frozen=True, tag="history", gc=False):
    """A page of an account's entries, newest first, below the event number `before`."""

    account: AccountId
    before: Annotated[int, Meta(ge=1, le=BALANCE_MAX)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET


class ReadProfile(Command, frozen=True, tag="profile", gc=False):
    """Who you are here."""


class FindPayee(Command, frozen=True, tag="payee", gc=False):
    """The name behind an account number, to show before money is sent."""

    account: AccountId


class Follow(Command, frozen=True, tag="follow", gc=False):
    """Receive an account's events: those after number `after`, or from now on."""

    account: AccountId
    after: Number | UnsetType = UNSET


class Unfollow(Command, frozen=True, tag="unfollow", gc=False):
    """Receive an account's events no longer."""

    account: AccountId


class Acknowledge(Message, frozen=True, tag="ack", gc=False):
    """All events of the account up to `number` were seen. Has no answer."""

    account: AccountId
    number: Number


class Resume(Command, frozen=True, tag="resume", gc=False):
    """Come back after a disconnect: follow accounts from where they were left, and settle payments in doubt.

    Each payment comes back with its answer, or `fenced`: it never arrived, and now never can.
    """

    follow: Annotated[list[tuple[AccountId, Number]], Meta(max_length=FOLLOWED_MAX)] | UnsetType = UNSET
    in_doubt: Annotated[list[PaymentId], Meta(max_length=IN_DOUBT_MAX)] | UnsetType = UNSET


class Ping(Command, frozen=True, tag="ping", gc=False):
    """Are you there? Browsers cannot send WebSocket pings."""


class OpenPerson(Command, frozen=True, tag="open_person", gc=False):
    """Operators: enter a person with one account. Without login and password, somebody else logs them in."""

    name: Name
    role: Role
    login: Login | UnsetType = UNSET
    password: Password | UnsetType = UNSET


class SetFloor(Command, frozen=True, tag="set_floor", gc=False):
    """Operators: how far below zero an account may go. 0: not at all; -5000: fifty units of a two-decimal currency."""

    account: AccountId
    floor: Annotated[int, Meta(ge=-BALANCE_MAX, le=0)]


# From the hub


class AccountState(Struct, frozen=True, omit_defaults=True, gc=False):
    """An account as it stands after its event `number`. `available` is what a payment may take."""

    account: int
    balance: int
    available: int
    floor: int
    number: int
    status: str


class EntryState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A transfer seen from one account: negative when money left. `balance` is the balance after."""

    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int
    at: str
    description: str | UnsetType = UNSET


class SettledPayment(Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of a payment in doubt."""

    payment: str
    status: str
    at: str
    balance: int | UnsetType = UNSET
    number: int | UnsetType = UNSET


class Welcome(Message, frozen=True, tag="welcome", gc=False):
    """The session is live until `expires_at`, unless renewed."""

    person: str
    name: str
    role: str
    tenant: str
    currency: str
    accounts: list[AccountState]
    expires_at: str
    at: str


class Renewed(Message, frozen=True, tag="renewed", gc=False):
    """The session is live until `expires_at`."""

    id: int
    expires_at: str


class Paid(Message, frozen=True, tag="payment", gc=False):
    """The answer to a payment: `posted` after its commit, a refusal, or `unknown`: ask again with the same id.

    `balance` (after) and `number` are the payer's, and there when it was posted.
    """

    id: int
    payment: str
    status: str
    at: str | UnsetType = UNSET
    balance: int | UnsetType = UNSET
    number: int | UnsetType = UNSET


class AccountAnswer(Message, frozen=True, tag="account_state", gc=False):
    """One account."""

    id: int
    account: AccountState


class AccountsAnswer(Message, frozen=True, tag="account_states", gc=False):
    """All of the person's accounts."""

    id: int
    accounts: list[AccountState]


class BalanceAnswer(Message, frozen=True, tag="balance_state", gc=False):
    """A balance, as it stood after event `number`."""

    id: int
    account: int
    balance: int
    available: int
    number: int


class HistoryAnswer(Message, frozen=True, tag="history_page", gc=False):
    """A page of entries, newest first. `next` is the `before` of the next page; none: this was the last."""

    id: int
    account: int
    entries: list[EntryState]
    next: int | UnsetType = UNSET


class ProfileAnswer(Message, frozen=True, tag="profile_state", gc=False):
    """A person's own profile."""

    id: int
    person: str
    name: str
    role: str
    tenant: str
    currency: str


class PayeeAnswer(Message, frozen=True, tag="payee_name", gc=False):
    """The name behind an account number."""

    id: int
    account: int
    name: str


class Following(Message, frozen=True, tag="following", gc=False):
    """Events follow, from the one after `number`; the last one there is now is `latest`."""

    id: int
    account: int
    number: int
    latest: int
    balance: int


class Unfollowed(Message, frozen=True, tag="unfollowed", gc=False):
    """No more events of this account."""

    id: int
    account: int


class Event(Message, frozen=True, tag="event", gc=False):
    """Something happened on a followed account. Numbers have no gap: a jump means that something was missed."""

    account: int
    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int
    at: str
    description: str | UnsetType = UNSET


class Resumed(Message, frozen=True, tag="resumed", gc=False):
    """Payments in doubt, settled; the events of the followed accounts come after this."""

    id: int
    settled: list[SettledPayment]
    following: list[AccountState]


class Pong(Message, frozen=True, tag="pong", gc=False):
    """I am here; my clock says `at`."""

    id: int
    at: str


class PersonOpened(Message, frozen=True, tag="person_opened", gc=False):
    """A person was entered, with one account."""

    id: int
    person: str
    account: int


class FloorSet(Message, frozen=True, tag="floor_set", gc=False):
    """The account's floor from now on."""

    id: int
    account: int
    floor: int


class Draining(Message, frozen=True, tag="draining", gc=False):
    """This hub is about to restart. Come back after `retry_after_ms`; each client gets its own moment."""

    retry_after_ms: int


class Refused(Message, frozen=True, tag="error", gc=False):
    """The command with this id was not carried out and changed nothing, unless the code is outcome_unknown."""

    code: str
    message: str
    id: int | UnsetType = UNSET
    field: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET


FromClient: TypeAlias = (
    Authenticate
    | Renew
    | Pay
    | ReadAccount
    | ReadAccounts
    | ReadBalance
    | ReadHistory
    | ReadProfile
    | FindPayee
    | Follow
    | Unfollow
    | Acknowledge
    | Resume
    | Ping
    | OpenPerson
    | SetFloor
)
FromHub: TypeAlias = (
    Welcome
    | Renewed
    | Paid
    | AccountAnswer
    | AccountsAnswer
    | BalanceAnswer
    | HistoryAnswer
    | ProfileAnswer
    | PayeeAnswer
    | Following
    | Unfollowed
    | Event
    | Resumed
    | Pong
    | PersonOpened
    | FloorSet
    | Draining
    | Refused
)

"""The messages that every client knows: sessions, payments, accounts, following, and the hub's own.

A client's other commands have modules of their own, named for what they are about; hub/protocol/catalogue.py
lists them all.
"""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import BALANCE_MAX, SHARES_MAX
from hub.protocol.fields import (
    FOLLOWED_MAX,
    IN_DOUBT_MAX,
    PAGE_LENGTH_MAX,
    AccountId,
    Amount,
    ChargeId,
    Command,
    Description,
    Login,
    Message,
    Metadata,
    Name,
    Number,
    Password,
    PaymentId,
    Proof,
    Role,
    Token,
)

# From the client


class Authenticate(Message, frozen=True, tag="authenticate", gc=False):
    """The first message of a connection, but for a till's `challenge`.

    `proof`: with a till's token, that it holds the token's key: a JWS of type `payhub-socket+jwt` with the public key
    as `jwk` in its header and the claims `nonce` (the challenge), `ath` (the token's SHA-256), `aud` (the door),
    `tenant` and `iat`.
    """

    token: Token
    proof: Proof | UnsetType = UNSET


class Renew(Command, frozen=True, tag="renew", gc=False):
    """A fresh token of the same session, before the old one ends."""

    token: Token


class Pay(Command, frozen=True, tag="pay", gc=False):
    """Move money. The same payment id again gives the first answer and moves nothing.

    `charge`: the charge that it pays. `shares`: who else gets how much, out of what the payee gets.
    """

    payment: PaymentId
    payer: AccountId
    payee: AccountId
    amount: Amount
    description: Description | UnsetType = UNSET
    charge: ChargeId | UnsetType = UNSET
    shares: Annotated[list[tuple[AccountId, Amount]], Meta(min_length=1, max_length=SHARES_MAX)] | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


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
    """Operators: enter a person with one account. Without login and password, somebody else logs them in.

    They are active at once, with the documents that they showed: give those with edit_profile.
    """

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
    """An account as it stands after its event `number`.

    `posted` is the balance of all entries, `held` the part of it that is reserved by holds, `available` what a payment
    may take.
    """

    account: int
    posted: int
    held: int
    available: int
    floor: int
    number: int
    status: str


class EntryState(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a payment, or a step in its life, did to one account: negative when money left.

    `what` names it, as seen from this account (hub/protocol/codes.py lists the names). `balance` is the balance after,
    `held` what is reserved on the account after, where that changed. `fee` was kept of the amount on its way.
    `about`: of a later step, the payment it belongs to. `charge`: the charge that was paid.
    """

    number: int
    payment: str
    what: str
    amount: int
    counterparty: int
    balance: int
    at: str
    description: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET
    hold: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class SettledPayment(Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of a payment in doubt."""

    payment: str
    status: str
    at: str
    balance: int | UnsetType = UNSET
    number: int | UnsetType = UNSET


class Welcome(Message, frozen=True, tag="welcome", gc=False):
    """The session is live until `expires_at`, unless renewed. `status`: how you stand, if you are not active.

    `notices`: the number of your last notice, if you were left any; later ones are told as they come. `actor`: from a
    seat, who you are, while `person` is the merchant that you speak for.
    """

    person: str
    name: str
    role: str
    tenant: str
    currency: str
    accounts: list[AccountState]
    expires_at: str
    at: str
    notices: int | UnsetType = UNSET
    status: str | UnsetType = UNSET
    actor: str | UnsetType = UNSET


class Renewed(Message, frozen=True, tag="renewed", gc=False):
    """The session is live until `expires_at`."""

    id: int
    expires_at: str


class Paid(Message, frozen=True, tag="payment", gc=False):
    """The answer to a payment or a step: `posted` after its commit, `in_review` when a rule set it aside, a refusal,
    or `unknown`: ask again with the same id.

    `balance` (after) and `number` are the payer's, or the payee's where the payee takes the step (capture, void); they
    are there when it was done. `held`: what is reserved on that account after, if it changed. `amount`: what it was
    for, where the ledger says it. `fee`: what was kept of the amount; negative: given back. `rule`: who decided.
    `receipt`: signed proof of what was done now; of what was done before, read_proof gives it.
    """

    id: int
    payment: str
    status: str
    at: str | UnsetType = UNSET
    balance: int | UnsetType = UNSET
    number: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    rule: int | UnsetType = UNSET
    receipt: bytes | UnsetType = UNSET


class AccountAnswer(Message, frozen=True, tag="account_state", gc=False):
    """One account."""

    id: int
    account: AccountState


class AccountsAnswer(Message, frozen=True, tag="account_states", gc=False):
    """All of the person's accounts."""

    id: int
    accounts: list[AccountState]


class BalanceAnswer(Message, frozen=True, tag="balance_state", gc=False):
    """A balance, as it stood after event `number`: what is posted, the part that is held, what is available."""

    id: int
    account: int
    posted: int
    held: int
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
    posted: int


class Unfollowed(Message, frozen=True, tag="unfollowed", gc=False):
    """No more events of this account."""

    id: int
    account: int


class Event(Message, frozen=True, tag="event", gc=False):
    """Something happened on a followed account: an entry, as it is made. `what` names it: charge.paid, hold.placed…

    Numbers have no gap: a jump means that something was missed.
    """

    account: int
    number: int
    payment: str
    what: str
    amount: int
    counterparty: int
    balance: int
    at: str
    description: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET
    hold: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


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
    at: str | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    Authenticate,
    Renew,
    Pay,
    ReadAccount,
    ReadAccounts,
    ReadBalance,
    ReadHistory,
    ReadProfile,
    FindPayee,
    Follow,
    Unfollow,
    Acknowledge,
    Resume,
    Ping,
    OpenPerson,
    SetFloor,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    Welcome,
    Renewed,
    Paid,
    AccountAnswer,
    AccountsAnswer,
    BalanceAnswer,
    HistoryAnswer,
    ProfileAnswer,
    PayeeAnswer,
    Following,
    Unfollowed,
    Event,
    Resumed,
    Pong,
    PersonOpened,
    FloorSet,
    Draining,
    Refused,
)

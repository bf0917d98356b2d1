"""What whoever oversees a tenant looks at: a payment from all sides, open holds, live traffic, who is connected."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import PAGE_LENGTH_MAX, AccountId, Command, Message, PaymentId, Time
from hub.protocol.messages import EntryState
from hub.protocol.notices import NoticeName, RoadName
from hub.protocol.people import PersonId
from hub.protocol.rules import DecisionState

Page: TypeAlias = Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)]
# core.notices.deliveries.State, by name.
DeliveryStateName: TypeAlias = Literal["waiting", "taken", "dropped", "dead", "gone"]
# How it came in: a page, a program somebody logged in to, a machine (an API key, a till), or somebody in a seat, who is
# the person then.
DoorName: TypeAlias = Literal["web", "native", "machine", "seat"]


class ExplainPayment(Command, frozen=True, tag="explain_payment", gc=False):
    """Operators and auditors: a payment from all sides, beside read_payment and read_proof.

    Each step with whoever asked for it, refused ones too; every entry that they made; what rules decided; its disputes;
    what its people were told, and what their webhooks were.
    """

    payment: PaymentId


class ReadHolds(Command, frozen=True, tag="holds", gc=False):
    """Operators and auditors: money that is reserved, what ends first at the top; but for reviews, which are a queue.

    `after` and `after_payment` are the last page's `next_after` and `next_payment`.
    """

    after: Time | UnsetType = UNSET
    after_payment: PaymentId | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class ReadConditions(Command, frozen=True, tag="account_conditions", gc=False):
    """Operators and auditors: whose an account is, and under which limits and terms it stands."""

    account: AccountId


class ReadTraffic(Command, frozen=True, tag="traffic", gc=False):
    """Operators and auditors: the tenant's payments of the last two minutes, second by second, all hubs together.

    On a socket, with `watch`, each further second is told as it ends, as `traffic_second`.
    """

    watch: bool | UnsetType = UNSET


class ReadConnections(Command, frozen=True, tag="connections", gc=False):
    """Operators and auditors: who is connected, and who left lately and why. That you looked is written down.

    `person`: of one person alone. Of each hub at most `limit` of either are told, the latest first.
    """

    person: PersonId | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class TakenState(Struct, frozen=True, omit_defaults=True, gc=False):
    """The payment or a step about it, done or refused. `asked_by`: a person; the installation acts as nobody."""

    payment: str
    kind: str
    status: str
    amount: int
    at: str
    asked_by: str
    session: str | UnsetType = UNSET
    rule: int | UnsetType = UNSET


class SideEntry(Struct, frozen=True, gc=False):
    """An entry, and the account that it is of."""

    account: int
    entry: EntryState


class OwnerState(Struct, frozen=True, omit_defaults=True, gc=False):
    """Whose an account is. `seen`: the number of the last event that its owner acknowledged."""

    account: int
    person: str
    seen: int | UnsetType = UNSET


class HandedState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A push or a mail that was made of a notice. `taken`: the other side has it. `code`: of its last try."""

    road: RoadName
    state: DeliveryStateName
    tries: int
    made_at: str
    ended_at: str | UnsetType = UNSET
    code: str | UnsetType = UNSET


class ToldState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A notice that somebody was left. One of money goes when it is acknowledged: then `seen` says so alone."""

    kind: NoticeName
    person: str
    at: str
    heard_at: str | UnsetType = UNSET
    handed: list[HandedState] | UnsetType = UNSET


class HookedState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A try to tell a webhook of an entry. Kept for a week."""

    webhook: str
    account: int
    number: int
    event: str
    what: str
    at: str
    took_ms: int
    code: str
    tries: int
    status: int | UnsetType = UNSET


class PaymentExplained(Message, frozen=True, tag="payment_explained", gc=False):
    """All that is known of a payment beside its life and its proof. Oldest first, the payment itself at the top."""

    id: int
    payment: str
    taken: list[TakenState]
    entries: list[SideEntry]
    owners: list[OwnerState]
    decisions: list[DecisionState]
    disputes: list[str]
    told: list[ToldState]
    hooked: list[HookedState]


class HoldState(Struct, frozen=True, omit_defaults=True, gc=False):
    """Money that is reserved until `expires_at`: `held` of `amount`, of which `captured` was taken."""

    payment: str
    payer: int
    payee: int
    amount: int
    held: int
    captured: int
    at: str
    expires_at: str
    description: str | UnsetType = UNSET


class HoldsAnswer(Message, frozen=True, tag="hold_states", gc=False):
    """A page of holds. `next_…` begin the next page; none: this was the last."""

    id: int
    holds: list[HoldState]
    next_after: str | UnsetType = UNSET
    next_payment: str | UnsetType = UNSET


class ConditionsAnswer(Message, frozen=True, tag="account_conditions_state", gc=False):
    """What an account is under; none if it is not said. Without `person` it is the tenant's own."""

    id: int
    account: int
    person: str | UnsetType = UNSET
    limits: int | UnsetType = UNSET
    terms: int | UnsetType = UNSET


class SecondState(Struct, frozen=True, omit_defaults=True, gc=False):
    """What was answered in one second: how many payments by status, and how long it took them, from asked to committed.

    Times are those of the slowest payment of each batch, so that they are never better than they were.
    """

    at: str
    counts: dict[str, int]
    p50_us: int | UnsetType = UNSET
    p99_us: int | UnsetType = UNSET


class TrafficAnswer(Message, frozen=True, tag="traffic_state", gc=False):
    """The seconds in which there was something, oldest first; and how it is now.

    `hubs`: how many figures come from; `hubs_known`: how many there are. `outbox_ms`: for how long the oldest batch
    waits for a worker. `sessions`: open connections.
    """

    id: int
    at: str
    hubs: int
    hubs_known: int
    sessions: int
    outbox_ms: int
    seconds: list[SecondState]


class TrafficSecond(Message, frozen=True, tag="traffic_second", gc=False):
    """To whoever watches: a second is over."""

    second: SecondState
    hubs: int
    hubs_known: int
    sessions: int
    outbox_ms: int


class ConnectedState(Struct, frozen=True, omit_defaults=True, gc=False):
    """An open connection. `behind`: it reads more slowly than it is told; `in_flight`: commands without an answer."""

    person: str
    role: str
    session: str
    door: DoorName
    since: str
    in_flight: int
    following: int
    seen_at: str | UnsetType = UNSET
    network: str | UnsetType = UNSET
    behind: bool | UnsetType = UNSET


class DepartureState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A connection that ended, with its close code. `by_hub`: the hub closed it; otherwise the client, or the line."""

    person: str
    role: str
    session: str
    door: DoorName
    since: str
    at: str
    code: int
    network: str | UnsetType = UNSET
    by_hub: bool | UnsetType = UNSET


class ConnectionsAnswer(Message, frozen=True, tag="connection_states", gc=False):
    """Who is connected and who left. `hubs` of `hubs_known` answered; `total`: open connections, told here or not."""

    id: int
    hubs: int
    hubs_known: int
    total: int
    connected: list[ConnectedState]
    departures: list[DepartureState]


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    ExplainPayment,
    ReadHolds,
    ReadConditions,
    ReadTraffic,
    ReadConnections,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    PaymentExplained,
    HoldsAnswer,
    ConditionsAnswer,
    TrafficAnswer,
    TrafficSecond,
    ConnectionsAnswer,
)

"""Limits and risk rules, own limits, known payees, and the queue of payments under review."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import BALANCE_MAX, Action, Measure
from hub.protocol.fields import PAGE_LENGTH_MAX, AccountId, Command, Message, Name, PaymentId, Time

# Ids are small numbers that operators choose; a tenant has tens of them.
SettingId = Annotated[int, Meta(ge=1, le=9_999)]
MeasureName = Annotated[str, Meta(pattern=f"^({'|'.join(one.name.lower() for one in Measure)})$")]
ActionName = Annotated[str, Meta(pattern=f"^({'|'.join(one.name.lower() for one in Action)})$")]
LocalTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Of the tenant's time zone.")]
Limit = Annotated[int, Meta(ge=0, le=BALANCE_MAX)]
Page = Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)]


class SetLimits(Command, frozen=True, tag="set_limits", gc=False):
    """Operators: open a set of limits, or name it anew. Its rules are set one by one."""

    limits: SettingId
    name: Name


class SetRule(Command, frozen=True, tag="set_rule", gc=False):
    """Operators: write a rule. It holds from the next payment on.

    Above `max` (minor units, or a count for `velocity`) the rule acts: it refuses, sets aside for review, or alerts.
    `within_s`: of velocity the while; of new_payee, new_device and new_device_day how long something is new.
    `own_max`: how high people may set it for themselves; a raise waits `raise_wait_s`, 24 hours if not said.
    """

    rule: SettingId
    limits: SettingId
    name: Name
    measure: MeasureName
    max: Limit
    action: ActionName
    within_s: Annotated[int, Meta(ge=1, le=31_622_400)] | UnsetType = UNSET
    night_from: LocalTime | UnsetType = UNSET
    night_to: LocalTime | UnsetType = UNSET
    own_max: Limit | UnsetType = UNSET
    raise_wait_s: Annotated[int, Meta(ge=0, le=604_800)] | UnsetType = UNSET
    off: bool | UnsetType = UNSET


class ReadRules(Command, frozen=True, tag="rules", gc=False):
    """Operators: all rules."""


class PutUnderLimits(Command, frozen=True, tag="put_under_limits", gc=False):
    """Operators: put an account under a set of limits, or without `limits` under none."""

    account: AccountId
    limits: SettingId | UnsetType = UNSET


class ReadOwnLimits(Command, frozen=True, tag="own_limits", gc=False):
    """What your account may pay at most: per payment, day, night and month."""

    account: AccountId


class SetOwnLimit(Command, frozen=True, tag="set_own_limit", gc=False):
    """Lower a limit of your own, at once, or raise it, after a wait of a day or two."""

    account: AccountId
    measure: MeasureName
    max: Limit


class ListPayee(Command, frozen=True, tag="list_payee", gc=False):
    """Allow somebody to be paid beyond the limits for new payees and for the night, from tomorrow on; or deny them.

    Operators may leave out `account`: then it holds for everybody.
    """

    payee: AccountId
    listing: Annotated[str, Meta(pattern="^(allowed|denied|none)$")]
    account: AccountId | UnsetType = UNSET


class ReadListedPayees(Command, frozen=True, tag="listed_payees", gc=False):
    """Whom your account may pay beforehand, and whom it does not pay, by number, above `after`."""

    account: AccountId
    after: AccountId | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class ReadReviews(Command, frozen=True, tag="reviews", gc=False):
    """Operators: payments that rules have set aside, oldest first. Release or decline each."""

    limit: Page | UnsetType = UNSET


class ReadAlerts(Command, frozen=True, tag="alerts", gc=False):
    """Operators: what rules have decided, newest first. On a socket, with `watch`, new ones are told as they happen.

    `before` and `before_payment` are the last page's `next_before` and `next_payment`.
    """

    before: Time | UnsetType = UNSET
    before_payment: PaymentId | UnsetType = UNSET
    action: ActionName | UnsetType = UNSET
    limit: Page | UnsetType = UNSET
    watch: bool | UnsetType = UNSET


class ReadChanges(Command, frozen=True, tag="changes", gc=False):
    """Operators: which settings were changed, by whom, newest first."""

    before: Time | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class RuleState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A rule as it stands."""

    rule: int
    limits: int
    name: str
    measure: str
    max: int
    action: str
    within_s: int | UnsetType = UNSET
    night_from: str | UnsetType = UNSET
    night_to: str | UnsetType = UNSET
    own_max: int | UnsetType = UNSET
    raise_wait_s: int | UnsetType = UNSET
    off: bool | UnsetType = UNSET


class LimitState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A limit of an account: what holds now, and what will from a moment on. `own_max`: how high you may set it."""

    measure: str
    max: int
    own_max: int | UnsetType = UNSET
    next_max: int | UnsetType = UNSET
    next_from: str | UnsetType = UNSET


class ReviewState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A payment that waits for an operator, until `until` at the latest, and what set it aside."""

    payment: str
    payer: int
    payee: int
    amount: int
    what: str
    at: str
    until: str
    rule: int
    measure: str
    measured: int
    max: int
    description: str | UnsetType = UNSET


class DecisionState(Struct, frozen=True, gc=False):
    """What a rule decided of a payment, and on what grounds."""

    payment: str
    payer: int
    payee: int
    amount: int
    rule: int
    measure: str
    measured: int
    max: int
    action: str
    at: str


class ChangeState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A setting that was changed. `before` and `after` are JSON."""

    at: str
    what: str
    key: str
    asked_by: str | UnsetType = UNSET
    before: str | UnsetType = UNSET
    after: str | UnsetType = UNSET


class ListedPayeeState(Struct, frozen=True, gc=False):
    """Somebody who is listed: allowed or denied, from that moment on."""

    payee: int
    listing: str
    from_at: str


class LimitsSet(Message, frozen=True, tag="limits_set", gc=False):
    """The set of limits is there."""

    id: int
    limits: int
    name: str


class RuleSet(Message, frozen=True, tag="rule_set", gc=False):
    """The rule holds from now on."""

    id: int
    rule: RuleState


class RulesAnswer(Message, frozen=True, tag="rule_states", gc=False):
    """All rules, by set."""

    id: int
    rules: list[RuleState]


class UnderLimits(Message, frozen=True, tag="under_limits", gc=False):
    """The limits that the account is under from now on; none if they are not said."""

    id: int
    account: int
    limits: int | UnsetType = UNSET


class OwnLimits(Message, frozen=True, tag="own_limit_states", gc=False):
    """What the account may pay at most."""

    id: int
    account: int
    limits: list[LimitState]


class OwnLimitSet(Message, frozen=True, tag="own_limit_set", gc=False):
    """The limit as it stands now."""

    id: int
    account: int
    limit: LimitState


class PayeeListed(Message, frozen=True, tag="payee_listed", gc=False):
    """The listing holds from `from_at` on."""

    id: int
    payee: int
    listing: str
    from_at: str
    account: int | UnsetType = UNSET


class ListedPayees(Message, frozen=True, tag="listed_payee_states", gc=False):
    """A page. `next` is the `after` of the next page; none: this was the last."""

    id: int
    account: int
    payees: list[ListedPayeeState]
    next: int | UnsetType = UNSET


class Reviews(Message, frozen=True, tag="review_states", gc=False):
    """Payments that wait, oldest first."""

    id: int
    reviews: list[ReviewState]


class Alerts(Message, frozen=True, tag="decision_states", gc=False):
    """What rules have decided, newest first. `next_before` and `next_payment` begin the next page; none: no more."""

    id: int
    decisions: list[DecisionState]
    next_before: str | UnsetType = UNSET
    next_payment: str | UnsetType = UNSET


class Changes(Message, frozen=True, tag="change_states", gc=False):
    """Changed settings, newest first."""

    id: int
    changes: list[ChangeState]


class Alert(Message, frozen=True, tag="alert", gc=False):
    """To operators who watch: a rule has decided a payment."""

    payment: str
    payer: int
    payee: int
    amount: int
    rule: int
    action: str
    at: str


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    SetLimits,
    SetRule,
    ReadRules,
    PutUnderLimits,
    ReadOwnLimits,
    SetOwnLimit,
    ListPayee,
    ReadListedPayees,
    ReadReviews,
    ReadAlerts,
    ReadChanges,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    LimitsSet,
    RuleSet,
    RulesAnswer,
    UnderLimits,
    OwnLimits,
    OwnLimitSet,
    PayeeListed,
    ListedPayees,
    Reviews,
    Alerts,
    Changes,
    Alert,
)

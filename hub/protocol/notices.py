"""What a person is told beside their accounts' events, how they are reached without a socket, and what came of it."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import BALANCE_MAX
from hub.protocol.consents import Purpose
from hub.protocol.disputes import STORY_PATTERN
from hub.protocol.fields import FREE, PAGE_LENGTH_MAX, PLAIN_TEXT_PATTERN, UUID_PATTERN, Command, Message, Time

# core.notices.kinds.NoticeKind, by name; tests/hub/test_notices.py holds one to the other.
NoticeName: TypeAlias = Literal[
    "payment_received",
    "contact_code",
    "claimed",
    "contact_changed",
    "payment_sent",
    "charge_paid",
    "refund_received",
    "refund_sent",
    "payment_reversed",
    "hold_placed",
    "hold_captured",
    "hold_ended",
    "in_review",
    "review_released",
    "review_declined",
    "dispute_held",
    "charged_back",
    "dispute_released",
    "payment_refused",
    "hold_expiring",
    "bulk_finished",
    "limit_raised",
    "dispute_opened",
    "new_device",
    "second_factor_refused",
    "factor_enrolled",
    "factor_removed",
    "recovery_code_used",
    "passkey_copied",
    "password_changed",
    "seat_taken",
    "export_ready",
    "webhook_disabled",
    "seat_offered",
    "news",
]
# core.notices.ladder.CAN_WAIT
MutableName: TypeAlias = Literal["export_ready", "webhook_disabled", "seat_offered", "news"]
RoadName: TypeAlias = Literal["apple", "firebase", "web", "mail"]
Language: TypeAlias = Literal["pt", "en"]
BellNumber: TypeAlias = Annotated[
    int, Meta(ge=0, le=BALANCE_MAX, description="Of a notice; each person counts from 1, without a gap.")
]
Page: TypeAlias = Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)]
HourMinute: TypeAlias = Annotated[
    str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="In the tenant's time zone: 22:00.")
]
DeliveryId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
# core.notices.seen.TOKEN_LENGTH
SeenToken: TypeAlias = Annotated[
    str,
    Meta(pattern="^[A-Za-z0-9_-]{43}$", min_length=43, max_length=43, description="Out of a push, or a mail's link."),
]
ProviderName: TypeAlias = Literal["apple", "firebase", "web"]
PhoneAddress: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=1_024, description="The address that the provider gave your app.")
]
PhoneId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
RETRIED_MAX: Final = 200
NewsId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A UUID made by whoever sends it.")
]


class ReadNotices(Command, frozen=True, tag="notices", gc=False):
    """What you were told, newest first, below `before`; with `after`, what came after that number, oldest first."""

    after: BellNumber | UnsetType = UNSET
    before: Annotated[int, Meta(ge=1, le=BALANCE_MAX)] | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class HearNotices(Command, frozen=True, tag="hear_notices", gc=False):
    """You have seen your notices up to `number`: they are told on no other road. Not those of what this session did."""

    number: BellNumber


class RegisterPhone(Command, frozen=True, tag="register_phone", gc=False):
    """Be told here when no socket is: this app, or this browser, as long as you are logged in here.

    apple: `address` (the device token) in hexadecimal, `topic` (the app's bundle id), `sandbox` for one that was built
    for development. firebase: `address`. web: `endpoint`, `p256dh` and `auth` of a PushSubscription. Whoever had this
    phone before hears nothing there any more.
    """

    provider: ProviderName
    language: Language
    address: PhoneAddress | UnsetType = UNSET
    topic: Annotated[str, Meta(max_length=160)] | UnsetType = UNSET
    sandbox: bool | UnsetType = UNSET
    endpoint: Annotated[str, Meta(max_length=1_000)] | UnsetType = UNSET
    p256dh: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    auth: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET


class ReadPushKey(Command, frozen=True, tag="push_key", gc=False):
    """The key that a browser subscribes to pushes with, before it is registered."""


class ReadPhones(Command, frozen=True, tag="phones", gc=False):
    """Where you are told by push, the newest first."""


class ForgetPhone(Command, frozen=True, tag="forget_phone", gc=False):
    """Be told nothing more at one of your phones."""

    phone: PhoneId


class ReadNoticeSettings(Command, frozen=True, tag="notice_settings", gc=False):
    """How you are told."""


class SetNoticeSettings(Command, frozen=True, tag="set_notice_settings", gc=False):
    """Say how you want to be told; what you leave out is as the tenant has it.

    `quiet_from` and `quiet_to` go together. They hold back, and `muted` turns off, only what can wait: never money, and
    never a warning.
    """

    language: Language | UnsetType = UNSET
    quiet_from: HourMinute | UnsetType = UNSET
    quiet_to: HourMinute | UnsetType = UNSET
    muted: Annotated[list[MutableName], Meta(max_length=3)] | UnsetType = UNSET


class ReadLadders(Command, frozen=True, tag="ladders", gc=False):
    """Operators: how each kind of notice climbs."""


class SetLadder(Command, frozen=True, tag="set_ladder", gc=False):
    """Operators: let a kind of notice climb so, from the next one on.

    The socket has `socket_s` seconds alone, then the phone `push_s` before the mail is written. Money and warnings keep
    at least one road.
    """

    kind: NoticeName
    socket_s: Annotated[int, Meta(ge=2, le=86_400)]
    push_s: Annotated[int, Meta(ge=0, le=604_800)]
    has_push: bool
    has_mail: bool


class ReadDeadDeliveries(Command, frozen=True, tag="dead_deliveries", gc=False):
    """Operators: pushes and mails that were set aside, newest first: refused for good, or tried too often.

    `before` and `before_delivery` are the last page's `next_before` and `next_delivery`.
    """

    before: Time | UnsetType = UNSET
    before_delivery: DeliveryId | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class RetryDeliveries(Command, frozen=True, tag="retry_deliveries", gc=False):
    """Operators: send again, under the same ids, what was set aside; all of it without `deliveries`."""

    deliveries: Annotated[list[DeliveryId], Meta(min_length=1, max_length=RETRIED_MAX)] | UnsetType = UNSET


class SendNews(Command, frozen=True, tag="send_news", gc=False):
    """Operators: tell something to everybody who agreed to a purpose of consent, and has not turned news off.

    `news`: a UUID of yours; sent again, it is told nobody twice. Paragraphs of `text` have empty lines between. Quiet
    hours are kept, and whoever follows the link in its mail has taken their consent back. Three times a day at most.
    """

    news: NewsId
    purpose: Purpose
    title: Annotated[str, Meta(min_length=1, max_length=80, pattern=PLAIN_TEXT_PATTERN, extra=FREE)]
    text: Annotated[str, Meta(min_length=1, max_length=4_000, pattern=STORY_PATTERN, extra=FREE)]


class ReadNews(Command, frozen=True, tag="news", gc=False):
    """Operators: what was sent, newest first. `before`: the last page's `next_before`."""

    before: Time | UnsetType = UNSET
    limit: Page | UnsetType = UNSET


class SawNotice(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Somebody tapped a push, or followed a mail's link: what it told is acknowledged on all roads. Needs no log-in."""

    seen: SeenToken


class NoticeSeen(Message, frozen=True, tag="notice_seen", gc=False):
    """Whether there was still something to acknowledge is not said: whoever found a link learns nothing by it."""


class NoticeState(Struct, frozen=True, omit_defaults=True, gc=False):
    """One of your notices. `session`: where it was done, and `name` what you call that; `network`: where from.

    `subject`: what it is about (a dispute, a bulk file, an export). `code`: which sort: totp, passkey, a refusal's.
    `lines` and `refused`: of a bulk file. `ends_at`: until when there is something to do. `title` and `text`: of news.
    """

    number: int
    kind: NoticeName
    at: str
    heard: bool | UnsetType = UNSET
    session: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    network: str | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    lines: int | UnsetType = UNSET
    refused: int | UnsetType = UNSET
    ends_at: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    text: str | UnsetType = UNSET


class NoticesAnswer(Message, frozen=True, tag="notice_states", gc=False):
    """A page. `number`: of your last notice; `unheard`: how many you have not acknowledged (100: or more)."""

    id: int
    notices: list[NoticeState]
    number: int
    unheard: int


class NoticesHeard(Message, frozen=True, tag="notices_heard", gc=False):
    """So many were not acknowledged before."""

    id: int
    count: int


class Notice(Message, frozen=True, tag="notice", gc=False):
    """Something that you are to know, told to each of your sockets but those of the session that did it.

    Acknowledge it with `hear_notices`, or your phone will ring. What may be somebody else's doing: end the `session`
    where it was done, and change your password.
    """

    notice: NoticeState


class PhoneRegistered(Message, frozen=True, tag="phone_registered", gc=False):
    """It takes your pushes from now on."""

    id: int
    phone: str


class PushKeyAnswer(Message, frozen=True, tag="push_key_state", gc=False):
    """PushManager.subscribe()'s applicationServerKey (VAPID, RFC 8292), in base64url. It does not change."""

    id: int
    key: str


class PhoneState(Struct, frozen=True, omit_defaults=True, gc=False):
    """One of your phones. `session`: the one that registered it, and `name` what you call that."""

    phone: str
    provider: ProviderName
    language: Language
    registered_at: str
    session: str
    name: str | UnsetType = UNSET


class PhonesAnswer(Message, frozen=True, tag="phone_states", gc=False):
    """Those of your live sessions."""

    id: int
    phones: list[PhoneState]


class PhoneForgotten(Message, frozen=True, tag="phone_forgotten", gc=False):
    """Nothing more is sent there."""

    id: int
    phone: str


class NoticeSettingsAnswer(Message, frozen=True, tag="notice_settings_state", gc=False):
    """How you are told. What is not here is as the tenant has it."""

    id: int
    muted: list[MutableName]
    language: Language | UnsetType = UNSET
    quiet_from: str | UnsetType = UNSET
    quiet_to: str | UnsetType = UNSET


class LadderState(Struct, frozen=True, omit_defaults=True, gc=False):
    """How a kind climbs. `own`: the tenant says so itself."""

    kind: NoticeName
    socket_s: int
    push_s: int
    has_push: bool
    has_mail: bool
    own: bool | UnsetType = UNSET


class LaddersAnswer(Message, frozen=True, tag="ladder_states", gc=False):
    """Every kind's."""

    id: int
    ladders: list[LadderState]


class LadderSet(Message, frozen=True, tag="ladder_set", gc=False):
    """The kind climbs so from now on."""

    id: int
    ladder: LadderState


class DeadDelivery(Struct, frozen=True, omit_defaults=True, gc=False):
    """One that was set aside. `code`: what came of its last try."""

    delivery: str
    road: RoadName
    kind: NoticeName
    person: str
    tries: int
    made_at: str
    ended_at: str
    code: str | UnsetType = UNSET


class DeadDeliveriesAnswer(Message, frozen=True, tag="dead_delivery_states", gc=False):
    """A page. With `next_before` there may be more."""

    id: int
    deliveries: list[DeadDelivery]
    next_before: str | UnsetType = UNSET
    next_delivery: str | UnsetType = UNSET


class DeliveriesRetried(Message, frozen=True, tag="deliveries_retried", gc=False):
    """These are sent again."""

    id: int
    deliveries: list[str]


class NewsState(Struct, frozen=True, omit_defaults=True, gc=False):
    """Something that was sent. `told`: to how many so far; `ended_at`: when all who had agreed were."""

    news: str
    purpose: str
    title: str
    text: str
    sent_at: str
    told: int
    sent_by: str | UnsetType = UNSET
    ended_at: str | UnsetType = UNSET


class NewsSent(Message, frozen=True, tag="news_sent", gc=False):
    """It is told, within minutes."""

    id: int
    news: NewsState


class NewsAnswer(Message, frozen=True, tag="news_states", gc=False):
    """A page. With `next_before` there may be more."""

    id: int
    news: list[NewsState]
    next_before: str | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    ReadNotices,
    HearNotices,
    RegisterPhone,
    ReadPushKey,
    ReadPhones,
    ForgetPhone,
    ReadNoticeSettings,
    SetNoticeSettings,
    ReadLadders,
    SetLadder,
    ReadDeadDeliveries,
    RetryDeliveries,
    SendNews,
    ReadNews,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    NoticesAnswer,
    NoticesHeard,
    Notice,
    PhoneRegistered,
    PushKeyAnswer,
    PhonesAnswer,
    PhoneForgotten,
    NoticeSettingsAnswer,
    LaddersAnswer,
    LadderSet,
    DeadDeliveriesAnswer,
    DeliveriesRetried,
    NewsSent,
    NewsAnswer,
)

"""What people allow and take back (LGPD art. 8), and what they ask of whoever holds their data (art. 18 to 20)."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol import people
from hub.protocol.disputes import STORY_PATTERN
from hub.protocol.fields import FREE, PLAIN_TEXT_PATTERN, UUID_PATTERN, Command, Message, Name, Time
from hub.protocol.privacy import PageLength

TEXT_LENGTH_MAX: Final = 2_000

Purpose: TypeAlias = Annotated[
    str,
    Meta(pattern="^[a-z][a-z0-9_]{1,38}[a-z0-9]$", max_length=40, description="A purpose of consent, by its name."),
]
Title: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN_TEXT_PATTERN, extra=FREE)]
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=STORY_PATTERN, extra=FREE)]
Version: TypeAlias = Annotated[
    int, Meta(ge=1, le=1_000_000, description="Of a purpose's text; each change is a new one.")
]
RequestId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A UUID made by whoever asks.")
]
RightName: TypeAlias = Literal[
    "confirmation", "access", "correction", "blocking", "sharing", "objection", "review", "other"
]
# The profile's, and what is no field of it.
FieldName: TypeAlias = Literal[
    "name",
    "cpf",
    "cnpj",
    "legal_name",
    "trade_name",
    "category",
    "email",
    "phone",
    "birth_date",
    "address",
    "login",
    "other",
]
AnswerName: TypeAlias = Literal["granted", "partly_granted", "refused"]


class SetPurpose(Command, frozen=True, tag="set_consent_purpose", gc=False):
    """Ask for consent in these words from now on, in Portuguese and English. For operators.

    `asks_again`: what was given to earlier words no longer counts. `open` false: it is asked for no more, and what was
    given counts no more.
    """

    purpose: Purpose
    title_pt: Title
    text_pt: Text
    title_en: Title
    text_en: Text
    asks_again: bool | UnsetType = UNSET
    open: bool | UnsetType = UNSET


class ReadPurposes(Command, frozen=True, tag="consent_purposes", gc=False):
    """What the tenant asks consent for, and what the speaker says to it."""


class GiveConsent(Command, frozen=True, tag="give_consent", gc=False):
    """Agree to a purpose, in the version of its text that was read."""

    purpose: Purpose
    version: Version


class RevokeConsent(Command, frozen=True, tag="revoke_consent", gc=False):
    """Take consent back, whatever version it was given to. What rests on it alone stops at once."""

    purpose: Purpose


class ReadConsents(Command, frozen=True, tag="consents", gc=False):
    """All that the speaker ever allowed or took back, newest first, before one of those changes: all three values."""

    before_at: Time | UnsetType = UNSET
    before_purpose: Purpose | UnsetType = UNSET
    before_number: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    limit: PageLength | UnsetType = UNSET


class MakeRequest(Command, frozen=True, tag="make_privacy_request", gc=False):
    """Ask the institution for something that takes a person to answer. It is due within fifteen days.

    A correction names its `field`. What can be had without asking: `my_data`, `ask_export`, `disclosures`, `erase`.
    """

    request: RequestId
    right: RightName
    field: FieldName | UnsetType = UNSET
    text: Text | UnsetType = UNSET


class ReadRequest(Command, frozen=True, tag="privacy_request", gc=False):
    """A request as it stands. Operators may read everybody's, and it is written down that they did."""

    request: RequestId


class ReadRequests(Command, frozen=True, tag="privacy_requests", gc=False):
    """The speaker's requests, newest first. With `open`, for operators: everybody's open ones, the most urgent first.

    With `watch`, an operator's socket is told when some are due soon or late (`privacy_alert`).
    """

    open: bool | UnsetType = UNSET
    watch: bool | UnsetType = UNSET
    before: RequestId | UnsetType = UNSET
    limit: PageLength | UnsetType = UNSET


class Corrected(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The one field that a correction asks for, as it is to be."""

    name: Name | UnsetType = UNSET
    cpf: people.Cpf | UnsetType = UNSET
    cnpj: people.Cnpj | UnsetType = UNSET
    legal_name: Name | UnsetType = UNSET
    trade_name: Name | UnsetType = UNSET
    category: people.Category | UnsetType = UNSET
    email: people.Email | UnsetType = UNSET
    phone: people.Phone | UnsetType = UNSET
    birth_date: people.BirthDate | UnsetType = UNSET
    address: people.Address | UnsetType = UNSET


class AnswerRequest(Command, frozen=True, tag="answer_privacy_request", gc=False):
    """Answer a person's request. For operators; nobody answers their own.

    With `correct`, a correction that was asked for is made, in the profile and its history, and then answered.
    """

    request: RequestId
    status: AnswerName
    answer: Text
    correct: Corrected | UnsetType = UNSET


class WithdrawRequest(Command, frozen=True, tag="withdraw_privacy_request", gc=False):
    """Let one's own request be."""

    request: RequestId


class PurposeState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A purpose in the version that holds. `given`: the speaker's consent counts. `answered_…`: their last word."""

    purpose: str
    version: int
    title_pt: str
    text_pt: str
    title_en: str
    text_en: str
    given: bool
    answered_version: int | UnsetType = UNSET
    answered_at: str | UnsetType = UNSET


class PurposeAnswer(Message, frozen=True, tag="consent_purpose_state", gc=False):
    """One purpose, as it is asked for and as the speaker answered."""

    id: int
    purpose: PurposeState


class PurposeSet(Message, frozen=True, tag="consent_purpose_set", gc=False):
    """The words hold, as this version."""

    id: int
    purpose: str
    version: int


class PurposesAnswer(Message, frozen=True, tag="consent_purpose_states", gc=False):
    """All purposes."""

    id: int
    purposes: list[PurposeState]


class ConsentChange(Struct, frozen=True, omit_defaults=True, gc=False):
    """One word of the speaker's: given or taken back, when, and by which door."""

    purpose: str
    number: int
    version: int
    given: bool
    at: str
    door: str | UnsetType = UNSET
    session: str | UnsetType = UNSET


class ConsentsAnswer(Message, frozen=True, tag="consent_changes", gc=False):
    """A page of changes. With `more`, the next page is asked for before the last of them."""

    id: int
    changes: list[ConsentChange]
    more: bool | UnsetType = UNSET


class RequestState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A request: open, granted, partly_granted, refused or withdrawn. In the list of open ones its text is not told."""

    request: str
    person: str
    right: str
    status: str
    asked_at: str
    due_at: str
    field: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    answer: str | UnsetType = UNSET
    answered_at: str | UnsetType = UNSET


class RequestAnswer(Message, frozen=True, tag="privacy_request_state", gc=False):
    """One request."""

    id: int
    request: RequestState


class RequestsAnswer(Message, frozen=True, tag="privacy_request_states", gc=False):
    """A page of requests. `next` is the `before` of the next page; none: this was the last."""

    id: int
    requests: list[RequestState]
    next: str | UnsetType = UNSET


class PrivacyAlert(Message, frozen=True, tag="privacy_alert", gc=False):
    """How many of the tenant's requests are due within five days, and how many are late. To operators who watch."""

    due_soon: int
    late: int


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    SetPurpose,
    ReadPurposes,
    GiveConsent,
    RevokeConsent,
    ReadConsents,
    MakeRequest,
    ReadRequest,
    ReadRequests,
    AnswerRequest,
    WithdrawRequest,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    PurposeAnswer,
    PurposeSet,
    PurposesAnswer,
    ConsentsAnswer,
    RequestAnswer,
    RequestsAnswer,
    PrivacyAlert,
)

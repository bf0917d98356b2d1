"""Payments that a payer disputes, until the money stays or goes back."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import AMOUNT_MAX
from hub.protocol.fields import FREE, PAGE_LENGTH_MAX, UUID_PATTERN, Amount, Command, Message, PaymentId

# As PLAIN_TEXT_PATTERN, with line feeds: a story has paragraphs, and none of this is ever in a log.
STORY_PATTERN = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]*$"
# 36 KiB of a file: with the rest of the message it fits into one.
CONTENT_LENGTH_MAX = 48 * 1024
# The longest time limit that card networks know.
CLOCK_S_MAX = 540 * 86_400

DisputeId: TypeAlias = Annotated[
    str,
    Meta(
        pattern=UUID_PATTERN,
        min_length=36,
        max_length=36,
        description="A UUID made by whoever opens the dispute: its idempotency key.",
    ),
]
EvidenceId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A UUID made by whoever adds the piece.")
]
Story: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2000,
        pattern=STORY_PATTERN,
        description="Seen by both sides and operators.",
        extra=FREE,
    ),
]
ProfileName: TypeAlias = Annotated[str, Meta(min_length=2, max_length=40, pattern="^[a-z][a-z0-9_-]*[a-z0-9]$")]
Reason: TypeAlias = Literal["fraud", "not_received", "not_as_described", "duplicate", "wrong_amount", "other"]
StatusName: TypeAlias = Literal[
    "open", "under_review", "accepted", "partly_accepted", "rejected", "withdrawn", "expired"
]
Lapse: TypeAlias = Literal["to_operators", "payer_wins", "payee_wins"]
Clock: TypeAlias = Annotated[int, Meta(ge=1, le=CLOCK_S_MAX, description="Seconds.")]
MediaType: TypeAlias = Literal["application/pdf", "image/jpeg", "image/png", "text/plain"]
FileName: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f-\x9f/\\\u2028-\u202e\u2066-\u2069\ud800-\udfff]*$",
        extra=FREE,
    ),
]
Content: TypeAlias = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=CONTENT_LENGTH_MAX,
        pattern="^[A-Za-z0-9+/]+={0,2}$",
        description="A file's bytes in base64 (RFC 4648, section 4).",
    ),
]

# From the client


class OpenDispute(Command, frozen=True, tag="open_dispute", gc=False):
    """The payer, or an operator: dispute a payment. As much as is there is reserved on the payee's account.

    Without an amount it is all that has not gone back yet. Only operators name another profile than the default. The
    same dispute id again gives the dispute as it stands.
    """

    dispute: DisputeId
    payment: PaymentId
    reason: Reason
    text: Story | UnsetType = UNSET
    amount: Amount | UnsetType = UNSET
    profile: ProfileName | UnsetType = UNSET


class AnswerDispute(Command, frozen=True, tag="answer_dispute", gc=False):
    """The payee: accept, accept a part (say which amount), or contest. An operator decides what is not accepted."""

    dispute: DisputeId
    answer: Literal["accept", "accept_part", "contest"]
    amount: Amount | UnsetType = UNSET
    text: Story | UnsetType = UNSET


class AddEvidence(Command, frozen=True, tag="add_evidence", gc=False):
    """Either side, or an operator: bring forward a text, a small file (name, media type, content), or both."""

    dispute: DisputeId
    evidence: EvidenceId
    text: Story | UnsetType = UNSET
    name: FileName | UnsetType = UNSET
    media_type: MediaType | UnsetType = UNSET
    content: Content | UnsetType = UNSET


class ReadEvidence(Command, frozen=True, tag="read_evidence", gc=False):
    """One piece of evidence, with its file's content."""

    dispute: DisputeId
    evidence: EvidenceId


class DecideDispute(Command, frozen=True, tag="decide_dispute", gc=False):
    """Operators: how much the payer gets back: from what the payee offered (or 0) to all that is disputed."""

    dispute: DisputeId
    amount: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    note: Story | UnsetType = UNSET


class ClaimDispute(Command, frozen=True, tag="claim_dispute", gc=False):
    """The payer, or an operator: take what was awarded. Only where the profile asks for it (claim_due_at is there)."""

    dispute: DisputeId


class WithdrawDispute(Command, frozen=True, tag="withdraw_dispute", gc=False):
    """Whoever opened it: let it be. What is reserved is let go."""

    dispute: DisputeId


class ReadDispute(Command, frozen=True, tag="dispute", gc=False):
    """One dispute with its evidence, for its two sides and for operators."""

    dispute: DisputeId


class ReadDisputes(Command, frozen=True, tag="disputes", gc=False):
    """A page of your disputes, of all for operators, newest first, below the dispute `before`."""

    status: StatusName | UnsetType = UNSET
    overdue: bool | UnsetType = UNSET
    before: DisputeId | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET


class SetDisputeProfile(Command, frozen=True, tag="set_dispute_profile", gc=False):
    """Operators: the clocks of one kind of dispute, and what happens when one runs out. For new disputes.

    `open_s` and `collect_s` count from the payment, `answer_s` and `decide_s` from the opening, `claim_s` from the
    acceptance (without it, nothing has to be claimed), `refund_s` from the claim.
    """

    profile: ProfileName
    reasons: Annotated[list[Reason], Meta(min_length=1, max_length=6)]
    open_s: Clock
    answer_s: Clock
    on_no_answer: Lapse
    decide_s: Clock
    on_no_decision: Lapse
    refund_s: Clock
    collect_s: Clock
    claim_s: Clock | UnsetType = UNSET
    on_no_claim: Lapse | UnsetType = UNSET
    default: bool | UnsetType = UNSET


class ReadDisputeProfiles(Command, frozen=True, tag="dispute_profiles", gc=False):
    """The kinds of dispute there are here, with their clocks."""


# From the hub


class DisputeState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A dispute as it stands.

    `held` is reserved on the payee's account, `offered` is the payee's answer, `awarded` the decision; of it,
    `charged_back` is with the payer and `owed` is not yet, because it is not claimed or the payee has too little.
    `overdue`: a clock has run out and an operator must act. Times that lie ahead are deadlines: what comes at the very
    moment is in time. `closed_at`: nothing more will happen.
    """

    dispute: str
    payment: str
    payer: int
    payee: int
    amount: int
    reason: str
    profile: str
    status: str
    held: int
    charged_back: int
    owed: int
    overdue: bool
    opened_by: str
    opened_at: str
    answer_due_at: str
    decision_due_at: str
    text: str | UnsetType = UNSET
    offered: int | UnsetType = UNSET
    answer: str | UnsetType = UNSET
    answered_at: str | UnsetType = UNSET
    awarded: int | UnsetType = UNSET
    note: str | UnsetType = UNSET
    decided_at: str | UnsetType = UNSET
    claim_due_at: str | UnsetType = UNSET
    claimed_at: str | UnsetType = UNSET
    refund_due_at: str | UnsetType = UNSET
    collect_until: str | UnsetType = UNSET
    closed_at: str | UnsetType = UNSET


class EvidenceState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A piece of evidence; of its file, name, media type and size in bytes."""

    evidence: str
    side: str
    at: str
    text: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    media_type: str | UnsetType = UNSET
    size: int | UnsetType = UNSET


class ProfileState(Struct, frozen=True, omit_defaults=True, gc=False):
    """The clocks of one kind of dispute, in seconds, and what happens when one runs out."""

    profile: str
    default: bool
    reasons: list[str]
    open_s: int
    answer_s: int
    on_no_answer: str
    decide_s: int
    on_no_decision: str
    on_no_claim: str
    refund_s: int
    collect_s: int
    claim_s: int | UnsetType = UNSET


class DisputeAnswer(Message, frozen=True, tag="dispute_state", gc=False):
    """A dispute after what was asked."""

    id: int
    dispute: DisputeState


class DisputeFileAnswer(Message, frozen=True, tag="dispute_file", gc=False):
    """A dispute and all that was brought forward, oldest first."""

    id: int
    dispute: DisputeState
    evidence: list[EvidenceState]


class DisputesAnswer(Message, frozen=True, tag="dispute_states", gc=False):
    """A page of disputes, newest first. `next` is the `before` of the next page; none: this was the last."""

    id: int
    disputes: list[DisputeState]
    next: str | UnsetType = UNSET


class EvidenceAdded(Message, frozen=True, tag="evidence_added", gc=False):
    """The piece is in the dispute's file."""

    id: int
    dispute: str
    evidence: EvidenceState


class EvidenceAnswer(Message, frozen=True, tag="evidence_content", gc=False):
    """One piece of evidence; `content`: its file in base64."""

    id: int
    dispute: str
    evidence: EvidenceState
    content: str | UnsetType = UNSET


class DisputeProfileSet(Message, frozen=True, tag="dispute_profile_set", gc=False):
    """The profile as it holds from now on."""

    id: int
    profile: ProfileState


class DisputeProfilesAnswer(Message, frozen=True, tag="dispute_profile_states", gc=False):
    """All kinds of dispute there are."""

    id: int
    profiles: list[ProfileState]


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    OpenDispute,
    AnswerDispute,
    AddEvidence,
    ReadEvidence,
    DecideDispute,
    ClaimDispute,
    WithdrawDispute,
    ReadDispute,
    ReadDisputes,
    SetDisputeProfile,
    ReadDisputeProfiles,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    DisputeAnswer,
    DisputeFileAnswer,
    DisputesAnswer,
    EvidenceAdded,
    EvidenceAnswer,
    DisputeProfileSet,
    DisputeProfilesAnswer,
)

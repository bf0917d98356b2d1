"""Payments that a payer disputes, until the money stays or goes back."""

import base64
import binascii
from functools import partial
from typing import Any, Final

from msgspec import UNSET, UnsetType

from core.payments import dispute_evidence, disputes
from core.payments.dispute_case import Actor, Dispute, DisputeStatus, Done, Side
from core.payments.dispute_evidence import File, Piece
from core.payments.dispute_profiles import Lapse, Profile, Reason
from hub.commands.context import Context, announce
from hub.commands.operating import require_operator
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset
from hub.protocol.codes import ErrorCode
from hub.protocol.disputes import (
    AddEvidence,
    AnswerDispute,
    ClaimDispute,
    DecideDispute,
    DisputeAnswer,
    DisputeFileAnswer,
    DisputeProfilesAnswer,
    DisputeProfileSet,
    DisputesAnswer,
    DisputeState,
    EvidenceAdded,
    EvidenceAnswer,
    EvidenceState,
    OpenDispute,
    ProfileState,
    ReadDispute,
    ReadDisputeProfiles,
    ReadDisputes,
    ReadEvidence,
    SetDisputeProfile,
    WithdrawDispute,
)
from hub.protocol.fields import PAGE_LENGTH
from hub.protocol.scopes import Scope
from hub.session import Session


async def take_act(context: Context, session: Session, command: Any) -> DisputeAnswer:
    """Act in a dispute; after the commit tell the followers, then whoever asked."""
    done = await act(context, session, command)
    announce(context, done.batch, done.postings)
    return DisputeAnswer(command.id, to_dispute_state(done.dispute))


async def act(context: Context, session: Session, command: Any, *, is_rehearsal: bool = False) -> Done:
    """Open a dispute, or do something with one: what it is now, and the payments that were posted, or would be."""
    match command:
        case OpenDispute():
            do = partial(disputes.open_dispute, opening=_to_opening(command))
        case AnswerDispute():
            do = partial(
                disputes.answer_dispute,
                dispute_id=command.dispute,
                offered=_to_offer(command),
                text=given(command.text),
            )
        case DecideDispute():
            do = partial(
                disputes.decide_dispute, dispute_id=command.dispute, amount=command.amount, note=given(command.note)
            )
        case ClaimDispute():
            do = partial(disputes.claim_dispute, dispute_id=command.dispute)
        case _:
            do = partial(disputes.withdraw_dispute, dispute_id=command.dispute)
    done: Done = await do(
        context.pool, context.keys, session.speaker.tenant_id, _actor(session), is_rehearsal=is_rehearsal
    )
    return done


async def add_evidence(context: Context, session: Session, command: AddEvidence) -> EvidenceAdded:
    """Put a piece into the dispute's file."""
    piece = await dispute_evidence.add_evidence(
        context.pool,
        context.keys,
        session.speaker.tenant_id,
        _actor(session),
        command.dispute,
        command.evidence,
        given(command.text),
        _to_file(command),
    )
    return EvidenceAdded(command.id, command.dispute, to_evidence_state(piece))


async def read_evidence(context: Context, session: Session, command: ReadEvidence) -> EvidenceAnswer:
    """One piece with its content."""
    piece, content = await dispute_evidence.read_evidence(
        context.pool, context.keys, session.speaker.tenant_id, _viewer(session), command.dispute, command.evidence
    )
    text = UNSET if content is None else base64.b64encode(content).decode()
    return EvidenceAnswer(command.id, command.dispute, to_evidence_state(piece), text)


async def dispute(context: Context, session: Session, command: ReadDispute) -> DisputeFileAnswer:
    """One dispute with its evidence."""
    tenant_id, actor = session.speaker.tenant_id, _viewer(session)
    found = await disputes.read_dispute(context.pool, context.keys, tenant_id, actor, command.dispute)
    pieces = await dispute_evidence.list_evidence(context.pool, context.keys, tenant_id, actor, command.dispute)
    return DisputeFileAnswer(command.id, to_dispute_state(found), [to_evidence_state(piece) for piece in pieces])


async def list_disputes(context: Context, session: Session, command: ReadDisputes) -> DisputesAnswer:
    """A page of disputes."""
    limit = given(command.limit, PAGE_LENGTH)
    found = await disputes.list_disputes(
        context.pool,
        context.keys,
        session.speaker.tenant_id,
        _viewer(session),
        # One more than is shown says whether there is another page.
        limit + 1,
        status=None if isinstance(command.status, UnsetType) else DisputeStatus[command.status.upper()],
        is_overdue=given(command.overdue),
        before=given(command.before),
    )
    page = [to_dispute_state(each) for each in found[:limit]]
    return DisputesAnswer(command.id, page, page[-1].dispute if len(found) > limit else UNSET)


async def set_profile(context: Context, session: Session, command: SetDisputeProfile) -> DisputeProfileSet:
    """Write rules of the tenant's own."""
    require_operator(session)
    profile = Profile(
        command.profile,
        tuple(sorted({Reason[reason.upper()] for reason in command.reasons})),
        command.open_s,
        command.answer_s,
        Lapse[command.on_no_answer.upper()],
        command.decide_s,
        Lapse[command.on_no_decision.upper()],
        given(command.claim_s),
        Lapse.PAYER_WINS if isinstance(command.on_no_claim, UnsetType) else Lapse[command.on_no_claim.upper()],
        command.refund_s,
        command.collect_s,
    )
    is_default = command.default is True
    await disputes.set_profile(context.pool, session.speaker.tenant_id, profile, is_default=is_default)
    return DisputeProfileSet(command.id, to_profile_state(profile, is_default))


async def list_profiles(context: Context, session: Session, command: ReadDisputeProfiles) -> DisputeProfilesAnswer:
    """All profiles that hold here."""
    found = await disputes.list_profiles(context.pool, session.speaker.tenant_id)
    return DisputeProfilesAnswer(command.id, [to_profile_state(*each) for each in found])


def to_dispute_state(dispute: Dispute) -> DisputeState:
    """A dispute as the wire shows it. Who opened it is a side, not a person."""
    return DisputeState(
        dispute.id,
        dispute.payment,
        dispute.payer,
        dispute.payee,
        dispute.amount,
        Reason(dispute.reason).name.lower(),
        dispute.profile.name,
        DisputeStatus(dispute.status).name.lower(),
        dispute.held,
        dispute.charged_back,
        dispute.owed,
        dispute.is_overdue,
        "operator" if dispute.by_operator else "payer",
        time_of(dispute.opened_at),
        time_of(dispute.answer_due_at),
        time_of(dispute.decision_due_at),
        or_unset(dispute.text),
        or_unset(dispute.offered),
        or_unset(dispute.answer),
        time_or_unset(dispute.answered_at),
        or_unset(dispute.awarded),
        or_unset(dispute.note),
        time_or_unset(dispute.decided_at),
        time_or_unset(dispute.claim_due_at),
        time_or_unset(dispute.claimed_at),
        time_or_unset(dispute.refund_due_at),
        time_or_unset(dispute.collect_until),
        time_or_unset(dispute.closed_at),
    )


def to_evidence_state(piece: Piece) -> EvidenceState:
    """A piece of evidence as the wire shows it."""
    return EvidenceState(
        piece.id,
        Side(piece.side).name.lower(),
        time_of(piece.added_at),
        or_unset(piece.text),
        or_unset(piece.name),
        or_unset(piece.media_type),
        piece.size or UNSET,
    )


def to_profile_state(profile: Profile, is_default: bool) -> ProfileState:
    """A profile as the wire shows it."""
    return ProfileState(
        profile.name,
        is_default,
        [Reason(reason).name.lower() for reason in profile.reasons],
        profile.open_s,
        profile.answer_s,
        Lapse(profile.on_no_answer).name.lower(),
        profile.decide_s,
        Lapse(profile.on_no_decision).name.lower(),
        Lapse(profile.on_no_claim).name.lower(),
        profile.refund_s,
        profile.collect_s,
        or_unset(profile.claim_s),
    )


def _to_opening(command: OpenDispute) -> disputes.Opening:
    return disputes.Opening(
        command.dispute,
        command.payment,
        Reason[command.reason.upper()],
        given(command.text),
        given(command.amount),
        given(command.profile),
    )


def _to_offer(command: AnswerDispute) -> int | None:
    """What the payee gives back without a quarrel; None: all of it."""
    amount = given(command.amount)
    if (amount is None) == (command.answer == "accept_part"):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "An amount belongs to accept_part alone.", field="amount")
    return 0 if command.answer == "contest" else amount


def _actor(session: Session) -> Actor:
    return Actor(session.speaker.person_id, session.accounts, session.is_operator)


def _viewer(session: Session) -> Actor:
    """Who reads: auditors see what operators see."""
    return Actor(session.speaker.person_id, session.accounts, session.oversees)


def _to_file(command: AddEvidence) -> File | None:
    parts = command.name, command.media_type, command.content
    if all(part is UNSET for part in parts):
        return None
    name, media_type, content = parts
    if isinstance(name, UnsetType) or isinstance(media_type, UnsetType) or isinstance(content, UnsetType):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "A file has a name, a media type and a content.", field="content")
    try:
        return File(name, media_type, base64.b64decode(content, validate=True))
    except binascii.Error:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "The content is not base64.", field="content") from None


ROWS: Final[tuple[Row, ...]] = (
    Row(OpenDispute, DisputeAnswer, take_act, "POST", "/v1/disputes", 201, scope=Scope.DISPUTES_WRITE),
    Row(ReadDisputes, DisputesAnswer, list_disputes, "GET", "/v1/disputes", scope=Scope.DISPUTES_READ),
    Row(ReadDispute, DisputeFileAnswer, dispute, "GET", "/v1/disputes/{dispute}", scope=Scope.DISPUTES_READ),
    Row(AnswerDispute, DisputeAnswer, take_act, "POST", "/v1/disputes/{dispute}/answer", scope=Scope.DISPUTES_WRITE),
    Row(
        AddEvidence,
        EvidenceAdded,
        add_evidence,
        "POST",
        "/v1/disputes/{dispute}/evidence",
        201,
        scope=Scope.DISPUTES_WRITE,
    ),
    Row(
        ReadEvidence,
        EvidenceAnswer,
        read_evidence,
        "GET",
        "/v1/disputes/{dispute}/evidence/{evidence}",
        scope=Scope.DISPUTES_READ,
    ),
    Row(DecideDispute, DisputeAnswer, take_act, "POST", "/v1/disputes/{dispute}/decision"),
    Row(ClaimDispute, DisputeAnswer, take_act, "POST", "/v1/disputes/{dispute}/claim", scope=Scope.DISPUTES_WRITE),
    Row(
        WithdrawDispute,
        DisputeAnswer,
        take_act,
        "POST",
        "/v1/disputes/{dispute}/withdrawal",
        scope=Scope.DISPUTES_WRITE,
    ),
    Row(SetDisputeProfile, DisputeProfileSet, set_profile, "PUT", "/v1/dispute-profiles/{profile}"),
    Row(
        ReadDisputeProfiles,
        DisputeProfilesAnswer,
        list_profiles,
        "GET",
        "/v1/dispute-profiles",
        scope=Scope.DISPUTES_READ,
    ),
)

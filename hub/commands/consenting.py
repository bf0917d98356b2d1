"""What people allow and take back, and what they ask an operator to answer."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from core.audit.trail import Act, note
from core.database import in_tenant
from core.errors import NotFound
from core.privacy import consents as core_consents
from core.privacy import requests as core_requests
from core.privacy.consents import Asked, Text, give, list_changes, list_purposes, revoke
from core.privacy.correcting import correct
from core.privacy.requests import Due, Request
from core.privacy.states import RequestStatus, Right
from hub.commands.context import Context
from hub.commands.knowing import given_fields
from hub.commands.operating import require_operator
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import EPOCH, MICROSECOND, from_time, given, or_unset, time_of, time_or_unset
from hub.protocol import consents
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.session import Session, State

# What sessions of operators watch.
TOPIC: Final = "privacy_requests"
# Clocks that run for days: told once in a while, and at once to whoever begins to watch.
TOLD_EVERY_S: Final = 5.0


@dataclass(slots=True)
class Watch:
    """Who of a tenant's operators watches, and what they were told last."""

    sessions: set[Session] = field(default_factory=set)
    told: Due | None = None


async def set_purpose(context: Context, session: Session, command: consents.SetPurpose) -> consents.PurposeSet:
    """Ask in these words from now on."""
    require_operator(session)
    text = Text(
        command.title_pt,
        command.text_pt,
        command.title_en,
        command.text_en,
        command.asks_again is True,
        given(command.open, True),
    )
    version = await core_consents.set_purpose(
        context.pool, session.speaker.tenant_id, command.purpose, text, session.by
    )
    return consents.PurposeSet(command.id, command.purpose, version)


async def purposes(context: Context, session: Session, command: consents.ReadPurposes) -> consents.PurposesAnswer:
    """What is asked, and what the speaker says to it."""
    speaker = session.speaker
    found = await list_purposes(context.pool, speaker.tenant_id, speaker.person_id)
    return consents.PurposesAnswer(command.id, [_to_purpose(one) for one in found])


async def give_consent(context: Context, session: Session, command: consents.GiveConsent) -> consents.PurposeAnswer:
    """Agree."""
    speaker, door = session.speaker, _door(session)
    try:
        asked = await give(
            context.pool, speaker.tenant_id, speaker.person_id, command.purpose, command.version, session.by, door
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="purpose") from None
    return consents.PurposeAnswer(command.id, _to_purpose(asked))


async def revoke_consent(context: Context, session: Session, command: consents.RevokeConsent) -> consents.PurposeAnswer:
    """Take it back."""
    speaker, door = session.speaker, _door(session)
    try:
        asked = await revoke(context.pool, speaker.tenant_id, speaker.person_id, command.purpose, session.by, door)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="purpose") from None
    return consents.PurposeAnswer(command.id, _to_purpose(asked))


async def changes(context: Context, session: Session, command: consents.ReadConsents) -> consents.ConsentsAnswer:
    """A page of all that the speaker said."""
    speaker, limit = session.speaker, given(command.limit, PAGE_LENGTH)
    at, purpose, number = given(command.before_at), given(command.before_purpose), given(command.before_number)
    before: tuple[datetime, str, int] | None = None
    if at is not None and purpose is not None and number is not None:
        before = EPOCH + from_time(at) * MICROSECOND, purpose, number
    elif (at, purpose, number) != (None, None, None):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "Give all three of a change, or none.", field="before_at")
    found = await list_changes(context.pool, speaker.tenant_id, speaker.person_id, limit + 1, before)
    page = [
        consents.ConsentChange(
            one.purpose,
            one.number,
            one.version,
            one.is_given,
            time_of(one.at),
            or_unset(one.door),
            or_unset(one.session_id),
        )
        for one in found[:limit]
    ]
    return consents.ConsentsAnswer(command.id, page, len(found) > limit or UNSET)


async def make(context: Context, session: Session, command: consents.MakeRequest) -> consents.RequestAnswer:
    """Ask for something that takes a person to answer."""
    speaker = session.speaker
    made = await core_requests.ask(
        context.pool,
        context.keys,
        speaker.tenant_id,
        speaker.person_id,
        command.request,
        Right[command.right.upper()],
        given(command.field),
        given(command.text),
        session.by,
    )
    return consents.RequestAnswer(command.id, _to_request(made))


async def request(context: Context, session: Session, command: consents.ReadRequest) -> consents.RequestAnswer:
    """A request as it stands, to whoever made it and to operators."""
    found = await _read(context, session, command.request)
    return consents.RequestAnswer(command.id, _to_request(found))


async def list_requests(context: Context, session: Session, command: consents.ReadRequests) -> consents.RequestsAnswer:
    """A page of the speaker's requests; or, for operators, of everybody's that are open."""
    speaker, limit = session.speaker, given(command.limit, PAGE_LENGTH)
    is_open = command.open is True
    watch = given(command.watch)
    if is_open or watch is not None:
        require_operator(session)
    if watch is not None and session.door is not None:
        _watch(context, session, wanted=watch)
    place = context.pool, context.keys, speaker.tenant_id
    before = given(command.before)
    if is_open:
        found = await core_requests.list_open(*place, limit + 1, before)
        page = [_to_request(one._replace(text=None, answer=None)) for one in found[:limit]]
    else:
        found = await core_requests.list_requests(*place, speaker.person_id, limit + 1, before)
        page = [_to_request(one) for one in found[:limit]]
    return consents.RequestsAnswer(command.id, page, page[-1].request if len(found) > limit else UNSET)


async def answer(context: Context, session: Session, command: consents.AnswerRequest) -> consents.RequestAnswer:
    """Answer somebody."""
    require_operator(session)
    status = RequestStatus[command.status.upper()]
    where = context.pool, context.keys, session.speaker.tenant_id, command.request
    try:
        if isinstance(command.correct, UnsetType):
            answered = await core_requests.respond(*where, status, command.answer, session.by)
        else:
            fields = given_fields(command.correct)
            answered = await correct(*where, fields, status, command.answer, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="request") from None
    return consents.RequestAnswer(command.id, _to_request(answered))


async def withdraw(context: Context, session: Session, command: consents.WithdrawRequest) -> consents.RequestAnswer:
    """Let one's own be."""
    speaker = session.speaker
    try:
        withdrawn = await core_requests.withdraw(
            context.pool, context.keys, speaker.tenant_id, speaker.person_id, command.request, session.by
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="request") from None
    return consents.RequestAnswer(command.id, _to_request(withdrawn))


async def tell_due(context: Context) -> None:
    """Tell operators who watch how many requests are due soon or late, when that has changed."""
    watched: dict[int, Watch] = context.watched_requests
    for tenant_id, watch in list(watched.items()):
        watch.sessions = {one for one in watch.sessions if one.state is State.LIVE and TOPIC in one.watching}
        if not watch.sessions:
            del watched[tenant_id]
    if not watched:
        return
    due = {one.tenant_id: one for one in await core_requests.count_due(context.pool)}
    for tenant_id, watch in watched.items():
        found = due.get(tenant_id, Due(tenant_id, 0, 0))
        if found != watch.told and (watch.told is not None or found.soon or found.late):
            context.tell(tenant_id, TOPIC, consents.PrivacyAlert(found.soon, found.late))
        watch.told = found


async def _read(context: Context, session: Session, request_id: str) -> Request:
    speaker = session.speaker
    try:
        found = await core_requests.read_request(context.pool, context.keys, speaker.tenant_id, request_id)
        if found.person_id != speaker.person_id and not session.is_operator:
            raise NotFound
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="request") from None
    if found.person_id != speaker.person_id:
        async with in_tenant(context.pool, speaker.tenant_id) as connection:
            details = {"request": found.id}
            await note(
                connection, speaker.tenant_id, session.by, Act.PERSONAL_DATA_READ, found.person_id, details=details
            )
    return found


def _watch(context: Context, session: Session, *, wanted: bool) -> None:
    if not wanted:
        session.watching.discard(TOPIC)
        return
    session.watching.add(TOPIC)
    watch: Watch = context.watched_requests.setdefault(session.speaker.tenant_id, Watch())
    watch.sessions.add(session)
    # Whoever begins to watch hears how it stands.
    watch.told = None


def _door(session: Session) -> str:
    return "http" if session.door is None else session.door.name.lower()


def _to_purpose(asked: Asked) -> consents.PurposeState:
    return consents.PurposeState(
        asked.purpose,
        asked.version,
        asked.title_pt,
        asked.text_pt,
        asked.title_en,
        asked.text_en,
        asked.is_given,
        or_unset(asked.answered_version),
        time_or_unset(asked.answered_at),
    )


def _to_request(one: Request) -> consents.RequestState:
    return consents.RequestState(
        one.id,
        one.person_id,
        one.right.name.lower(),
        one.status.name.lower(),
        time_of(one.asked_at),
        time_of(one.due_at),
        or_unset(one.field),
        or_unset(one.text),
        or_unset(one.answer),
        time_or_unset(one.answered_at),
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(consents.SetPurpose, consents.PurposeSet, set_purpose, "PUT", "/v1/privacy/purposes/{purpose}"),
    Row(consents.ReadPurposes, consents.PurposesAnswer, purposes, "GET", "/v1/privacy/purposes"),
    Row(consents.GiveConsent, consents.PurposeAnswer, give_consent, "POST", "/v1/privacy/purposes/{purpose}/give"),
    Row(
        consents.RevokeConsent, consents.PurposeAnswer, revoke_consent, "POST", "/v1/privacy/purposes/{purpose}/revoke"
    ),
    Row(consents.ReadConsents, consents.ConsentsAnswer, changes, "GET", "/v1/privacy/consents"),
    Row(consents.MakeRequest, consents.RequestAnswer, make, "POST", "/v1/privacy/requests", 201),
    Row(consents.ReadRequests, consents.RequestsAnswer, list_requests, "GET", "/v1/privacy/requests"),
    Row(consents.ReadRequest, consents.RequestAnswer, request, "GET", "/v1/privacy/requests/{request}"),
    Row(consents.AnswerRequest, consents.RequestAnswer, answer, "POST", "/v1/privacy/requests/{request}/answer"),
    Row(consents.WithdrawRequest, consents.RequestAnswer, withdraw, "POST", "/v1/privacy/requests/{request}/withdraw"),
)

"""Notices: a person's own stream, how they want to be told, and what operators see of what was not delivered."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final, Protocol

from msgspec import UNSET, UnsetType

from core.errors import NotFound
from core.notices import deliveries as core_deliveries
from core.notices import listing, phones, wishes
from core.notices import news as core_news
from core.notices.deliveries import Road
from core.notices.kinds import NoticeKind
from core.notices.ladder import LADDERS, Ladder
from core.notices.targets import address_of, read_target, to_text
from core.notices.vapid import public_text, read_vapid_key
from core.notices.wishes import Wishes
from hub.commands.context import Context
from hub.commands.operating import require_operator, require_overseer
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import from_time, given, or_unset, time_of, time_or_unset, to_datetime
from hub.protocol import notices
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH, Message
from hub.session import Session

# Shorter, and each hub's question would be a load; longer, and a warning comes late.
TOLD_EVERY_S: Final = 0.5
# What takes longer to commit is found by whoever asks for the list.
OVERLAP: Final = timedelta(seconds=5)
# Of one person, in one turn; the rest comes with the next.
TOLD_AT_ONCE_MAX: Final = 50

NAMES: Final[dict[NoticeKind, notices.NoticeName]] = {kind: kind.name.lower() for kind in NoticeKind}  # type: ignore[misc]
ROADS: Final[dict[Road, notices.RoadName]] = {road: road.name.lower() for road in Road}  # type: ignore[misc]


class Connection(Protocol):
    """Somebody's socket here."""

    session: Session

    def send(self, message: Message) -> None:
        """Say it."""


def to_state(one: listing.Notice) -> notices.NoticeState:
    """A notice as the wire shows it."""
    facts = one.facts
    return notices.NoticeState(
        one.number,
        NAMES[one.kind],
        time_of(one.at),
        True if one.is_heard else UNSET,
        or_unset(one.session_id),
        or_unset(one.name),
        or_unset(None if facts is None else facts.network),
        or_unset(None if facts is None else facts.amount),
        or_unset(None if facts is None else facts.subject),
        or_unset(None if facts is None else facts.code),
        or_unset(None if facts is None else facts.lines),
        or_unset(None if facts is None else facts.refused),
        UNSET if facts is None or facts.ends_at is None else time_of(facts.ends_at),
        or_unset(one.title),
        or_unset(one.text),
    )


async def tell_notices(
    context: Context,
    behind: Callable[[Mapping[tuple[int, str], int]], Mapping[tuple[int, str], Sequence[Connection]]],
    since: datetime | None,
) -> datetime | None:
    """Tell people's sockets here what is new in their streams; up to when was looked.

    It is found by looking, whoever left it: this hub, another one, a worker. Redis has no part in it.
    """
    rung = await listing.find_rung(context.pool, since, OVERLAP)
    numbers = {(one.tenant_id, one.person_id): one.number for one in rung}
    for key, listeners in behind(numbers).items() if numbers else ():
        after = min(listener.session.bell for listener in listeners)
        found = await listing.read_notices(context.pool, *key, TOLD_AT_ONCE_MAX, after=after)
        for listener in listeners:
            for notice in found:
                if notice.number <= listener.session.bell:
                    continue
                listener.session.bell = notice.number
                # Whoever did it knows.
                if notice.session_id != listener.session.speaker.session_id:
                    listener.send(notices.Notice(to_state(notice)))
    return rung[-1].at if rung else since


async def read_notices(context: Context, session: Session, command: notices.ReadNotices) -> notices.NoticesAnswer:
    """A page of one's own."""
    speaker = session.speaker
    found = await listing.read_notices(
        context.pool,
        speaker.tenant_id,
        speaker.person_id,
        given(command.limit, PAGE_LENGTH),
        after=given(command.after),
        before=given(command.before),
    )
    bell = await listing.read_bell(context.pool, speaker.tenant_id, speaker.person_id)
    return notices.NoticesAnswer(command.id, [to_state(one) for one in found], bell.number, bell.unheard)


async def hear_notices(context: Context, session: Session, command: notices.HearNotices) -> notices.NoticesHeard:
    """Acknowledge them."""
    speaker = session.speaker
    count = await listing.hear(context.pool, speaker.tenant_id, speaker.person_id, speaker.session_id, command.number)
    return notices.NoticesHeard(command.id, count)


async def register_phone(context: Context, session: Session, command: notices.RegisterPhone) -> notices.PhoneRegistered:
    """Have a phone take the speaker's pushes."""
    speaker, road = session.speaker, Road[command.provider.upper()]
    target = read_target(
        road,
        token=given(command.address),
        topic=given(command.topic),
        is_sandbox=given(command.sandbox, False),
        endpoint=given(command.endpoint),
        p256dh=given(command.p256dh),
        auth=given(command.auth),
        hosts=context.push_hosts,
    )
    phone = await phones.register_phone(
        context.pool,
        context.keys,
        speaker.tenant_id,
        speaker.person_id,
        speaker.session_id,
        road,
        address_of(target),
        to_text(target),
        command.language,
    )
    return notices.PhoneRegistered(command.id, phone)


async def read_push_key(context: Context, _session: Session, command: notices.ReadPushKey) -> notices.PushKeyAnswer:
    """What browsers subscribe with."""
    return notices.PushKeyAnswer(command.id, public_text((await read_vapid_key(context.keys)).public_key()))


async def list_phones(context: Context, session: Session, command: notices.ReadPhones) -> notices.PhonesAnswer:
    """The speaker's own."""
    speaker = session.speaker
    found = await phones.list_phones(context.pool, speaker.tenant_id, speaker.person_id)
    return notices.PhonesAnswer(
        command.id,
        [
            notices.PhoneState(
                one.id,
                ROADS[one.provider],  # type: ignore[arg-type]
                one.language,  # type: ignore[arg-type]
                time_of(one.registered_at),
                one.session_id,
                or_unset(one.name),
            )
            for one in found
        ],
    )


async def forget_phone(context: Context, session: Session, command: notices.ForgetPhone) -> notices.PhoneForgotten:
    """One of the speaker's own; anybody else's is like one that is not there."""
    speaker = session.speaker
    if not await phones.forget_phone(context.pool, speaker.tenant_id, speaker.person_id, command.phone):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="phone")
    return notices.PhoneForgotten(command.id, command.phone)


async def read_settings(
    context: Context, session: Session, command: notices.ReadNoticeSettings
) -> notices.NoticeSettingsAnswer:
    """How one is told."""
    speaker = session.speaker
    return _to_settings(command.id, await wishes.read_wishes(context.pool, speaker.tenant_id, speaker.person_id))


async def set_settings(
    context: Context, session: Session, command: notices.SetNoticeSettings
) -> notices.NoticeSettingsAnswer:
    """Have it otherwise."""
    speaker = session.speaker
    wanted = Wishes(
        given(command.language),
        _to_hour(command.quiet_from),
        _to_hour(command.quiet_to),
        frozenset(NoticeKind[name.upper()] for name in given(command.muted, [])),
    )
    await wishes.set_wishes(context.pool, speaker.tenant_id, speaker.person_id, wanted)
    return _to_settings(command.id, wanted)


async def read_ladders(context: Context, session: Session, command: notices.ReadLadders) -> notices.LaddersAnswer:
    """How each kind climbs."""
    require_overseer(session)
    own = await wishes.read_ladders(context.pool, session.speaker.tenant_id)
    return notices.LaddersAnswer(
        command.id, [_to_ladder(kind, own.get(kind, ladder), kind in own) for kind, ladder in LADDERS.items()]
    )


async def set_ladder(context: Context, session: Session, command: notices.SetLadder) -> notices.LadderSet:
    """Let one climb otherwise."""
    require_operator(session)
    kind = NoticeKind[command.kind.upper()]
    ladder = Ladder(command.socket_s, command.push_s, command.has_push, command.has_mail)
    await wishes.set_ladder(context.pool, session.speaker.tenant_id, kind, ladder, session.by)
    return notices.LadderSet(command.id, _to_ladder(kind, ladder, is_own=True))


async def read_dead(
    context: Context, session: Session, command: notices.ReadDeadDeliveries
) -> notices.DeadDeliveriesAnswer:
    """What was set aside."""
    require_overseer(session)
    limit = given(command.limit, PAGE_LENGTH)
    found = await core_deliveries.read_dead(
        context.pool, session.speaker.tenant_id, limit, _to_place(command.before, command.before_delivery)
    )
    last = found[-1] if len(found) == limit else None
    return notices.DeadDeliveriesAnswer(
        command.id,
        [
            notices.DeadDelivery(
                one.id,
                ROADS[one.road],
                NAMES[one.kind],
                one.person_id,
                one.tries,
                time_of(one.made_at),
                time_of(one.ended_at),
                or_unset(one.code),
            )
            for one in found
        ],
        UNSET if last is None else time_of(last.made_at),
        UNSET if last is None else last.id,
    )


async def retry(context: Context, session: Session, command: notices.RetryDeliveries) -> notices.DeliveriesRetried:
    """Send it again."""
    require_operator(session)
    ids = given(command.deliveries)
    again = await core_deliveries.retry(context.pool, session.speaker.tenant_id, ids, session.by)
    return notices.DeliveriesRetried(command.id, again)


async def send_news(context: Context, session: Session, command: notices.SendNews) -> notices.NewsSent:
    """Have everybody told who agreed to it."""
    require_operator(session)
    text = core_news.Text(command.title, command.text)
    try:
        sent = await core_news.send(
            context.pool, session.speaker.tenant_id, command.news, command.purpose, text, session.by
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="purpose") from None
    return notices.NewsSent(command.id, _to_news(sent))


async def read_news(context: Context, session: Session, command: notices.ReadNews) -> notices.NewsAnswer:
    """What was sent."""
    require_overseer(session)
    limit = given(command.limit, PAGE_LENGTH)
    before = None if command.before is UNSET else to_datetime(from_time(command.before))
    found = await core_news.list_news(context.pool, session.speaker.tenant_id, limit, before)
    return notices.NewsAnswer(
        command.id, [_to_news(one) for one in found], time_of(found[-1].sent_at) if len(found) == limit else UNSET
    )


def _to_news(one: core_news.News) -> notices.NewsState:
    return notices.NewsState(
        one.id,
        one.purpose,
        one.title,
        one.body,
        time_of(one.sent_at),
        one.told,
        or_unset(one.sent_by),
        time_or_unset(one.ended_at),
    )


def _to_place(before: str | UnsetType, delivery: str | UnsetType) -> tuple[datetime, str] | None:
    if isinstance(before, UnsetType) or isinstance(delivery, UnsetType):
        if before is not delivery:
            raise CommandRefused(ErrorCode.INVALID_FIELD, "Both, or neither.", field="before_delivery")
        return None
    return to_datetime(from_time(before)), delivery


def _to_hour(text: str | UnsetType) -> time | None:
    return None if isinstance(text, UnsetType) else time.fromisoformat(text)


def _to_settings(id_: int, found: Wishes) -> notices.NoticeSettingsAnswer:
    return notices.NoticeSettingsAnswer(
        id_,
        [NAMES[kind] for kind in sorted(found.muted)],  # type: ignore[misc]
        or_unset(found.language),  # type: ignore[arg-type]
        UNSET if found.quiet_from is None else f"{found.quiet_from:%H:%M}",
        UNSET if found.quiet_to is None else f"{found.quiet_to:%H:%M}",
    )


def _to_ladder(kind: NoticeKind, ladder: Ladder, is_own: bool) -> notices.LadderState:
    return notices.LadderState(NAMES[kind], *ladder, own=True if is_own else UNSET)


ROWS: Final[tuple[Row, ...]] = (
    Row(notices.ReadNotices, notices.NoticesAnswer, read_notices, "GET", "/v1/notices"),
    Row(notices.HearNotices, notices.NoticesHeard, hear_notices, "POST", "/v1/notices/heard"),
    Row(notices.RegisterPhone, notices.PhoneRegistered, register_phone, "POST", "/v1/phones", 201),
    Row(notices.ReadPushKey, notices.PushKeyAnswer, read_push_key, "GET", "/v1/push-key"),
    Row(notices.ReadPhones, notices.PhonesAnswer, list_phones, "GET", "/v1/phones"),
    Row(notices.ForgetPhone, notices.PhoneForgotten, forget_phone, "DELETE", "/v1/phones/{phone}"),
    Row(notices.ReadNoticeSettings, notices.NoticeSettingsAnswer, read_settings, "GET", "/v1/notices/settings"),
    Row(notices.SetNoticeSettings, notices.NoticeSettingsAnswer, set_settings, "PUT", "/v1/notices/settings"),
    Row(notices.ReadLadders, notices.LaddersAnswer, read_ladders, "GET", "/v1/notices/ladders"),
    Row(notices.SetLadder, notices.LadderSet, set_ladder, "PUT", "/v1/notices/ladders/{kind}"),
    Row(notices.ReadDeadDeliveries, notices.DeadDeliveriesAnswer, read_dead, "GET", "/v1/deliveries/dead"),
    Row(notices.RetryDeliveries, notices.DeliveriesRetried, retry, "POST", "/v1/deliveries/retry"),
    Row(notices.SendNews, notices.NewsSent, send_news, "POST", "/v1/news", 201),
    Row(notices.ReadNews, notices.NewsAnswer, read_news, "GET", "/v1/news"),
)
